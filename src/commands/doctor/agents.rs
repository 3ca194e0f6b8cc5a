//! Every agent: its directory, its program, and what it may do there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::config_file::update;
use super::finding::{Finding, Section, shell_path};
use crate::config::{Agent, AgentName, Config, Effective, Exposure, describe};
use crate::engine::{ClaudeHome, DirectoryFault, find_program};
use crate::os::ProgramError;

const SECTION: Section = Section::Agents;

/// The mode in which nothing is asked and everything is allowed.
const BYPASS: &str = "bypassPermissions";

/// What every agent is judged by.
pub(super) struct CallerContext<'a> {
    pub(super) home: &'a ClaudeHome,
    /// A value as of `PATH`.
    pub(super) path: Option<&'a OsStr>,
    pub(super) may_bypass: bool,
}

/// Whether Claude Code takes the mode that allows everything: as root only where a variable says that this is a sandbox.
pub(super) fn may_bypass(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_sandbox = environment("IS_SANDBOX").is_some_and(|value| value == "1")
        || environment("CLAUDE_CODE_BUBBLEWRAP").is_some_and(|value| !value.is_empty());
    !rustix::process::getuid().is_root() || is_sandbox
}

/// Looks at every agent of the config, if that could be read.
pub(super) fn findings(config: Option<&Config>, caller_context: &CallerContext<'_>) -> Vec<Finding> {
    let Some(config) = config else {
        return vec![SECTION.note("agents", "not looked at: the config cannot be read")];
    };
    if config.agents.is_empty() {
        return vec![SECTION.note("agents", "there are no agents").fix("agent-dispatch agents add NAME DIR")];
    }
    let of = |(name, agent): (&AgentName, &Agent)| {
        let found = agent_findings(name, agent, &agent.effective(&config.settings), caller_context);
        found.into_iter().map(|finding| finding.agent(name)).collect::<Vec<_>>()
    };
    config.agents.iter().flat_map(of).collect()
}

fn agent_findings(
    name: &AgentName,
    agent: &Agent,
    effective: &Effective<'_>,
    caller_context: &CallerContext<'_>,
) -> Vec<Finding> {
    let name = name.as_str();
    let directory = agent.directory.display();
    if let Some(fault) = DirectoryFault::of(&agent.directory) {
        let found = format!("its directory {fault}: {directory}");
        let fix = match fault.barrier(&agent.directory) {
            Some(barrier) => format!("chmod u+x {}", shell_path(barrier)),
            None => update(name, "--directory", "DIR"),
        };
        return vec![SECTION.error("agent-directory", found).fix(fix)];
    }
    if let Err(error) = std::fs::read_dir(&agent.directory) {
        let found = format!("its directory cannot be read: {directory}: {error}");
        let fix = format!("chmod u+rx {}", shell_path(&agent.directory));
        return vec![SECTION.error("agent-directory", found).fix(fix)];
    }
    let mut findings = vec![SECTION.ok("agent-directory", directory.to_string())];
    findings.extend(exposures(name, agent));
    if agent.description.is_empty() {
        let found = "it has no description: callers cannot tell what it is for";
        findings.push(SECTION.note("agent-description", found).fix(update(name, "--description", "TEXT")));
    }
    match agent.backend.name() {
        "claude" => {
            findings.extend(project(agent));
            findings.extend(trust(agent, caller_context.home));
            findings.extend(sandbox(agent, caller_context.home));
            if is_read_only(agent, effective, caller_context.home) {
                let found = "it can only read: nothing allows it to edit files or to run commands";
                let fix = update(name, "--permission-mode", "acceptEdits");
                findings.push(SECTION.note("agent-read-only", found).fix(fix));
            }
            findings.extend(permissions(name, effective, caller_context.may_bypass));
            if effective.max_budget_usd.is_none() {
                let found = "nothing limits what a run may cost";
                findings.push(SECTION.note("agent-budget", found).fix(update(name, "--max-budget-usd", "2")));
            }
        }
        _ => findings.push(program(name, agent, caller_context)),
    }
    findings
}

/// Which other users have a say in what the agent goes by.
fn exposures(name: &str, agent: &Agent) -> Vec<Finding> {
    let is_refused = agent.check_trust().is_err();
    let finding = |exposure: Exposure| {
        let found = format!(
            "{} {exposure}: what others put there works as if it were yours",
            exposure.path.display()
        );
        // A project may well be another user's. That everybody can write to it is hardly meant.
        let fix = match exposure.writers {
            None => format!("agent-dispatch agents update {name} --trusted"),
            Some(_) => exposure.remedies(shell_path).join(" && "),
        };
        let finding = if is_refused {
            SECTION.error("agent-exposed", format!("it is refused as untrusted: {found}"))
        } else {
            SECTION.warning("agent-exposed", found)
        };
        finding.fix(fix)
    };
    agent.exposures().into_iter().map(finding).collect()
}

fn program(name: &str, agent: &Agent, caller_context: &CallerContext<'_>) -> Finding {
    match find_program(agent, caller_context.path) {
        Ok(program) => SECTION.ok("agent-program", format!("its program is {}", program.display())),
        Err((program, why)) => {
            let found = SECTION.error("agent-program", format!("its program '{program}' {why}"));
            match why {
                ProgramError::NotExecutable(file) => found.fix(format!("chmod +x {}", shell_path(&file))),
                _ => found.fix(update(name, "--command", "PROGRAM")),
            }
        }
    }
}

/// What the project has for Claude Code.
fn project(agent: &Agent) -> Vec<Finding> {
    let facts = describe(&agent.directory);
    let mut findings = Vec::new();
    if !facts.has_claude_md {
        let found = "there is no CLAUDE.md: the agent learns about the project only from its files";
        let fix = format!("cd {} && claude /init", shell_path(&agent.directory));
        findings.push(SECTION.note("agent-claude-md", found).fix(fix));
    }
    if !facts.mcp_servers.is_empty() {
        let found = format!("its runs start the MCP servers of .mcp.json: {}", facts.mcp_servers.join(", "));
        findings.push(SECTION.ok("agent-mcp-servers", found));
    }
    findings
}

/// Whether the folder is trusted, and what the lack of it switches off.
fn trust(agent: &Agent, home: &ClaudeHome) -> Option<Finding> {
    let settings: PathBuf = agent.directory.join(".claude/settings.json");
    match home.allow_rules(&agent.directory) {
        Err(reason) => {
            let fix = format!("${{EDITOR:-vi}} {}", shell_path(&settings));
            let found = format!("its settings cannot be read: {reason}");
            Some(SECTION.warning("agent-settings", found).fix(fix))
        }
        Ok((shared @ 1.., _)) if !home.trusts(&agent.directory) => {
            let rules = if shared == 1 { "1 rule".to_owned() } else { format!("{shared} rules") };
            let found = format!(
                "its folder is not trusted, so Claude Code ignores {rules} of permissions.allow in {}",
                settings.display()
            );
            let fix = format!("cd {} && claude", shell_path(&agent.directory));
            Some(SECTION.warning("agent-trust", found).fix(fix))
        }
        Ok((1.., _)) => Some(SECTION.ok("agent-trust", "its folder is trusted: its permissions.allow holds")),
        Ok((0, _)) => None,
    }
}

/// That its commands run without the sandbox that is switched on, where that cannot start.
fn sandbox(agent: &Agent, home: &ClaudeHome) -> Option<Finding> {
    let settings = home.optional_sandbox(&agent.directory)?;
    let found = format!(
        "Claude Code's sandbox is switched on in {}, but where it cannot start, commands run without it: set \
         sandbox.failIfUnavailable to true",
        settings.display()
    );
    let fix = format!("${{EDITOR:-vi}} {}", shell_path(&settings));
    Some(SECTION.warning("agent-sandbox", found).fix(fix))
}

/// Whether whatever needs a permission is denied, because no person is there to be asked and nothing grants one. Not of
/// agents whose mode says so.
fn is_read_only(agent: &Agent, effective: &Effective<'_>, home: &ClaudeHome) -> bool {
    let (shared, own) = home.allow_rules(&agent.directory).unwrap_or_default();
    let honoured = own + if home.trusts(&agent.directory) { shared } else { 0 };
    effective.permission_mode.is_none_or(|mode| mode == "default")
        && effective.allowed_tools.is_empty()
        && honoured == 0
        && !home.grants_permissions()
}

fn permissions(name: &str, effective: &Effective<'_>, may_bypass: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if effective.permission_mode == Some(BYPASS) && !may_bypass {
        let found = format!("its permission mode is {BYPASS}, which Claude Code refuses to root");
        findings.push(SECTION.error("agent-permission-mode", found).fix(update(
            name,
            "--permission-mode",
            "acceptEdits",
        )));
    }
    let (both, rest): (Vec<&str>, Vec<&str>) = effective
        .allowed_tools
        .iter()
        .map(String::as_str)
        .partition(|tool| effective.disallowed_tools.iter().any(|refused| refused == tool));
    if !both.is_empty() {
        let found = format!("tools are both allowed and refused, which refuses them: {}", both.join(", "));
        let fix = update(name, "--allowed-tools", &rest.join(","));
        findings.push(SECTION.warning("agent-tools", found).fix(fix));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Level;
    use crate::config::Settings;

    #[test]
    fn an_agent_without_any_permission_is_read_only() {
        let directory = tempfile::tempdir().unwrap();
        let home = ClaudeHome::default();
        let settings = Settings::default();
        let agent = Agent { directory: directory.path().to_owned(), ..Agent::default() };
        let is = |agent: &Agent| is_read_only(agent, &agent.effective(&settings), &home);
        assert!(is(&agent));
        assert!(!is(&Agent { permission_mode: Some("plan".to_owned()), ..agent.clone() }));
        assert!(!is(&Agent { allowed_tools: Some(vec!["Bash".to_owned()]), ..agent.clone() }));
        std::fs::create_dir(directory.path().join(".claude")).unwrap();
        let rules = r#"{"permissions": {"allow": ["Bash(ls *)"]}}"#;
        std::fs::write(directory.path().join(".claude/settings.json"), rules).unwrap();
        assert!(is(&agent), "without trust the rule does not hold");
        std::fs::write(directory.path().join(".claude/settings.local.json"), rules).unwrap();
        assert!(!is(&agent));
    }

    fn judged(agent: &Agent, may_bypass: bool) -> Vec<(&'static str, Level)> {
        let settings = Settings::default();
        let findings = permissions("a", &agent.effective(&settings), may_bypass);
        findings.iter().map(|finding| (finding.id, finding.level)).collect()
    }

    #[test]
    fn everything_may_be_allowed_to_root_only_in_a_sandbox() {
        let agent = Agent { permission_mode: Some(BYPASS.to_owned()), ..Agent::default() };
        assert_eq!(judged(&agent, false), [("agent-permission-mode", Level::Error)]);
        assert_eq!(judged(&agent, true), []);
        assert!(may_bypass(|name| (name == "IS_SANDBOX").then(|| "1".into())));
    }

    #[test]
    fn a_tool_that_is_both_allowed_and_refused_is_told() {
        let tools = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        let agent = Agent {
            allowed_tools: tools(&["Read", "Bash"]),
            disallowed_tools: tools(&["Bash"]),
            ..Agent::default()
        };
        assert_eq!(judged(&agent, true), [("agent-tools", Level::Warning)]);
        let findings = permissions("a", &agent.effective(&Settings::default()), true);
        assert_eq!(findings[0].fix.as_deref(), Some("agent-dispatch agents update a --allowed-tools Read"));
        assert_eq!(judged(&Agent { disallowed_tools: None, ..agent }, true), []);
    }
}
