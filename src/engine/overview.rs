//! The jobs there are, kept up to date for a watcher.

use std::os::fd::BorrowedFd;

use super::new_jobs::Changes;
use super::{Activity, FollowError, Follower, list};
use crate::store::{Record, Status, Store};
use crate::supervisor::load_and_recover;

/// A job, and what its agent does.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The job.
    pub record: Record,
    /// What its agent did since it runs.
    pub activity: Activity,
    follower: Option<Follower<'a>>,
}

/// The jobs that are not over, and then the newest of the others.
///
/// A look costs next to nothing while no record changes, however many there are.
#[derive(Debug)]
pub struct Overview<'a> {
    store: &'a Store,
    status: Option<Status>,
    agent: Option<&'a str>,
    room: usize,
    jobs: Vec<Watched<'a>>,
    changes: Changes,
}

impl<'a> Overview<'a> {
    /// Watches the jobs with this status and of this agent, if these are given.
    pub fn new(store: &'a Store, status: Option<Status>, agent: Option<&'a str>) -> Self {
        Self { store, status, agent, room: 0, jobs: Vec::new(), changes: Changes::default() }
    }

    /// The jobs as of the last look, newest first, those that are not over before the others.
    pub fn jobs(&self) -> &[Watched<'a>] {
        &self.jobs
    }

    /// Descriptors of which one becomes readable when one of the jobs is over.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.jobs.iter().filter_map(|job| job.follower.as_ref()).map(Follower::descriptor)
    }

    /// Looks at no more than `room` jobs, and says whether anything is new.
    pub fn look(&mut self, room: usize) -> Result<bool, FollowError> {
        let changed = self.changes.look(self.store);
        let over = self.jobs.iter().any(|job| job.follower.as_ref().is_some_and(Follower::is_over));
        let mut is_new = false;
        if changed || over || room != self.room {
            self.room = room;
            self.read()?;
            is_new = true;
        }
        for Watched { activity, follower, .. } in &mut self.jobs {
            let Some(follower) = follower else { continue };
            follower.catch_up(&mut |event| {
                activity.observe(&event);
                is_new = true;
            })?;
        }
        Ok(is_new)
    }

    fn read(&mut self) -> Result<(), FollowError> {
        let wanted = |agent: &str| self.agent.is_none_or(|wanted| wanted == agent);
        let mut records = list(self.store, self.status, wanted, self.room)?.records;
        if self.status.is_none() {
            // Those that have run for so long that others are newer.
            for id in self.store.unretired()?.into_iter().rev() {
                if !records.iter().any(|record| record.id == id) {
                    match load_and_recover(self.store, id) {
                        Ok(record) if wanted(&record.agent) => records.push(record),
                        // What cannot be read is told by `jobs` without --watch.
                        Ok(_) | Err(_) => {}
                    }
                }
            }
        }
        records.sort_by_key(|record| record.finished().is_some());
        records.truncate(self.room);
        let mut before = std::mem::take(&mut self.jobs);
        for record in records {
            let known = before.iter().position(|job| job.record.id == record.id);
            let job = match known.map(|at| before.swap_remove(at)) {
                Some(known) => Watched { record, ..known },
                None => Watched { record, activity: Activity::default(), follower: None },
            };
            let follower = match job.follower {
                _ if job.record.finished().is_some() || job.record.is_foreign() => None,
                None => Some(Follower::new(self.store, &job.record)?),
                follower => follower,
            };
            self.jobs.push(Watched { follower, ..job });
        }
        Ok(())
    }
}
