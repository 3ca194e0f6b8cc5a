//! The stop sources that a supervisor waits on: signals, the owner pipe, the request to cancel in the job's folder.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use crate::backend::Stop;
use crate::os::{self, SignalWatch};
use crate::store::{Halt, JobFolder, Notes};

use super::ancestry::{CALL_OFF, WAKE};

/// How often a request to stop is looked for that no signal announced: one from inside a sandbox, say, whose
/// signals do not reach this process.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// The signals, the owner's pipe and the job's folder, as one thing to wait on.
pub(super) struct StopSources {
    signals: SignalWatch,
    /// Closed by the other end when the process the job is tied to is gone.
    owner: Option<OwnedFd>,
    folder: JobFolder,
    notes: Notes,
    /// Whether a signal brought a request to stop that could not be written into the folder.
    is_called_off: bool,
}

impl StopSources {
    /// Starts listening.
    pub(super) fn new(owner: Option<OwnedFd>, folder: JobFolder, notes: Notes) -> std::io::Result<Self> {
        let watched = [SIGCHLD, SIGTERM, SIGINT, SIGHUP, WAKE.as_raw(), CALL_OFF.as_raw()];
        let signals = SignalWatch::new(&watched)?;
        Ok(Self { signals, owner, folder, notes, is_called_off: false })
    }

    /// What is noted for those who find the job without its supervisor.
    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The job's folder.
    pub(super) fn folder(&self) -> &JobFolder {
        &self.folder
    }

    /// Has requests to stop announced by the kernel, also those from inside a sandbox. Says whether they are: then only
    /// those before this call remain to be looked for.
    pub(super) fn announce_requests(&self) -> bool {
        self.folder.announce_cancel(WAKE)
    }

    /// Waits until something happens, here or on `also`, at most `patience`. Says why the job is to stop, if it is.
    pub(super) fn wait(&mut self, also: Option<BorrowedFd<'_>>, patience: Duration) -> Option<Stop> {
        let mut descriptors = vec![self.signals.descriptor()];
        descriptors.extend(also);
        let owner = self.owner.as_ref().map(|owner| {
            descriptors.push(owner.as_fd());
            descriptors.len() - 1
        });
        let readable = os::wait_readable(&descriptors, patience);
        let owner_gone = owner.is_some_and(|owner| readable[owner]);
        if owner_gone {
            self.owner = None;
        }
        let signals = self.signals.take();
        let told_to_stop = signals.iter().any(|signal| matches!(*signal, SIGTERM | SIGINT | SIGHUP));
        self.is_called_off |= signals.contains(&CALL_OFF.as_raw());
        if self.folder.is_cancel_requested() {
            return Some(Stop::Cancelled);
        }
        // Nothing but this process knows of these: noted, the request outlives it.
        let (stop, halt) = if self.is_called_off {
            (Stop::Cancelled, Halt::Cancelled)
        } else if owner_gone {
            (Stop::OwnerGone, Halt::OwnerGone)
        } else if told_to_stop {
            (Stop::SupervisorStopped, Halt::SupervisorStopped)
        } else {
            return None;
        };
        self.notes.halt(halt);
        Some(stop)
    }
}
