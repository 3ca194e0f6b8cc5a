//! Admission rules: what a job needs to itself before its agent starts.

use serde::{Deserialize, Serialize};

use crate::config::Agent;
use crate::store::{Record, Resource};

/// More jobs of one agent at once than any machine runs: a larger number is no limit.
const MOST_TURNS: u32 = 10_000;

/// What a job needs to itself, and whether it waits for that. The default needs nothing but its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdmissionRules {
    /// Whether the agent takes one task at a time.
    pub exclusive: bool,
    /// How many jobs of the agent run at once at most.
    pub max_concurrency: Option<u32>,
    /// Whether to fail rather than to wait when something the job needs is in use.
    pub fail_if_busy: bool,
}

impl AdmissionRules {
    /// The rules for a job of this agent.
    pub fn of(agent: &Agent, fail_if_busy: bool) -> Self {
        Self { exclusive: agent.exclusive, max_concurrency: agent.max_concurrency, fail_if_busy }
    }

    /// What the job has to acquire, in the order in which all jobs do: of each, one of several will do. A session that the
    /// job begins is its own without a lease: a job that wants to go on with it looks for a living job that has it.
    pub(super) fn needs<'a>(&self, record: &'a Record) -> Vec<Vec<Resource<'a>>> {
        let launch = &record.launch;
        let session = launch.session_id.as_deref().filter(|_| launch.resumed).map(Resource::Session);
        let directory = launch.directory.as_deref().filter(|_| self.exclusive).map(Resource::Directory);
        let turn = |number| Resource::TurnOf { agent: &record.agent, number };
        let turns = self.max_concurrency.map(|count| (0..count.min(MOST_TURNS)).map(turn).collect());
        let one_each = session.into_iter().chain(directory).map(|one| vec![one]);
        one_each.chain(turns).collect()
    }
}
