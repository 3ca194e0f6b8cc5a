//! Things only one job may use at a time: a session of an agent CLI, an agent's directory, a parent's slot.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::{Store, StoreError, Waiter};
use crate::model::JobId;
use crate::os::{FileError, OwnedDir};

const CLAIMS: &str = "claims";

/// What a job has to itself. Dropping it gives it up.
#[derive(Debug)]
pub struct Lease {
    directory: OwnedDir,
    name: String,
    _lock: File,
}

/// What came of an attempt to acquire a lease.
#[derive(Debug)]
pub enum TryAcquire {
    /// It is the job's.
    Acquired(Lease),
    /// Another job has it.
    Busy {
        /// Which job, if it left its name.
        holder: Option<JobId>,
        /// Something to wait with until it is given up.
        waiter: Waiter,
    },
}

/// What only one job may use at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A session of an agent CLI: two runs that go on with the same one spoil it.
    Session(&'a str),
    /// The directory of an agent that takes one task at a time: whatever the path that leads to it.
    Directory(&'a Path),
    /// One of the turns of an agent of which only so many jobs run at once.
    TurnOf {
        /// The agent's name.
        agent: &'a str,
        /// Which of its turns, from 0.
        number: u32,
    },
    /// The slot of a job that waits for the one it has dispatched.
    SlotOf(JobId),
    /// The wait of the agent that has dispatched a job for that job: its slot can be used as long as it lasts.
    WaitFor(JobId),
}

/// What it is and "is", to be followed by "in use".
impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session {id} is"),
            Self::Directory(path) => {
                write!(f, "the agent takes one task at a time, and {} is", path.display())
            }
            Self::TurnOf { agent, .. } => {
                write!(
                    f,
                    "'{agent}' runs as many jobs at once as it may (`max_concurrency`), its last place is"
                )
            }
            Self::SlotOf(id) => write!(f, "the slot of job {id} is"),
            Self::WaitFor(id) => write!(f, "the wait for job {id} is"),
        }
    }
}

impl Resource<'_> {
    /// Whether a job that waits for one it has dispatched lets that one use it: it does not work meanwhile.
    pub fn is_lent_to_descendants(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::TurnOf { .. })
    }

    /// A file name for it: whatever is in a session id or path, it is hex.
    fn name(&self) -> String {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::MetadataExt;
        let digest = |bytes: &[u8]| uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, bytes).simple();
        match self {
            Self::Session(id) => format!("session-{}", digest(id.as_bytes())),
            Self::Directory(path) => {
                // Links, `..`, slashes and mounts give one directory many names. One that is not there has only this.
                let identity = path.metadata().map(|found| format!("{}:{}", found.dev(), found.ino()));
                let identity =
                    identity.map_or_else(|_| path.as_os_str().as_bytes().to_owned(), String::into_bytes);
                format!("directory-{}", digest(&identity))
            }
            Self::TurnOf { agent, number } => format!("turn-{number}-{}", digest(agent.as_bytes())),
            Self::SlotOf(id) => format!("slot-of-{id}"),
            Self::WaitFor(id) => format!("wait-for-{id}"),
        }
    }
}

impl Store {
    /// Acquires a lease for the job `id`, without waiting.
    pub fn try_acquire(&self, what: Resource<'_>, id: JobId) -> Result<TryAcquire, StoreError> {
        let leases = self.run.open_or_create_child(CLAIMS)?;
        let name = what.name();
        let failed = |action, source| FileError::Io { action, path: leases.path().join(&name), source };
        loop {
            let mut lock = leases.open_or_mend_file(&name)?;
            match lock.try_lock() {
                // The file was removed by its last holder after it was opened here.
                Ok(()) if !leases.is_named(&lock, &name)? => {}
                Ok(()) => {
                    let signed =
                        lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "{id}"));
                    signed.map_err(|source| failed("write", source))?;
                    return Ok(TryAcquire::Acquired(Lease { directory: leases, name, _lock: lock }));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = (&lock).take(32).read_to_string(&mut holder);
                    return Ok(TryAcquire::Busy { holder: holder.parse().ok(), waiter: Waiter::new(lock) });
                }
                Err(TryLockError::Error(source)) => return Err(failed("lock", source).into()),
            }
        }
    }

    /// Whether a living process holds the lease of this.
    pub fn is_leased(&self, what: Resource<'_>) -> bool {
        let opened = self.run.open_child(CLAIMS).and_then(|leases| leases.open_file(&what.name()));
        opened.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Names of leases that no process holds: their holders were killed.
    pub(super) fn stale_leases(&self) -> Result<Vec<String>, StoreError> {
        let leases = match self.run.open_child(CLAIMS) {
            Ok(leases) => leases,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let names = leases.names()?.into_iter().filter_map(|name| name.into_string().ok());
        Ok(names.filter(|name| lock_stale(&leases, name).is_some()).collect())
    }

    /// Removes those leases of [`Self::stale_leases`] that are still not held.
    pub(super) fn remove_leases(&self, names: &[String]) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let leases = self.run.open_child(CLAIMS)?;
        for name in names {
            // Removed under its lock, as a holder does: a process that opened it meanwhile finds that out and tries again.
            if let Some(_lock) = lock_stale(&leases, name) {
                leases.remove_file(name)?;
            }
        }
        Ok(())
    }
}

/// Locks a lease that no process holds.
fn lock_stale(leases: &OwnedDir, name: &str) -> Option<File> {
    let lock = leases.open_file(name).ok()?;
    lock.try_lock().ok()?;
    leases.is_named(&lock, name).ok()?.then_some(lock)
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Before the lock is freed, so that no other process's file is removed.
        let _ = self.directory.remove_file(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_the_same_by_every_path() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let real = dir.path().join("real");
        std::fs::create_dir_all(real.join("below")).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        let acquired = store.try_acquire(Resource::Directory(&real), JobId::generate()).unwrap();
        assert!(matches!(acquired, TryAcquire::Acquired(_)));
        for other in ["link", "real/", "real/.", "real/below/..", "link/../link"] {
            let other = dir.path().join(other);
            assert!(store.is_leased(Resource::Directory(&other)), "{}", other.display());
        }
        assert!(!store.is_leased(Resource::Directory(&real.join("below"))));
    }

    #[test]
    fn what_one_job_has_another_has_to_wait_for() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let (one, other) = (JobId::generate(), JobId::generate());
        let session = Resource::Session("../../etc/passwd");
        let TryAcquire::Acquired(lease) = store.try_acquire(session, one).unwrap() else {
            panic!("it is free")
        };
        let TryAcquire::Busy { holder, waiter } = store.try_acquire(session, other).unwrap() else {
            panic!("it is taken")
        };
        assert_eq!(holder, Some(one));
        let elsewhere = Resource::Directory(Path::new("../../etc/passwd"));
        assert!(matches!(store.try_acquire(elsewhere, other).unwrap(), TryAcquire::Acquired(_)));
        assert!(store.is_leased(session) && !store.is_leased(Resource::WaitFor(one)));
        drop(lease);
        waiter.wait().unwrap();
        let TryAcquire::Acquired(lease) = store.try_acquire(session, other).unwrap() else {
            panic!("it is free")
        };
        drop(lease);
        assert!(!store.is_leased(session));
        assert_eq!(std::fs::read_dir(store.path().join(".run/claims")).unwrap().count(), 0);
    }
}
