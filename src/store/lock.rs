//! Holding a job: the lock that says it is alive, and the right to write its record.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::{JobFolder, Journal, Record, Store, StoreError, paths};
use crate::model::JobId;
use crate::os::FileError;

/// A job whose lock this process holds. Only this can write the job's record.
///
/// Dropping it lets go of the lock: the job is then over, or lost if its record does not say so.
#[derive(Debug)]
pub struct HeldJob<'a> {
    store: &'a Store,
    id: JobId,
    pub(super) lock: File,
}

/// Whether a job has a living supervisor. The lock decides, never a pid or an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Its lock is held.
    Alive,
    /// No process holds it.
    Abandoned,
}

/// Waits for a lock without looking again and again.
#[derive(Debug)]
pub struct Waiter(File);

impl Waiter {
    pub(super) fn new(lock: File) -> Self {
        Self(lock)
    }

    /// Returns when no process holds the lock any more, however long that takes.
    pub fn wait(self) -> std::io::Result<()> {
        crate::os::wait_until_unlocked(&self.0)
    }

    /// Calls `then`, in a thread of its own, when no process holds the lock any more.
    pub fn call(self, then: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        crate::os::call_when_unlocked(self.0, then)
    }

    /// A descriptor that becomes readable when no process holds the lock any more, to wait on beside others.
    pub fn into_descriptor(self) -> std::io::Result<OwnedFd> {
        crate::os::readable_when_unlocked(self.0)
    }
}

impl<'a> HeldJob<'a> {
    pub(super) fn new(store: &'a Store, id: JobId, lock: File) -> Self {
        Self { store, id, lock }
    }

    /// Takes over a lock that was handed on from the process that created the job.
    pub fn adopt(store: &'a Store, id: JobId, lock: OwnedFd) -> Self {
        Self { store, id, lock: File::from(lock) }
    }

    /// The job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The locked descriptor, to hand on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// The job's working files.
    pub fn folder(&self) -> Result<JobFolder, StoreError> {
        self.store.folder(self.id)
    }

    /// Writes the record of a job that goes on. After a power cut the record may be the one before, of a job
    /// that is lost in either case.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        debug_assert_eq!(record.id, self.id);
        self.check(record)?;
        Ok(self.store.jobs.replace_soon(&paths::record(self.id), &record.to_json())?)
    }

    /// Writes the record of a job that has finished, durably, notes the end in the journal, if there is one, and retires its
    /// lock.
    pub fn finish(self, record: &Record, journal: Option<&Journal>) -> Result<(), (Self, StoreError)> {
        debug_assert!(record.finished().is_some());
        debug_assert_eq!(record.id, self.id);
        if let Err(error) = self.check(record) {
            return Err((self, error));
        }
        if let Err(error) = self.store.jobs.replace(&paths::record(self.id), &record.to_json()) {
            return Err((self, error.into()));
        }
        // Before anybody learns that the job has finished.
        self.retire_noted(journal.map(|journal| journal.note(record)));
        Ok(())
    }

    /// Does what is left of [`Self::finish`] where its caller was killed after writing the record.
    pub fn settle(self, record: &Record, journal: Option<&Journal>) {
        self.retire_noted(journal.map(|journal| journal.note_once(record)));
    }

    /// Retires the lock, unless the end could not be noted for want of room: then the next process that looks at the job finds
    /// the lock, and notes the end. Nothing else is a reason to try again, statistics least of all.
    fn retire_noted(self, noted: Option<Result<(), FileError>>) {
        let failed = noted.and_then(Result::err).and_then(|error| error.io_kind());
        if !matches!(failed, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            self.release();
        }
    }

    /// What a newer version wrote is not written again: this one would leave out what it does not know.
    fn check(&self, record: &Record) -> Result<(), StoreError> {
        if record.is_newer() {
            let path = self.store.record_path(self.id);
            return Err(StoreError::Newer { path, format: record.format.to_string() });
        }
        Ok(())
    }

    /// Removes the lock of a job whose record is final. Processes that wait for it wake up.
    pub fn release(self) {
        // A lock left behind is collected by the next process that looks at the job.
        let _ = self.store.run.remove_file(&paths::lock(self.id));
    }
}

impl Store {
    /// Whether the job has a living supervisor.
    pub fn liveness(&self, id: JobId) -> Result<Liveness, StoreError> {
        let Some(lock) = self.open_lock(id)? else { return Ok(Liveness::Abandoned) };
        match lock.try_lock_shared() {
            Ok(()) => Ok(Liveness::Abandoned),
            Err(TryLockError::WouldBlock) => Ok(Liveness::Alive),
            Err(TryLockError::Error(source)) => Err(self.lock_failed(id, source)),
        }
    }

    /// Something to wait with until the job has no supervisor any more; `None` when that is so already.
    pub fn waiter(&self, id: JobId) -> Result<Option<Waiter>, StoreError> {
        Ok(self.open_lock(id)?.map(Waiter::new))
    }

    /// Takes the lock of a job without a supervisor; `None` when it has one.
    pub fn try_hold(&self, id: JobId) -> Result<Option<HeldJob<'_>>, StoreError> {
        let lock = match self.run.open_or_create_file(&paths::lock(id)) {
            // Where nothing can be written, a lock can be taken all the same.
            Err(error) if error.io_kind() == Some(ErrorKind::ReadOnlyFilesystem) => {
                self.open_lock(id)?.ok_or(error)?
            }
            opened => opened?,
        };
        // Others who only look hold the lock for a moment, which must not pass for a living job.
        for attempt in 0.. {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(HeldJob::new(self, id, lock))),
                Err(TryLockError::WouldBlock) if attempt < 20 => {
                    if self.liveness(id)? == Liveness::Alive {
                        return Ok(None);
                    }
                    std::thread::yield_now();
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(source)) => return Err(self.lock_failed(id, source)),
            }
        }
        Ok(None)
    }

    /// Takes the lock of a job that has finished, if its holder was killed before removing it.
    pub fn try_hold_leftover(&self, id: JobId) -> Result<Option<HeldJob<'_>>, StoreError> {
        match self.open_lock(id)? {
            Some(lock) if lock.try_lock().is_ok() => Ok(Some(HeldJob::new(self, id, lock))),
            _ => Ok(None),
        }
    }

    pub(super) fn open_lock(&self, id: JobId) -> Result<Option<File>, StoreError> {
        match self.run.open_file(&paths::lock(id)) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn lock_failed(&self, id: JobId, source: std::io::Error) -> StoreError {
        let path = self.run.path().join(paths::lock(id));
        FileError::Io { action: "lock", path, source }.into()
    }
}
