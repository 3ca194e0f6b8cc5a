//! Locks on open files (`flock`): they belong to the open file description, pass to a child with it, and
//! are gone the moment the last process that holds it is. `fcntl` locks are silently lost when any
//! descriptor on the file closes, so they are not used.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process held it all the time.
    #[error("still locked by another process after {} s", .0.as_secs_f64())]
    Busy(Duration),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How often a bounded wait looks again.
const POLL: Duration = Duration::from_millis(5);

/// Takes the exclusive lock on `file`, waiting at most `wait`. The lock lives as long as `file` does.
pub fn lock_within(file: &File, wait: Duration) -> Result<(), LockError> {
    let deadline = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => return Err(LockError::Busy(wait)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Waits, however long it takes, until no process holds the exclusive lock on `file`.
pub fn wait_until_unlocked(file: &File) -> io::Result<()> {
    loop {
        match file.lock_shared() {
            Ok(()) => return file.unlock(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Calls `then` when no process holds the exclusive lock on `file` any more.
///
/// No system call waits for a lock beside other things, so a thread of this process does it.
pub fn call_when_unlocked(file: File, then: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        let _ = wait_until_unlocked(&file);
        drop(file);
        then();
    })?;
    Ok(())
}

/// A descriptor that becomes readable when no process holds the exclusive lock on `file` any more.
pub fn readable_when_unlocked(file: File) -> io::Result<OwnedFd> {
    let (over, end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    call_when_unlocked(file, move || drop(end))?;
    Ok(over)
}
