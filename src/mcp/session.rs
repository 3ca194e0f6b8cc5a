//! What all calls of one client share: whether the server has to leave, and which calls the client has taken back.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use tokio_util::sync::CancellationToken;

/// One client's session. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Told when there is nothing more to read, or the server was told to end.
    pub(super) leaving: CancellationToken,
    /// The calls that are not finished, and whether the client has cancelled each. A server that leaves cancels its
    /// calls too: only this tells the two apart, and only a client's cancellation stops a job.
    calls: Arc<Mutex<HashMap<RequestId, bool>>>,
    /// Why nothing more can be read, if that is not the client's end.
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Session {
    /// Notes a call.
    pub(super) fn begin(&self, call: RequestId) {
        self.calls().insert(call, false);
    }

    /// Notes that the client has cancelled this call. One that is finished, or has not come yet, cannot be cancelled:
    /// the next call of that number is another one.
    pub(super) fn take_back(&self, call: &RequestId) {
        if let Some(taken_back) = self.calls().get_mut(call) {
            *taken_back = true;
        }
    }

    /// Whether the client has cancelled this call.
    pub(super) fn has_taken_back(&self, call: &RequestId) -> bool {
        self.calls().get(call).copied().unwrap_or(false)
    }

    /// Forgets a call that is finished.
    pub(super) fn forget(&self, call: &RequestId) {
        self.calls().remove(call);
    }

    /// Notes why nothing more can be read.
    pub(super) fn fail(&self, failure: io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// Why nothing more can be read, if that is not the client's end.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<RequestId, bool>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
