//! Every agent: its directory, its program, and what it may do there.

use std::ffi::OsStr;

use super::config_file::update;
use super::examinations::{Examinations, agent_finding};
use super::finding::{Finding, Fix, Section, shell_path};
use crate::backend::{AgentSetup, Executable};
use crate::config::{Agent, AgentName, Config, Effective, Exposure};
use crate::engine::{DirectoryFault, find_program};
use crate::os::ProgramError;

const SECTION: Section = Section::Agents;

/// What every agent is judged by.
pub(super) struct CallerContext<'a> {
    pub(super) examinations: &'a Examinations<'a>,
    /// A value as of `PATH`.
    pub(super) path: Option<&'a OsStr>,
}

/// Looks at every agent of the config, if that could be read.
pub(super) fn findings(config: Option<&Config>, caller_context: &CallerContext<'_>) -> Vec<Finding> {
    let Some(config) = config else {
        return vec![SECTION.note("agents", "not looked at: the config cannot be read")];
    };
    if config.agents.is_empty() {
        return vec![
            SECTION.note("agents", "there are no agents").fix(Fix::own(["agents", "add", "NAME", "DIR"])),
        ];
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
            Some(barrier) => format!("chmod u+x {}", shell_path(barrier)).into(),
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
    let profile = agent.backend.profile();
    match caller_context.examinations.of(agent.backend) {
        Some(examination) => {
            let setup = AgentSetup {
                directory: &agent.directory,
                permission_mode: effective.permission_mode,
                allowed_tools: effective.allowed_tools,
            };
            let checks = examination.agent(&setup);
            findings.extend(checks.iter().map(|check| agent_finding(name, check)));
        }
        None => findings.push(program(name, agent, caller_context.path)),
    }
    if profile.takes.tool_lists {
        findings.extend(tools(name, effective));
    }
    if profile.takes.spend_cap && effective.max_budget_usd.is_none() {
        let found = "nothing limits what a run may cost";
        findings.push(SECTION.note("agent-budget", found).fix(update(name, "--max-budget-usd", "2")));
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
            None => Fix::own(["agents", "update", name, "--trusted"]),
            Some(_) => exposure.remedies(shell_path).join(" && ").into(),
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

fn program(name: &str, agent: &Agent, path: Option<&OsStr>) -> Finding {
    match find_program(agent, path) {
        Ok(program) => SECTION.ok("agent-program", format!("its program is {}", program.display())),
        Err((program, why)) => {
            let found = SECTION.error("agent-program", format!("its program '{program}' {why}"));
            match why {
                ProgramError::NotExecutable(file) => found.fix(format!("chmod +x {}", shell_path(&file))),
                _ => match agent.backend.profile().executable {
                    Executable::Named { installation, .. } => found.fix(installation.command),
                    Executable::Configured => found.fix(update(name, "--command", "PROGRAM")),
                },
            }
        }
    }
}

/// Tools that are both allowed and refused.
fn tools(name: &str, effective: &Effective<'_>) -> Option<Finding> {
    let (both, rest): (Vec<&str>, Vec<&str>) = effective
        .allowed_tools
        .iter()
        .map(String::as_str)
        .partition(|tool| effective.disallowed_tools.iter().any(|refused| refused == tool));
    let found = format!("tools are both allowed and refused, which refuses them: {}", both.join(", "));
    let fix = update(name, "--allowed-tools", &rest.join(","));
    (!both.is_empty()).then(|| SECTION.warning("agent-tools", found).fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn a_tool_that_is_both_allowed_and_refused_is_told() {
        let list = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        let agent = Agent {
            allowed_tools: list(&["Read", "Bash"]),
            disallowed_tools: list(&["Bash"]),
            ..Agent::default()
        };
        let settings = Settings::default();
        let finding = tools("a", &agent.effective(&settings)).expect("a finding");
        assert_eq!(finding.id, "agent-tools");
        assert_eq!(finding.fix, Some(update("a", "--allowed-tools", "Read")));
        assert_eq!(tools("a", &Agent { disallowed_tools: None, ..agent }.effective(&settings)), None);
    }
}
