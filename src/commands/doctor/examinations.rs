//! What the backends say about their programs and agents.

use super::config_file::update;
use super::finding::{Finding, Section};
use crate::backend::{BackendRef, Backends, Check, Cure, Examination, Surroundings};
use crate::config::Config;

/// The looks at the programs of all backends that have something to say.
pub(super) struct Examinations<'a>(Vec<(BackendRef, Box<dyn Examination + 'a>)>);

impl<'a> Examinations<'a> {
    /// Reads the files of each.
    pub(super) fn new(surroundings: Surroundings<'a>) -> Self {
        let examined = |backend: BackendRef| Some((backend, backend.examine(surroundings)?));
        Self(Backends::of_this_program().all().filter_map(examined).collect())
    }

    /// That of a backend.
    pub(super) fn of(&self, backend: BackendRef) -> Option<&(dyn Examination + 'a)> {
        self.0.iter().find(|(examined, _)| *examined == backend).map(|(_, examination)| &**examination)
    }

    /// Looks at the programs, for the agents of a config, if that could be read. May take seconds.
    pub(super) fn findings(&self, config: Option<&Config>) -> Vec<Finding> {
        let of = |(backend, examination): &(BackendRef, Box<dyn Examination + 'a>)| {
            let checks = examination.program(is_needed(*backend, config)).into_iter();
            checks.map(|check| finding(Section::AgentCli, &check)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Whether one of the programs itself may need this variable.
    pub(super) fn need_variable(&self, name: &str) -> bool {
        self.0.iter().any(|(_, examination)| examination.needs_variable(name))
    }
}

/// Whether any agent has this backend; without agents the first one is likely to have the default.
fn is_needed(backend: BackendRef, config: Option<&Config>) -> bool {
    match config {
        Some(config) if !config.agents.is_empty() => {
            config.agents.values().any(|agent| agent.backend == backend)
        }
        _ => backend == BackendRef::default(),
    }
}

/// What a backend says about its program.
fn finding(section: Section, check: &Check) -> Finding {
    let finding = Finding::new(section, check.id, check.level, &check.found);
    match &check.cure {
        Some(Cure::Command(command)) => finding.fix(command.clone()),
        // Only an agent has options.
        Some(Cure::Option { .. }) | None => finding,
    }
}

/// What a backend says about the agent of this name.
pub(super) fn agent_finding(agent: &str, check: &Check) -> Finding {
    let finding = finding(Section::Agents, check);
    match &check.cure {
        Some(Cure::Option { option, value }) => finding.fix(update(agent, option, value)),
        Some(Cure::Command(_)) | None => finding,
    }
}
