//! What doctor hears of Claude Code and of the agents that it works for.

use std::path::Path;

use super::home::ClaudeHome;
use super::installation;
use super::profile::PROGRAM;
use crate::backend::{AgentSetup, Check, Environment, Examination, Scope, Surroundings};
use crate::os::read_beginning;
use crate::text::shell;

/// The mode in which nothing is asked and everything is allowed.
const BYPASS: &str = "bypassPermissions";

/// The mode in which files may be edited.
const EDITS: &str = "acceptEdits";

/// A look at Claude Code's files.
pub(super) struct ClaudeExamination<'a> {
    home: ClaudeHome,
    surroundings: Surroundings<'a>,
    may_bypass: bool,
}

impl<'a> ClaudeExamination<'a> {
    pub(super) fn new(surroundings: Surroundings<'a>) -> Self {
        let home = ClaudeHome::read(surroundings.home, surroundings.environment);
        Self { home, may_bypass: may_bypass(surroundings.environment), surroundings }
    }
}

impl Examination for ClaudeExamination<'_> {
    fn program(&self, needed: bool) -> Vec<Check> {
        let mut checks = installation::checks(self.surroundings.path, needed);
        checks.extend(installation::login(&self.home, self.surroundings.environment, needed));
        checks
    }

    fn agent(&self, agent: &AgentSetup<'_>) -> Vec<Check> {
        let mut checks = project(agent.directory, &self.home);
        checks.extend(trust(agent.directory, &self.home));
        checks.extend(sandbox(agent.directory, &self.home));
        if is_read_only(agent, &self.home) {
            let found = "it can only read: nothing allows it to edit files or to run commands";
            checks.push(Check::note("agent-read-only", found).option("--permission-mode", EDITS));
        }
        if agent.permission_mode == Some(BYPASS) && !self.may_bypass {
            let found = format!("its permission mode is {BYPASS}, which Claude Code refuses to root");
            checks.push(Check::error("agent-permission-mode", found).option("--permission-mode", EDITS));
        }
        checks
    }

    fn needs_variable(&self, name: &str) -> bool {
        self.home.needs_variable(name, self.surroundings.environment)
    }
}

/// Whether Claude Code takes the mode that allows everything: as root only where a variable says that this is a sandbox.
fn may_bypass(environment: Environment<'_>) -> bool {
    let is_sandbox = environment("IS_SANDBOX").is_some_and(|value| value == "1")
        || environment("CLAUDE_CODE_BUBBLEWRAP").is_some_and(|value| !value.is_empty());
    !rustix::process::getuid().is_root() || is_sandbox
}

/// What the project has for Claude Code.
fn project(directory: &Path, home: &ClaudeHome) -> Vec<Check> {
    let mut checks = Vec::new();
    if read_beginning(&directory.join("CLAUDE.md"), 1).is_none() {
        let found = "there is no CLAUDE.md: the agent learns about the project only from its files";
        let command = format!("cd {} && {PROGRAM} /init", shell::path(directory));
        checks.push(Check::note("agent-claude-md", found).command(command));
    }
    let servers = home.mcp_servers(directory).into_iter().filter(|server| server.scope == Scope::Project);
    let servers: Vec<String> = servers.map(|server| server.name).collect();
    if !servers.is_empty() {
        let found = format!("its runs start the MCP servers of .mcp.json: {}", servers.join(", "));
        checks.push(Check::ok("agent-mcp-servers", found));
    }
    checks
}

/// Whether the folder is trusted, and what the lack of it switches off.
fn trust(directory: &Path, home: &ClaudeHome) -> Option<Check> {
    let settings = directory.join(".claude/settings.json");
    match home.allow_rules(directory) {
        Err(reason) => {
            let found = format!("its settings cannot be read: {reason}");
            Some(Check::warning("agent-settings", found).command(edit(&settings)))
        }
        Ok((shared @ 1.., _)) if !home.trusts(directory) => {
            let rules = if shared == 1 { "1 rule".to_owned() } else { format!("{shared} rules") };
            let found = format!(
                "its folder is not trusted, so Claude Code ignores {rules} of permissions.allow in {}",
                settings.display()
            );
            let command = format!("cd {} && {PROGRAM}", shell::path(directory));
            Some(Check::warning("agent-trust", found).command(command))
        }
        Ok((1.., _)) => Some(Check::ok("agent-trust", "its folder is trusted: its permissions.allow holds")),
        Ok((0, _)) => None,
    }
}

/// That its commands run without the sandbox that is switched on, where that cannot start.
fn sandbox(directory: &Path, home: &ClaudeHome) -> Option<Check> {
    let settings = home.optional_sandbox(directory)?;
    let found = format!(
        "Claude Code's sandbox is switched on in {}, but where it cannot start, commands run without it: set \
         sandbox.failIfUnavailable to true",
        settings.display()
    );
    Some(Check::warning("agent-sandbox", found).command(edit(&settings)))
}

fn edit(path: &Path) -> String {
    format!("${{EDITOR:-vi}} {}", shell::path(path))
}

/// Whether whatever needs a permission is denied, because no person is there to be asked and nothing grants one. Not of
/// agents whose mode says so.
fn is_read_only(agent: &AgentSetup<'_>, home: &ClaudeHome) -> bool {
    let (shared, own) = home.allow_rules(agent.directory).unwrap_or_default();
    let honoured = own + if home.trusts(agent.directory) { shared } else { 0 };
    agent.permission_mode.is_none_or(|mode| mode == "default")
        && agent.allowed_tools.is_empty()
        && honoured == 0
        && !home.grants_permissions()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(directory: &Path) -> AgentSetup<'_> {
        AgentSetup { directory, permission_mode: None, allowed_tools: &[] }
    }

    #[test]
    fn an_agent_without_any_permission_is_read_only() {
        let directory = tempfile::tempdir().unwrap();
        let home = ClaudeHome::default();
        let agent = setup(directory.path());
        let is = |agent: &AgentSetup<'_>| is_read_only(agent, &home);
        assert!(is(&agent));
        assert!(!is(&AgentSetup { permission_mode: Some("plan"), ..agent }));
        assert!(!is(&AgentSetup { allowed_tools: &["Bash".to_owned()], ..agent }));
        std::fs::create_dir(directory.path().join(".claude")).unwrap();
        let rules = r#"{"permissions": {"allow": ["Bash(ls *)"]}}"#;
        std::fs::write(directory.path().join(".claude/settings.json"), rules).unwrap();
        assert!(is(&agent), "without trust the rule does not hold");
        std::fs::write(directory.path().join(".claude/settings.local.json"), rules).unwrap();
        assert!(!is(&agent));
    }

    #[test]
    fn everything_may_be_allowed_to_root_only_in_a_sandbox() {
        let directory = tempfile::tempdir().unwrap();
        let judged = |may_bypass| {
            let surroundings = Surroundings { home: directory.path(), path: None, environment: &|_| None };
            let examination = ClaudeExamination { may_bypass, ..ClaudeExamination::new(surroundings) };
            let agent = AgentSetup { permission_mode: Some(BYPASS), ..setup(directory.path()) };
            examination.agent(&agent).iter().any(|check| check.id == "agent-permission-mode")
        };
        assert!(judged(false) && !judged(true));
        assert!(may_bypass(&|name| (name == "IS_SANDBOX").then(|| "1".into())));
    }
}
