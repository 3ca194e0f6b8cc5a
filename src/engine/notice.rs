//! Notices: what a caller should know about a dispatch that is accepted all the same.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{Engine, Request, ShortTimeout};
use crate::backend::{Profile, Sessions};
use crate::config::{Agent, Exposure};

/// A notice about a dispatch, as one sentence.
#[derive(Debug, Clone)]
pub enum Notice {
    /// An option has no effect: the agent's program has no use for it.
    Ignored {
        /// The agent.
        agent: String,
        /// What its program is.
        program: &'static str,
        /// The option.
        option: &'static str,
    },
    /// The time limit is one that most runs would not keep.
    ShortTimeout {
        /// The agent.
        agent: String,
        /// The limit, and what runs take.
        short: ShortTimeout,
    },
    /// Other users can write what the agent goes by.
    Exposed {
        /// The agent.
        agent: String,
        /// What they can write, and why.
        exposure: Exposure,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored { agent, program, option } => {
                write!(f, "'{agent}' is {program}: the {option} means nothing to it")
            }
            Self::ShortTimeout { agent, short } => write!(f, "'{agent}' has little time: {short}"),
            Self::Exposed { agent, exposure } => write!(
                f,
                "'{agent}': {} {exposure}; hooks, settings and instructions of others work there as yours would",
                exposure.path.display()
            ),
        }
    }
}

impl Engine {
    /// The notices about dispatches, each once.
    pub(super) fn notices(&self, requests: &[&Request]) -> Vec<Notice> {
        let mut notices = Vec::new();
        // The journal is read once for each agent.
        let mut usual = HashMap::new();
        for &request in requests {
            let name = &request.agent;
            let Some(agent) = self.config.agents.get(name.as_str()) else { continue };
            let is_new = !usual.contains_key(name);
            let usual = *usual.entry(name).or_insert_with(|| self.journal()?.usual(name));
            let ignored = ignored_by(agent, request).into_iter();
            let program = agent.backend.profile().title;
            notices.extend(ignored.map(|option| Notice::Ignored { agent: name.clone(), program, option }));
            let timeout = request.timeout.unwrap_or(agent.effective(&self.config.settings).timeout);
            let short = usual.and_then(|usual| ShortTimeout::of(timeout, usual));
            notices.extend(short.map(|short| Notice::ShortTimeout { agent: name.clone(), short }));
            if is_new {
                notices.extend(self.exposures(name));
            }
        }
        let mut said = HashSet::new();
        notices.retain(|notice| said.insert(notice.to_string()));
        notices
    }

    /// The notices about an agent, whatever it is asked.
    pub(super) fn exposures(&self, agent: &str) -> Vec<Notice> {
        let exposures = self.config.agents.get(agent).map(Agent::exposures).unwrap_or_default();
        let notice = |exposure| Notice::Exposed { agent: agent.to_owned(), exposure };
        exposures.into_iter().map(notice).collect()
    }
}

/// What of a request the agent's program has no use for.
fn ignored_by(agent: &Agent, request: &Request) -> Vec<&'static str> {
    let Profile { sessions, takes, .. } = agent.backend.profile();
    let asked = [
        (request.session.is_some() && *sessions == Sessions::None, "session"),
        (request.model.is_some() && !takes.model, "model"),
        (request.max_budget_usd.is_some() && !takes.spend_cap, "spend cap"),
    ];
    asked.into_iter().filter_map(|(ignored, what)| ignored.then_some(what)).collect()
}
