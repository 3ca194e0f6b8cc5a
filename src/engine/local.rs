//! [`LocalJobs`]: the jobs of a directory of this machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;

use super::caller_context::CallerContext;
use super::collect::{Collection, collect, collectable, leftovers};
use super::ending::{End, Ending};
use super::jobs::{
    CancelError, Cancelled, Filter, Jobs, JobsError, Output, Records, Revision, SupervisorProcess,
};
use crate::model::{JobId, JobSelector, UnixSeconds};
use crate::store::{
    Journal, Lease, Leftovers, Liveness, Policy, ReadAt, Record, Resource, Status, Store, StoreError,
    TryAcquire,
};
use crate::supervisor::{self, load_and_recover, suspended_supervisor};

/// Two changes of a directory within this time may bear the same date, in seconds.
const DATE_IS_COARSE_SECONDS: f64 = 1.0;

/// The jobs of a directory of this machine.
#[derive(Debug)]
pub struct LocalJobs {
    store: Store,
    /// The ends that this process waits for. One thread waits for each, however many callers do.
    ends: Arc<Mutex<HashMap<JobId, End>>>,
    /// The job that this process works on, when that was needed.
    parent: OnceLock<Option<JobId>>,
}

impl LocalJobs {
    /// Opens the directory, which is created when it is missing. `find_journal` says where the ends of lost jobs are noted.
    pub fn open(
        path: &Path,
        find_journal: impl FnOnce() -> Option<Journal> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let store = Store::open(path)?.noting_in(find_journal);
        Ok(Self { store, ends: Arc::default(), parent: OnceLock::new() })
    }

    /// The same, which notes the ends of lost jobs elsewhere.
    pub(super) fn noting_in(self, find_journal: impl FnOnce() -> Option<Journal> + Send + 'static) -> Self {
        Self { store: self.store.noting_in(find_journal), ..self }
    }

    /// The files of the jobs, for the engine.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Lends a job that waits for its turn the slot of the job on which this process works and which has dispatched it: a
    /// job that waits needs no slot, and agents that all wait for what they have dispatched would wait for ever. Lasts as
    /// long as the lease.
    fn lend_slot(&self, record: &Record) -> Option<Lease> {
        let dispatcher = record.launch.parent.filter(|_| record.status() == Status::Pending)?;
        let parent = *self.parent.get_or_init(|| CallerContext::of_this_process().parent);
        if parent != Some(dispatcher) {
            return None;
        }
        match self.store.try_acquire(Resource::WaitFor(record.id), record.id) {
            Ok(TryAcquire::Acquired(claim)) => Some(claim),
            // Another process waits as well, or the disk is full: then the job waits for a slot of its own.
            Ok(TryAcquire::Busy { .. }) | Err(_) => None,
        }
    }

    fn end_of(&self, id: JobId) -> Result<End, JobsError> {
        let mut ends = lock(&self.ends);
        if let Some(end) = ends.get(&id) {
            return Ok(end.clone());
        }
        let Some(waiter) = self.store.waiter(id)? else { return Ok(End::reached()) };
        let (end, all) = (End::default(), Arc::clone(&self.ends));
        let reached = end.clone();
        waiter.call(move || {
            lock(&all).remove(&id);
            reached.reach();
        })?;
        ends.insert(id, end.clone());
        Ok(end)
    }

    /// Asks the supervisor to stop the job. The request is durable: it also holds for a supervisor that no signal reaches.
    /// Where nothing can be written, a signal to the supervisor has to do.
    fn request_cancel(&self, id: JobId) -> Result<Cancelled, StoreError> {
        match self.store.folder(id).and_then(|folder| Ok(folder.request_cancel()?)) {
            Ok(()) => {
                supervisor::wake(&self.store, id);
                Ok(Cancelled::Requested)
            }
            Err(error) if supervisor::call_off(&self.store, id) => Ok(Cancelled::OnlyTold(error)),
            Err(error) => Err(error),
        }
    }
}

/// What only the files of this machine can answer: for `doctor`, and for the completion of a shell, which is too quick for
/// anything else. Nothing here has consequences.
impl LocalJobs {
    /// Where they are.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// All jobs, newest first.
    pub fn newest_first(&self) -> Result<Vec<JobId>, StoreError> {
        self.store.ids()
    }

    /// Where the record of a job lies.
    pub fn record_path(&self, id: JobId) -> PathBuf {
        self.store.record_path(id)
    }

    /// Refuses a record in a format that this version does not know, or that it cannot read.
    pub fn check_ours(&self, id: JobId) -> Result<(), StoreError> {
        self.store.check_ours(id)
    }

    /// Whether a job has a living supervisor.
    pub fn is_alive(&self, id: JobId) -> Result<bool, StoreError> {
        Ok(self.store.liveness(id)? == Liveness::Alive)
    }

    /// The records that were moved aside because they make no sense.
    pub fn damaged(&self) -> Result<Vec<JobId>, StoreError> {
        self.store.damaged()
    }

    /// The files that crashes left behind, as of `now`.
    pub fn leftovers(&self, now: UnixSeconds) -> Result<Leftovers, StoreError> {
        leftovers(&self.store, now)
    }
}

impl Jobs for LocalJobs {
    fn find(&self, selector: &JobSelector) -> Result<JobId, JobsError> {
        Ok(self.store.resolve(selector)?)
    }

    fn get(&self, id: JobId) -> Result<Record, JobsError> {
        Ok(load_and_recover(&self.store, id)?)
    }

    fn glance(&self, id: JobId) -> Option<Record> {
        self.store.glance(id)
    }

    fn list<'a>(&'a self, filter: &Filter<'a>) -> Result<Records<'a>, JobsError> {
        // What is not finished has a lock, so nothing else needs to be read for it.
        let ids: Vec<JobId> = match filter.status {
            Some(Status::Pending | Status::Running) => self.store.active_ids()?.into_iter().rev().collect(),
            _ => self.store.ids()?,
        };
        let filter = *filter;
        let read = move |id| {
            let is_wanted = || self.store.glance(id).is_some_and(|record| filter.wants(&record.agent));
            if filter.only.is_some() && !is_wanted() {
                return None;
            }
            match self.get(id) {
                Ok(record) => {
                    let is_wanted = filter.wants(&record.agent)
                        && filter.status.is_none_or(|status| status == record.status());
                    is_wanted.then_some(Ok(record))
                }
                // Collected since the directory was read.
                Err(JobsError::Store(StoreError::NoSuchJob(_))) => None,
                Err(error) => Some(Err(error)),
            }
        };
        let mut left = filter.limit;
        let mut records = ids.into_iter().filter_map(read);
        Ok(Box::new(std::iter::from_fn(move || {
            // No record is read when there are enough.
            let read = if left == 0 { None } else { records.next() };
            left -= usize::from(matches!(read, Some(Ok(_))));
            read
        })))
    }

    fn ids(&self) -> Result<Vec<JobId>, JobsError> {
        Ok(self.store.unordered_ids()?)
    }

    fn unfinished(&self) -> Result<Vec<JobId>, JobsError> {
        Ok(self.store.active_ids()?)
    }

    fn queue(&self) -> Result<Vec<JobId>, JobsError> {
        Ok(self.store.queued()?)
    }

    fn revision(&self) -> Revision {
        // Each change of a record replaces a file of the directory.
        let modified = std::fs::metadata(self.store.path()).and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        let since_epoch = modified.and_then(|modified| modified.duration_since(std::time::UNIX_EPOCH).ok());
        Revision {
            stamp: since_epoch.map(|time| time.as_nanos()),
            is_settled: age.is_some_and(|age| age.as_secs_f64() > DATE_IS_COARSE_SECONDS),
        }
    }

    fn output(&self, id: JobId, output: Output) -> Result<Option<Box<dyn ReadAt>>, JobsError> {
        let folder = self.store.folder(id)?;
        let file = match output {
            Output::Stdout => folder.open_stdout(),
            Output::Stderr => folder.open_stderr(),
            Output::Answer(file) => folder.open_answer(file).map(Some),
        };
        let file = file.map_err(StoreError::from)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn ReadAt>))
    }

    fn ending(&self, record: &Record, waker: &Waker) -> Result<Ending, JobsError> {
        Ok(self.end_of(record.id)?.wait(waker).keeping(self.lend_slot(record)))
    }

    fn supervisor(&self, id: JobId) -> Option<SupervisorProcess> {
        let suspended = suspended_supervisor(&self.store, id);
        let pid = suspended.or_else(|| self.store.supervisor_pid(id))?;
        Some(SupervisorProcess { pid, is_suspended: suspended.is_some() })
    }

    fn cancel(&self, id: JobId) -> Result<Cancelled, CancelError> {
        match load_and_recover(&self.store, id) {
            Ok(record) if record.finished().is_some() => Ok(Cancelled::WasOver(Box::new(record))),
            Ok(record) if record.is_foreign() => Err(CancelError::Foreign { id, author: record.author() }),
            Err(error @ (StoreError::NoSuchJob(_) | StoreError::Newer { .. })) => Err(error.into()),
            // A record that cannot be read does not keep the job from being stopped.
            Ok(_) | Err(_) => Ok(self.request_cancel(id)?),
        }
    }

    fn collect(&self, policy: Policy, now: UnixSeconds, dry_run: bool) -> Result<Collection, JobsError> {
        let plan = collectable(&self.store, policy, now)?;
        if !dry_run {
            collect(&self.store, &plan)?;
        }
        Ok(plan)
    }
}

/// A panic of one caller is no reason to fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
