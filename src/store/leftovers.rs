//! What crashes leave behind, and getting rid of it.

use std::collections::HashSet;

use super::{JobFolder, Liveness, Store, StoreError, paths};
use crate::model::{JobId, UnixSeconds};
use crate::os::{FileError, OwnedDir};

/// Files without a living owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Names of unfinished files.
    pub temporary: Vec<String>,
    /// Records that were moved aside.
    pub damaged: Vec<JobId>,
    /// Folders without a record.
    pub folders: Vec<JobId>,
    /// Locks with neither.
    pub locks: Vec<JobId>,
    /// Names in the queue of jobs that died in it.
    pub queued: Vec<String>,
    /// Names of leases that dead jobs had.
    pub leases: Vec<String>,
}

impl Leftovers {
    /// How many there are.
    pub fn len(&self) -> usize {
        let named = self.temporary.len() + self.queued.len() + self.leases.len();
        named + self.damaged.len() + self.folders.len() + self.locks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store {
    /// Whether old jobs were last deleted by themselves before `time`, in seconds since the epoch. If so, that is noted
    /// as being done now, so that no other process does it as well.
    pub fn begin_collection(&self, time: UnixSeconds) -> Result<bool, StoreError> {
        if self.run.modified_at(paths::COLLECTED)?.is_some_and(|last| last >= time) {
            return Ok(false);
        }
        self.run.replace_soon(paths::COLLECTED, b"")?;
        Ok(true)
    }

    /// Makes the next [`Self::begin_collection`] begin one.
    pub fn leave_collection_unfinished(&self) -> Result<(), StoreError> {
        Ok(self.run.remove_file(paths::COLLECTED)?)
    }

    /// Files without a living owner that were last written at a time that is `old` (seconds since the epoch).
    pub fn leftovers(&self, old: impl Fn(UnixSeconds) -> bool) -> Result<Leftovers, StoreError> {
        let mut leftovers = Leftovers::default();
        let mut folders = HashSet::new();
        let mut recorded = HashSet::new();
        self.jobs.for_each_name(|name| {
            let Ok(name) = std::str::from_utf8(name) else { return };
            if let Some(id) = paths::id_of_record(name) {
                recorded.insert(id);
            } else if OwnedDir::is_temporary(name) {
                leftovers.temporary.push(name.to_owned());
            } else if let Some(id) = paths::id_of_damaged(name) {
                leftovers.damaged.push(id);
            } else if let Ok(id) = name.parse::<JobId>() {
                folders.insert(id);
            }
        })?;
        let is_old_in = |directory: &OwnedDir, name: &str| {
            directory.modified_at(name).is_ok_and(|at| at.is_some_and(&old))
        };
        let is_old = |name: &str| is_old_in(&self.jobs, name);
        let is_dead = |id: JobId| self.liveness(id).is_ok_and(|liveness| liveness == Liveness::Abandoned);
        leftovers.temporary.retain(|name| is_old(name));
        leftovers.damaged.retain(|id| is_old(&paths::damaged(*id)));
        // A job that is being created has a lock before it has a folder, and both before it has a record.
        leftovers.locks = self.active_ids()?;
        leftovers.locks.retain(|id| {
            let alone = !recorded.contains(id) && !folders.contains(id);
            alone && is_old_in(&self.run, &paths::lock(*id)) && is_dead(*id)
        });
        leftovers.folders = folders.into_iter().filter(|id| !recorded.contains(id)).collect();
        leftovers.folders.retain(|id| is_old(&id.to_string()) && is_dead(*id));
        leftovers.queued = self.stale_tickets(&old)?;
        leftovers.leases = self.stale_leases()?;
        Ok(leftovers)
    }

    /// The records that were moved aside because they cannot be read.
    pub fn damaged(&self) -> Result<Vec<JobId>, StoreError> {
        let mut damaged = Vec::new();
        self.jobs.for_each_name(|name| {
            damaged.extend(std::str::from_utf8(name).ok().and_then(paths::id_of_damaged));
        })?;
        Ok(damaged)
    }

    /// Removes files without an owner.
    pub fn remove_leftovers(&self, leftovers: &Leftovers) -> Result<(), StoreError> {
        for name in &leftovers.temporary {
            self.jobs.remove_file(name)?;
        }
        for id in &leftovers.damaged {
            let name = paths::damaged(*id);
            self.jobs.remove_file(&name).or_else(|_| self.jobs.remove_child(&name, &[]))?;
        }
        for id in &leftovers.folders {
            self.delete(*id)?;
            self.run.remove_file(&paths::lock(*id))?;
        }
        for id in &leftovers.locks {
            self.run.remove_file(&paths::lock(*id))?;
        }
        self.remove_tickets(&leftovers.queued)?;
        self.remove_leases(&leftovers.leases)
    }
}

impl JobFolder {
    /// Removes the unfinished files of a process that was killed while writing here. Only for the holder of the job.
    pub fn remove_temporary(&self) -> Result<(), FileError> {
        let names = self.0.names()?;
        let unfinished =
            names.iter().filter_map(|name| name.to_str()).filter(|name| OwnedDir::is_temporary(name));
        unfinished.into_iter().try_for_each(|name| self.0.remove_file(name))
    }
}
