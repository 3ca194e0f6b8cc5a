//! What is known about a run when it has ended.

use std::fs::File;
use std::time::Duration;

use crate::store::{ErrorType, JobFolder};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

/// Why a run was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// Its time limit passed.
    Timeout {
        /// The limit, in seconds.
        limit_seconds: f64,
        /// What nine of ten successful runs of the agent take, as far as that is known.
        usual: Option<Duration>,
    },
    /// It was silent for too long.
    Idle {
        /// The limit, in seconds.
        limit_seconds: f64,
    },
    /// It wrote more than it may.
    OutputLimit {
        /// The limit on standard output and standard error together, in bytes.
        limit_bytes: u64,
    },
    /// A caller asked for it.
    Cancelled,
    /// The process that waited for it went away.
    OwnerGone,
    /// The supervisor was told to stop (a shutdown, say).
    SupervisorStopped,
    /// The stream showed a failure that waiting cannot mend.
    Unrecoverable(ErrorType),
    /// The supervisor itself died; the process that found the job classifies the run.
    Lost,
}

/// A program's standard output.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// There is none: the program was never started.
    Missing,
    /// It lies in this file.
    File(&'a File),
    /// It cannot be read, and this is why.
    Unreadable(&'a str),
}

/// What is known about a run that has finished.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The job's folder.
    pub folder: &'a JobFolder,
    /// What the program wrote to standard output.
    pub stdout: Output<'a>,
    /// How the program ended; `None` when its exit status is unknown.
    pub ending: Option<Ending>,
    /// Why it was ended from outside, if it was.
    pub stop: Option<Stop>,
    /// From start to end, in milliseconds.
    pub duration_ms: Option<u64>,
}
