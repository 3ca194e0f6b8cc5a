//! Whose turn it is: a queue and a number of slots for all jobs of this directory, without a daemon.
//!
//! A waiting job has a file in `.run/queue/`, named by its id and locked by its supervisor. Ids sort by creation,
//! so the order of names is the order of arrival. A job that waits blocks on the lock of the one before it: it
//! sleeps in the kernel, and is woken when that one leaves the queue or dies. The first in the queue
//! looks for a slot: a file in `.run/slots/` that no process has locked. Locks vanish with their holders, so no
//! crash loses a slot or stops the queue.

use std::fs::{File, TryLockError};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::{Record, Status, Store, StoreError, Waiter};
use crate::model::{JobId, UnixSeconds};
use crate::os::{FileError, LockError, OwnedDir, lock_within};

const QUEUE: &str = "queue";
const SLOTS: &str = "slots";
const GATE: &str = "gate";
const ADMISSION: &str = "admission";

/// How long a submitter waits for the one before it. One that is stopped just then must not keep all others out: they
/// go on without the certainty that the limit holds to the job.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(5);

/// The lock that one submitter at a time has. Dropping it lets the next one in.
#[derive(Debug)]
pub struct SubmitLock {
    _lock: File,
}

/// A job's ticket in the queue. Dropping it leaves the queue.
#[derive(Debug)]
pub struct QueueTicket {
    queue: OwnedDir,
    id: JobId,
    _lock: File,
}

/// The right to run an agent. Dropping it frees the slot.
#[derive(Debug)]
pub struct Slot {
    _lock: File,
}

impl Store {
    /// Takes a ticket at the end of the queue.
    pub fn enqueue(&self, id: JobId) -> Result<QueueTicket, StoreError> {
        let queue = self.run.open_or_create_child(QUEUE)?;
        // Created and locked under a temporary name, then renamed: an entry is never visible unlocked.
        let newcomer = OwnedDir::temporary_name(&id.to_string());
        let lock = queue.create_file(&newcomer)?;
        lock.lock().map_err(|source| lock_failed(&queue, &newcomer, source))?;
        queue.rename(&newcomer, &id.to_string())?;
        Ok(QueueTicket { queue, id, _lock: lock })
    }

    /// The jobs that wait for a slot, the next one first.
    pub fn queued(&self) -> Result<Vec<JobId>, StoreError> {
        match self.run.open_child(QUEUE) {
            Ok(queue) => waiting_in(&queue),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where a job stands in the queue, from 1, and how long that is; `None` when it does not wait there.
    pub fn place_in_queue(&self, record: &Record) -> Result<Option<(usize, usize)>, StoreError> {
        if record.status() != Status::Pending {
            return Ok(None);
        }
        let queued = self.queued()?;
        Ok(queued.iter().position(|id| *id == record.id).map(|position| (position + 1, queued.len())))
    }

    /// Waits until no other process submits a job.
    pub fn submit_lock(&self) -> Result<SubmitLock, StoreError> {
        let lock = self.run.open_or_mend_file(ADMISSION)?;
        match lock_within(&lock, ADMISSION_PATIENCE) {
            Ok(()) | Err(LockError::Busy(_)) => Ok(SubmitLock { _lock: lock }),
            Err(LockError::Io(source)) => Err(lock_failed(&self.run, ADMISSION, source)),
        }
    }

    /// How many slots are taken.
    pub fn slots_taken(&self) -> Result<usize, StoreError> {
        let slots = match self.run.open_child(SLOTS) {
            Ok(slots) => slots,
            Err(error) if error.is_not_found() => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let is_taken = |name: &str| {
            let opened = slots.open_file(name);
            opened.is_ok_and(|slot| matches!(slot.try_lock_shared(), Err(TryLockError::WouldBlock)))
        };
        let names = slots.names()?;
        Ok(names
            .iter()
            .filter_map(|name| name.to_str())
            .filter(|name| *name != GATE && is_taken(name))
            .count())
    }

    /// Takes a slot if fewer than `limit` are taken. For the first in the queue, or for anybody when it is empty.
    pub fn try_take_slot(&self, limit: u32) -> Result<Option<Slot>, StoreError> {
        let slots = self.run.open_or_create_child(SLOTS)?;
        // Two jobs created at the same moment may both be first: only one at a time counts and takes.
        let gate = slots.open_or_mend_file(GATE)?;
        gate.lock().map_err(|source| lock_failed(&slots, GATE, source))?;
        let mut free = None;
        let mut taken = 0;
        // Slots beyond a limit that was lowered count until they are free.
        for number in slot_numbers(&slots, limit)? {
            let name = number.to_string();
            let slot = slots.open_or_mend_file(&name)?;
            match slot.try_lock() {
                Ok(()) if free.is_none() => free = Some(slot),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => taken += 1,
                Err(TryLockError::Error(source)) => return Err(lock_failed(&slots, &name, source)),
            }
        }
        Ok(free.filter(|_| taken < limit).map(|lock| Slot { _lock: lock }))
    }

    /// Names in the queue that no process holds. Those of newcomers only if they were written at a time that is `old`:
    /// they are created before they are locked.
    pub(super) fn stale_tickets(&self, old: impl Fn(UnixSeconds) -> bool) -> Result<Vec<String>, StoreError> {
        let queue = match self.run.open_child(QUEUE) {
            Ok(queue) => queue,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut names: Vec<String> =
            queue.names()?.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| {
            let is_old = || queue.modified_at(name).is_ok_and(|at| at.is_some_and(&old));
            let is_free = || match queue.open_file(name) {
                Ok(lock) => lock.try_lock_shared().is_ok(),
                // What is no file has no holder.
                Err(error) => matches!(error, FileError::Refused { .. }),
            };
            (!OwnedDir::is_temporary(name) || is_old()) && is_free()
        });
        Ok(names)
    }

    /// Removes names of [`Self::stale_tickets`] from the queue. An id enters the queue once: what was dead stays dead.
    pub(super) fn remove_tickets(&self, names: &[String]) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let queue = self.run.open_child(QUEUE)?;
        for name in names {
            queue.remove_misplaced(name)?;
            queue.remove_file(name)?;
        }
        Ok(())
    }

    /// Takes a dead job out of the queue, if it died there. Only for who holds the job.
    pub fn leave_queue(&self, id: JobId) -> Result<(), StoreError> {
        self.remove_tickets(&[id.to_string()])
    }
}

/// The numbers of all slots there are or may be.
fn slot_numbers(slots: &OwnedDir, limit: u32) -> Result<impl Iterator<Item = u32> + use<>, StoreError> {
    let names = slots.names()?;
    let highest = names.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok()).max();
    Ok(0..limit.max(highest.map_or(0, |highest| highest + 1)))
}

fn waiting_in(queue: &OwnedDir) -> Result<Vec<JobId>, StoreError> {
    let names = queue.names()?;
    let mut ids: Vec<JobId> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

impl QueueTicket {
    /// What to wait for before it can be this job's turn: the job before it. `None` for the first in the queue.
    pub fn predecessor(&self) -> Result<Option<Waiter>, StoreError> {
        let mut bound = self.id;
        while let Some(id) = self.nearest_before(bound)? {
            bound = id;
            let name = id.to_string();
            let lock = match self.queue.open_file(&name) {
                Ok(lock) => lock,
                Err(error) if error.is_not_found() => continue,
                // What is no file is no job: it holds no other one up, even where it cannot be removed.
                Err(FileError::Refused { .. }) => {
                    let _ = self.queue.remove_misplaced(&name);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match lock.try_lock_shared() {
                // It died in the queue.
                Ok(()) => self.queue.remove_file(&name)?,
                Err(TryLockError::WouldBlock) => return Ok(Some(Waiter::new(lock))),
                Err(TryLockError::Error(source)) => return Err(lock_failed(&self.queue, &name, source)),
            }
        }
        Ok(None)
    }

    /// The last entry of the queue before `id`. Without a list: a thousand jobs that wait must cost little memory each.
    fn nearest_before(&self, id: JobId) -> Result<Option<JobId>, StoreError> {
        let mut nearest: Option<JobId> = None;
        self.queue.for_each_name(|name| {
            let found = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
            nearest = nearest.max(found.filter(|found: &JobId| *found < id));
        })?;
        Ok(nearest)
    }
}

impl Drop for QueueTicket {
    fn drop(&mut self) {
        // The lock is freed after this, so the process that waits for it finds the entry gone. If it cannot be removed,
        // the next one removes it.
        let _ = self.queue.remove_file(&self.id.to_string());
    }
}

impl Slot {
    /// The locked descriptor.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self._lock.as_fd()
    }
}

fn lock_failed(directory: &OwnedDir, name: &str, source: std::io::Error) -> StoreError {
    FileError::Io { action: "lock", path: directory.path().join(name), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        (dir, store)
    }

    #[test]
    fn jobs_wait_in_the_order_of_their_creation() {
        let (_dir, store) = store();
        let ids: Vec<JobId> = (0..3).map(|_| JobId::generate()).collect();
        let places: Vec<QueueTicket> = ids.iter().map(|id| store.enqueue(*id).unwrap()).collect();
        assert_eq!(store.queued().unwrap(), ids);
        let [first, second, third] = <[QueueTicket; 3]>::try_from(places).unwrap();
        assert!(first.predecessor().unwrap().is_none());
        assert!(third.predecessor().unwrap().is_some());
        drop(second);
        drop(first);
        assert!(third.predecessor().unwrap().is_none());
        assert_eq!(store.queued().unwrap(), ids[2..]);
    }

    #[test]
    fn a_job_that_dies_in_the_queue_holds_no_other_up() {
        let (_dir, store) = store();
        let dead = JobId::generate();
        let place = store.enqueue(JobId::generate()).unwrap();
        std::fs::write(store.path().join(".run/queue").join(dead.to_string()), "").unwrap();
        let last = store.enqueue(JobId::generate()).unwrap();
        drop(place);
        assert!(last.predecessor().unwrap().is_none());
        assert_eq!(store.queued().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_file_holds_no_job_up_and_is_removed() {
        let (_dir, store) = store();
        let run = store.path().join(".run");
        store.try_take_slot(1).unwrap();
        drop(store.enqueue(JobId::generate()).unwrap());
        let in_the_way = |place: &str, kind: usize| {
            let path = run.join(place);
            let _ = std::fs::remove_file(&path);
            match kind {
                0 => std::os::unix::fs::symlink("/dev/null", &path).unwrap(),
                1 => std::fs::create_dir(&path).unwrap(),
                _ => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
            }
            path
        };
        for kind in 0..3 {
            let queued = format!("queue/{}", JobId::generate());
            let odd = in_the_way(&queued, kind);
            assert_eq!(store.leftovers(|_| true).unwrap().queued.len(), 1, "gc and doctor know of it");
            let place = store.enqueue(JobId::generate()).unwrap();
            assert!(place.predecessor().unwrap().is_none());
            assert!(odd.symlink_metadata().is_err(), "{kind}");
            in_the_way(&queued, kind);
            store.remove_leftovers(&store.leftovers(|_| true).unwrap()).unwrap();
            assert!(odd.symlink_metadata().is_err(), "{kind}");
            for place in ["slots/gate", "slots/0"] {
                in_the_way(place, kind);
                assert!(store.try_take_slot(1).unwrap().is_some(), "{place} {kind}");
            }
            in_the_way("admission", kind);
            store.submit_lock().unwrap();
        }
        // A directory that holds something is kept, and is in no job's way either.
        let full = in_the_way(&format!("queue/{}", JobId::generate()), 1);
        std::fs::write(full.join("kept"), "").unwrap();
        assert!(store.enqueue(JobId::generate()).unwrap().predecessor().unwrap().is_none());
        assert!(full.join("kept").exists());
    }

    #[test]
    fn no_more_slots_are_taken_than_the_limit_allows() {
        let (_dir, store) = store();
        let slots: Vec<Slot> = (0..3).map(|_| store.try_take_slot(3).unwrap().unwrap()).collect();
        assert!(store.try_take_slot(3).unwrap().is_none());
        let more = store.try_take_slot(4).unwrap().expect("the limit was raised");
        // Lowered to two while four run: three must end first.
        drop(more);
        let mut slots = slots.into_iter();
        drop(slots.next());
        assert!(store.try_take_slot(2).unwrap().is_none());
        drop(slots.next());
        assert!(store.try_take_slot(2).unwrap().is_some());
    }
}
