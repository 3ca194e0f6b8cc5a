//! Which jobs are old enough to be deleted: a pure function, so that a dry run is the same thing.

use std::time::Duration;

use crate::model::{JobId, UnixSeconds};

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
    /// How many stay because they have not finished.
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
mod tests {
    use super::*;

    #[test]
    fn only_what_ended_long_enough_ago_is_deleted() {
        let job = |completed_at| Candidate { id: JobId::generate(), completed_at };
        let jobs = [job(None), job(Some(100.0)), job(Some(199.0)), job(Some(300.0))];
        let plan_for = |policy| plan(jobs, policy, 200.0);
        let old = plan_for(Policy::OlderThan(Duration::from_secs(50)));
        assert_eq!(old, Plan { delete: vec![jobs[1].id], unfinished: 1, recent: 2 });
        let all = plan_for(Policy::All);
        assert_eq!(all, Plan { delete: vec![jobs[1].id, jobs[2].id, jobs[3].id], unfinished: 1, recent: 0 });
    }
}
