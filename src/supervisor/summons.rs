//! What can call a supervisor away from what it waits for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGURG};

use crate::backend::Stop;
use crate::os::{self, SignalWatch};
use crate::store::JobFolder;

/// How often a request to stop is looked for that no signal announced: one from inside a sandbox, say, whose
/// signals do not reach this process.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// The signals, the owner's pipe and the job's folder, as one thing to wait on.
pub(super) struct Summons {
    signals: SignalWatch,
    /// Closed by the other end when the process the job is tied to is gone.
    owner: Option<OwnedFd>,
    folder: JobFolder,
}

impl Summons {
    /// Starts listening.
    pub(super) fn new(owner: Option<OwnedFd>, folder: JobFolder) -> std::io::Result<Self> {
        let signals = SignalWatch::new(&[SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGURG])?;
        Ok(Self { signals, owner, folder })
    }

    /// The job's folder.
    pub(super) fn folder(&self) -> &JobFolder {
        &self.folder
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
        let told_to_stop = self.signals.take().iter().any(|s| matches!(*s, SIGTERM | SIGINT | SIGHUP));
        if self.folder.is_cancel_requested() {
            Some(Stop::Cancelled)
        } else if owner_gone {
            Some(Stop::OwnerGone)
        } else if told_to_stop {
            Some(Stop::SupervisorStopped)
        } else {
            None
        }
    }
}
