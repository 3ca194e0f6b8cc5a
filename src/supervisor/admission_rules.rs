//! Admission rules: what a job needs to itself before its agent starts.

use serde::{Deserialize, Serialize};

use crate::config::Agent;
use crate::store::{Claimable, Record};

/// What a job needs to itself, and whether it waits for that. The default needs nothing but its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdmissionRules {
    /// Whether the agent takes one task at a time.
    pub exclusive: bool,
    /// Whether to fail rather than to wait when something the job needs is in use.
    pub fail_if_busy: bool,
}

impl AdmissionRules {
    /// The rules for a job of this agent.
    pub fn of(agent: &Agent, fail_if_busy: bool) -> Self {
        Self { exclusive: agent.exclusive, fail_if_busy }
    }

    /// What the job has to claim, in the order in which all jobs do: of each, one of several will do. A session that the
    /// job begins is its own without a claim: a job that wants to go on with it looks for a living job that has it.
    pub(super) fn needs<'a>(&self, record: &'a Record) -> Vec<Vec<Claimable<'a>>> {
        let launch = &record.launch;
        let session = launch.session_id.as_deref().filter(|_| launch.resumed).map(Claimable::Session);
        let directory = launch.directory.as_deref().filter(|_| self.exclusive).map(Claimable::Directory);
        session.into_iter().chain(directory).map(|one| vec![one]).collect()
    }
}
