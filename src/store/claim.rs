//! Things only one job may use at a time: a session of an agent CLI, an agent's directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};

use super::{JobId, Store, StoreError, Waiter};
use crate::os::FileError;

const CLAIMS: &str = "claims";

/// What a job has to itself. Dropping it gives it up.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

/// What came of an attempt to claim something.
#[derive(Debug)]
pub enum Claimed {
    /// It is the job's.
    Yes(Claim),
    /// Another job has it.
    Busy {
        /// Which job, if it left its name.
        holder: Option<JobId>,
        /// Something to wait with until it is given up.
        waiter: Waiter,
    },
}

/// What can be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimable<'a> {
    /// A session of an agent CLI: two runs that go on with the same one spoil it.
    Session(&'a str),
    /// The directory of an agent that takes one task at a time.
    Directory(&'a std::path::Path),
}

impl Claimable<'_> {
    /// A file name for it: whatever is in a session id or path, it is hex.
    fn name(&self) -> String {
        use std::os::unix::ffi::OsStrExt;
        let (kind, bytes) = match self {
            Self::Session(id) => ("session", id.as_bytes()),
            Self::Directory(path) => ("directory", path.as_os_str().as_bytes()),
        };
        let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, bytes);
        format!("{kind}-{}", digest.simple())
    }
}

impl Store {
    /// Claims something for the job `id`, without waiting.
    pub fn try_claim(&self, what: &Claimable<'_>, id: JobId) -> Result<Claimed, StoreError> {
        let claims = self.run.open_or_create_child(CLAIMS)?;
        let name = what.name();
        let mut lock = claims.open_or_create_file(&name)?;
        let failed = |action, source| FileError::Io { action, path: claims.path().join(&name), source };
        match lock.try_lock() {
            Ok(()) => {
                let signed = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "{id}"));
                signed.map_err(|source| failed("write", source))?;
                Ok(Claimed::Yes(Claim { _lock: lock }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = (&lock).take(32).read_to_string(&mut holder);
                Ok(Claimed::Busy { holder: holder.parse().ok(), waiter: Waiter::new(lock) })
            }
            Err(TryLockError::Error(source)) => Err(failed("lock", source).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_job_has_claimed_another_has_to_wait_for() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let (one, other) = (JobId::generate(), JobId::generate());
        let session = Claimable::Session("../../etc/passwd");
        let Claimed::Yes(claim) = store.try_claim(&session, one).unwrap() else { panic!("it is free") };
        let Claimed::Busy { holder, .. } = store.try_claim(&session, other).unwrap() else {
            panic!("it is taken")
        };
        assert_eq!(holder, Some(one));
        let elsewhere = Claimable::Directory(std::path::Path::new("../../etc/passwd"));
        assert!(matches!(store.try_claim(&elsewhere, other).unwrap(), Claimed::Yes(_)));
        drop(claim);
        assert!(matches!(store.try_claim(&session, other).unwrap(), Claimed::Yes(_)));
    }
}
