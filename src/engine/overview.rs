//! The jobs there are, kept up to date for a watcher.

use std::task::Waker;

use super::follow::Follower;
use super::jobs::{Filter, Jobs, JobsError};
use super::list::Listed;
use super::new_jobs::Changes;
use crate::backend::Activity;
use crate::store::Record;

/// A job, and what its agent does.
#[derive(Debug)]
pub struct Watched {
    /// The job.
    pub record: Record,
    /// What its agent did since it runs.
    pub activity: Activity,
    follower: Option<Follower>,
}

/// The jobs that are not finished, and then the newest of the others.
///
/// A look costs next to nothing while no record changes, however many there are.
#[derive(Debug)]
pub struct Overview<'a> {
    jobs: &'a dyn Jobs,
    /// Which jobs; how many is said at each look.
    filter: Filter<'a>,
    watched: Vec<Watched>,
    changes: Changes,
    waker: Waker,
}

impl<'a> Overview<'a> {
    /// Watches the jobs that are asked for. `waker` is woken when one of them is finished.
    pub fn new(jobs: &'a dyn Jobs, filter: Filter<'a>, waker: Waker) -> Self {
        let filter = Filter { limit: 0, ..filter };
        Self { jobs, filter, watched: Vec::new(), changes: Changes::default(), waker }
    }

    /// The jobs as of the last look, newest first, those that are not finished before the others.
    pub fn jobs(&self) -> &[Watched] {
        &self.watched
    }

    /// Looks at no more than `room` jobs, and says whether anything is new.
    pub fn look(&mut self, room: usize) -> Result<bool, JobsError> {
        let changed = self.changes.look(self.jobs);
        let finished =
            self.watched.iter().any(|job| job.follower.as_ref().is_some_and(Follower::is_finished));
        let mut is_new = false;
        if changed || finished || room != self.filter.limit {
            self.filter.limit = room;
            self.read()?;
            is_new = true;
        }
        for Watched { activity, follower, .. } in &mut self.watched {
            let Some(follower) = follower else { continue };
            follower.catch_up(self.jobs, &mut |event| {
                activity.observe(&event);
                is_new = true;
            })?;
        }
        Ok(is_new)
    }

    fn read(&mut self) -> Result<(), JobsError> {
        let mut records = Listed::new(self.jobs, &self.filter)?.gather().records;
        if self.filter.status.is_none() {
            // Those that have run for so long that others are newer.
            for id in self.jobs.unfinished()?.into_iter().rev() {
                if !records.iter().any(|record| record.id == id) {
                    match self.jobs.get(id) {
                        Ok(record) if self.filter.wants(&record.agent) => records.push(record),
                        // What cannot be read is told by `jobs` without --watch.
                        Ok(_) | Err(_) => {}
                    }
                }
            }
        }
        records.sort_by_key(|record| record.finished().is_some());
        records.truncate(self.filter.limit);
        let mut before = std::mem::take(&mut self.watched);
        for record in records {
            let known = before.iter().position(|job| job.record.id == record.id);
            let job = match known.map(|at| before.swap_remove(at)) {
                Some(known) => Watched { record, ..known },
                None => Watched { record, activity: Activity::default(), follower: None },
            };
            let follower = match job.follower {
                _ if job.record.finished().is_some() || job.record.is_foreign() => None,
                None => Some(Follower::new(self.jobs, &job.record, &self.waker)?),
                follower => follower,
            };
            self.watched.push(Watched { follower, ..job });
        }
        Ok(())
    }
}
