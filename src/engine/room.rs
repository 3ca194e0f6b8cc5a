//! Room for more jobs: how many may wait for their turn, and how many a chain of dispatches may make.

use super::{DispatchError, Engine};
use crate::store::{Liveness, Status, SubmitLock};

impl Engine {
    /// Refuses so many more jobs when not all of them could wait for their turn, or their chain may not make them.
    pub(super) fn check_room_for(&self, jobs: usize) -> Result<(), DispatchError> {
        let limit = self.config.settings.max_queued;
        if self.store().queued()?.len() + jobs > limit as usize {
            return Err(DispatchError::QueueFull { limit });
        }
        if let Some(root) = self.root() {
            let limit = self.config.settings.max_tree_jobs;
            if self.store().jobs_in_tree(root)? + jobs as u64 > u64::from(limit) {
                return Err(DispatchError::TreeTooLarge { root, limit });
            }
        }
        Ok(())
    }

    /// Lets one more job in. Until the submit_lock is dropped, which is to be when the job has been created, no other
    /// submitter is let in: each sees the jobs of those before it, also those whose supervisors have yet to queue.
    pub(super) fn admit(&self) -> Result<SubmitLock, DispatchError> {
        let submit_lock = self.store().submit_lock()?;
        self.check_room_for(1)?;
        let limit = self.config.settings.max_queued;
        let known = self.store().active_ids()?;
        // Only where there are as many jobs at all does it matter how many of them wait.
        if known.len() < limit as usize {
            return Ok(submit_lock);
        }
        let (mut pending, mut running) = (0, 0);
        for id in known {
            // A job that waits for others is not in the queue before they have finished.
            let Some(record) = self.store().glance(id).filter(|record| record.launch.after.is_empty()) else {
                continue;
            };
            match record.status() {
                Status::Running => running += 1,
                Status::Pending if self.store().liveness(id)? == Liveness::Alive => pending += 1,
                _ => {}
            }
        }
        let taken = self.store().slots_taken()?;
        let free = (self.config.settings.max_concurrency as usize).saturating_sub(taken);
        // What has its slot already, or will get one at once, does not wait.
        let begins = free + taken.saturating_sub(running);
        if pending + 1 > limit as usize + begins {
            return Err(DispatchError::QueueFull { limit });
        }
        Ok(submit_lock)
    }
}
