//! Which jobs are old enough to be deleted: a pure function, so that a dry run is the same thing.

use std::time::Duration;

use super::{JobId, UnixSeconds};

/// Which finished jobs to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Those that ended longer ago than this.
    OlderThan(Duration),
    /// All of them.
    All,
}

/// A job that could be deleted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The job.
    pub id: JobId,
    /// When it ended; `None` when it has not.
    pub completed_at: Option<UnixSeconds>,
}

/// What a collection does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The jobs to delete.
    pub delete: Vec<JobId>,
    /// How many stay because they are not over.
    pub unfinished: usize,
    /// How many stay because they are not old enough.
    pub recent: usize,
}

/// Decides what to delete at the time `now`.
pub fn plan(candidates: impl IntoIterator<Item = Candidate>, policy: Policy, now: UnixSeconds) -> Plan {
    let mut plan = Plan::default();
    for Candidate { id, completed_at } in candidates {
        match (completed_at, policy) {
            (None, _) => plan.unfinished += 1,
            (Some(_), Policy::All) => plan.delete.push(id),
            (Some(ended), Policy::OlderThan(age)) if now - ended > age.as_secs_f64() => plan.delete.push(id),
            (Some(_), Policy::OlderThan(_)) => plan.recent += 1,
        }
    }
    plan
}

#[cfg(test)]
mod tests;
