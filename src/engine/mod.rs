//! Dispatching: a request becomes a job, a job is followed to its outcome.
//!
//! The one way in for the command line and for MCP: they see [`Jobs`], what there is and what can be done with it, and
//! [`Dispatch`], which takes requests. [`LocalJobs`] and [`Engine`] are both for this machine. A dispatch is refused
//! before a job exists, if it cannot work; then the job is recorded and its supervisor started. It never runs an agent
//! itself.

mod batch;
mod caller_context;
mod cancel;
mod collect;
mod dialogue;
mod directory;
mod dispatch;
mod dispatch_error;
mod dispatcher;
mod ending;
mod follow;
mod jobs;
mod journal;
mod list;
mod local;
mod machine;
mod new_jobs;
mod notice;
mod overview;
mod pending_reason;
mod prepare;
mod prompt;
mod request;
mod room;
mod stats;
#[cfg(test)]
mod testing;
mod wait_loop;

pub use batch::{AGGREGATE_TASK, Batch, BatchError, BatchItem, Refusal};
pub use caller_context::{CallerContext, named_usage_log};
pub use cancel::{cancel_all, cancel_tree, descendants, stoppable};
pub use collect::{Collection, collect, collectable};
pub use dialogue::{Conversation, DialogueRequest, RESOLVED};
pub use directory::DirectoryFault;
pub use dispatch::{Submitted, Tie};
pub use dispatch_error::DispatchError;
pub use dispatcher::Dispatch;
pub use ending::{End, Ending};
pub use follow::{Backlog, Follower, Followers, Reading};
pub use jobs::{
    CancelError, Cancelled, DIALOGUE_SIGN, Filter, Jobs, JobsError, Output, Records, Revision,
    SupervisorProcess, Unreachable, is_of_only,
};
pub use journal::{is_trusted_journal, journal};
pub use list::{Listed, Listing};
pub use local::LocalJobs;
pub use machine::{Binary, Copy, Marked, Role, census, file_system, is_short_lived_sandbox, umask};
pub use new_jobs::NewJobs;
pub use notice::Notice;
pub use overview::{Overview, Watched};
pub use pending_reason::PendingReason;
pub use prepare::{JobPlan, find_program};
pub use request::{OnDone, OnDoneError, RUN_OPTIONS, RepeatError, Request, Task, TaskError};
pub use stats::{Figures, Selection, ShortTimeout, Stats, StatsError};
#[cfg(test)]
pub(crate) use testing::MemoryJobs;
pub use wait_loop::{Attention, Interrupt, Now, Step, WaitLoop, Waited, Watcher};

pub use crate::backend::{
    Activity, Dialogue, DialogueLine, DialogueTurn, Event, EventKind, LONGEST_TASK_BYTES, RefusedArgument,
    UnknownBackend,
};
pub use crate::os::{Bell, FileSystem, bury_orphans};
pub use crate::supervisor::{OwnerPipe, Ownership, see_off};

use std::sync::Arc;

use crate::config::Config;
use crate::store::Store;

/// Starts jobs on this machine.
#[derive(Debug)]
pub struct Engine {
    config: Arc<Config>,
    local: LocalJobs,
    caller_context: CallerContext,
    /// Whether a session that is gone on with must be one that a job of these agents has had.
    only_own_sessions: bool,
}

impl Engine {
    /// An engine for these agents, jobs and caller_context.
    pub fn new(config: impl Into<Arc<Config>>, local: LocalJobs, caller_context: CallerContext) -> Self {
        let config = config.into();
        let journal = journal(&config, caller_context.usage_log.as_deref());
        let local = local.noting_in(move || journal.filter(is_trusted_journal));
        Self { config, local, caller_context, only_own_sessions: false }
    }

    /// The same for a caller that may know of these agents only: it does not go on with a session that no job of theirs
    /// has had, whose ever that is.
    #[must_use]
    pub fn with_own_sessions_only(self) -> Self {
        Self { only_own_sessions: true, ..self }
    }

    fn store(&self) -> &Store {
        self.local.store()
    }
}
