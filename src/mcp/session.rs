//! What all calls of one client share: whether the server has to leave, and which calls the client has taken back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use tokio_util::sync::CancellationToken;

/// One client's session. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Told when there is nothing more to read, or the server was told to end.
    pub(super) leaving: CancellationToken,
    /// Calls that the client has cancelled and that are not over. A server that leaves cancels its calls too: only this
    /// tells the two apart, and only a client's cancellation stops a job.
    taken_back: Arc<Mutex<HashSet<RequestId>>>,
}

impl Session {
    /// Notes that the client has cancelled this call.
    pub(super) fn take_back(&self, call: RequestId) {
        self.calls().insert(call);
    }

    /// Whether the client has cancelled this call.
    pub(super) fn has_taken_back(&self, call: &RequestId) -> bool {
        self.calls().contains(call)
    }

    /// Forgets a call that is over.
    pub(super) fn forget(&self, call: &RequestId) {
        self.calls().remove(call);
    }

    fn calls(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.taken_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
