//! Starting a supervisor: the submitter's side.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};

use super::{DEPTH_VARIABLE, ENTRY, JOB_VARIABLE, LaunchSpec};
use crate::os::{self, Detached, FileError};
use crate::store::{HeldJob, JobFolder, Store, StoreError};

/// How long a supervisor may take to say that it has taken over.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How much of the standard error of a supervisor that died is looked at, in bytes.
const STDERR_BYTES: u64 = 64 * 1024;

/// To whose life a job is tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// To none: the job goes on until it is done or stopped.
    Detached,
    /// To the caller's: when the [`OwnerPipe`] closes, the job is stopped.
    Caller,
}

/// As long as this is open the jobs tied to it go on. The kernel closes it when the process dies.
#[derive(Debug)]
#[must_use = "dropping the pipe stops the jobs that are tied to it"]
pub struct OwnerPipe {
    read: OwnedFd,
    _write: OwnedFd,
}

impl OwnerPipe {
    /// A pipe for what [`Ownership::Caller`] asks for; `None` for a job without an owner.
    ///
    /// # Errors
    ///
    /// When the process has too many files open.
    pub fn open(ownership: Ownership) -> Result<Option<Self>, StartError> {
        Ok(match ownership {
            Ownership::Detached => None,
            Ownership::Caller => {
                let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
                Some(Self { read, _write: write })
            }
        })
    }
}

/// Why no supervisor took the job over. The job is still the caller's, who holds its lock.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system refused.
    #[error("failed to start the job's supervisor: {0}")]
    Io(#[from] io::Error),
    /// The job's folder could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was started and went away.
    #[error("the job's supervisor ended before it took over{0}")]
    Died(String),
    /// It was started and said nothing.
    #[error("the job's supervisor did not take over within {} s", READY_WITHIN.as_secs())]
    Silent,
    /// Everything started here dies with the sandbox.
    #[error(
        "this is a sandbox that kills every process when its command ends, so a job started here could not \
         outlive it"
    )]
    Sandboxed,
}

/// Starts a supervisor for the job and returns when it has taken over. With an `owner` the job is stopped when that
/// closes.
pub fn start(
    store: &Store,
    job: &HeldJob<'_>,
    folder: &JobFolder,
    spec: &LaunchSpec,
    prompt: &[u8],
    owner: Option<&OwnerPipe>,
) -> Result<(), StartError> {
    if os::in_short_lived_namespace() {
        return Err(StartError::Sandboxed);
    }
    let spec = folder.nameless(&spec.to_bytes())?;
    let prompt = folder.nameless(prompt)?;
    let (ready, ready_write) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;

    let mut descriptors = vec![job.descriptor(), spec.as_fd(), prompt.as_fd(), ready_write.as_fd()];
    descriptors.extend(owner.map(|owner| owner.read.as_fd()));
    let id = job.id().to_string();
    let numbers: Vec<String> = descriptors.iter().map(|fd| fd.as_raw_fd().to_string()).collect();
    let mut arguments = vec![OsStr::new(ENTRY), store.path().as_os_str(), OsStr::new(&id)];
    arguments.extend(numbers.iter().map(OsStr::new));
    os::spawn_detached(Detached {
        arguments,
        descriptors: &descriptors,
        stderr: folder.append_to_stderr()?,
        // The supervisor is not part of the job that submitted this one: the sweep at that job's end looks
        // for the variable.
        without: &[JOB_VARIABLE, DEPTH_VARIABLE],
    })?;
    drop(ready_write);

    if !os::wait_readable(&[ready.as_fd()], READY_WITHIN)[0] {
        return Err(StartError::Silent);
    }
    let mut word = Vec::new();
    File::from(ready).read_to_end(&mut word)?;
    if word == READY {
        return Ok(());
    }
    let last_words = folder.open_stderr()?.and_then(|file| {
        let mut bytes = Vec::new();
        file.take(STDERR_BYTES).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        text.lines().last().map(|line| format!(": {line}"))
    });
    Err(StartError::Died(last_words.unwrap_or_default()))
}

/// What a supervisor says when the job is its own.
pub(super) const READY: &[u8] = b"ok";
