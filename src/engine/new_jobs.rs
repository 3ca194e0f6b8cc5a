//! Jobs that begin while a caller watches.

use std::collections::{BTreeSet, HashSet};

use super::jobs::{Jobs, JobsError, Revision};
use crate::model::JobId;

/// Tells whether there is anything new among the jobs, which costs the same however many there are.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// As of the last look.
    seen: Option<Revision>,
}

impl Changes {
    /// Whether the jobs may have changed since this was last asked. A caller reads them after asking.
    pub(super) fn look(&mut self, jobs: &dyn Jobs) -> bool {
        let now = jobs.revision();
        let seen = self.seen.replace(now);
        seen.is_none_or(|seen| now.may_differ(&seen))
    }
}

/// The jobs that run, and those that begin from now on: also what is finished before it is looked for.
#[derive(Debug)]
pub struct NewJobs<'a> {
    jobs: &'a dyn Jobs,
    changes: Changes,
    /// The jobs that were there before the last look. Not only the newest of them: where the clock is set back, what
    /// begins sorts before it.
    known: HashSet<JobId>,
}

impl<'a> NewJobs<'a> {
    /// Jobs that have already finished are excluded.
    pub fn new(jobs: &'a dyn Jobs) -> Result<Self, JobsError> {
        let mut changes = Changes::default();
        changes.look(jobs);
        Ok(Self { jobs, changes, known: jobs.ids()?.into_iter().collect() })
    }

    /// The jobs that run, and all that have begun since the last look, in the order of their ids.
    pub fn look(&mut self) -> Result<BTreeSet<JobId>, JobsError> {
        let mut ids: BTreeSet<JobId> = self.jobs.unfinished()?.into_iter().collect();
        if self.changes.look(self.jobs) {
            // Other versions are of jobs of the Python original, which cannot be followed.
            let ours = self.jobs.ids()?.into_iter().filter(|id| id.created_at_ms().is_some());
            ids.extend(ours.filter(|id| self.known.insert(*id)));
        }
        Ok(ids)
    }
}
