//! Dispatching: a request becomes a job, a job is followed to its outcome.
//!
//! The one way in for the command line and for MCP. It reads the config, refuses what cannot work before a
//! job exists, records the job and starts its supervisor ([`Engine::submit`]); it looks at jobs, follows and
//! stops them ([`Follower`], [`cancel`]). It never runs an agent itself.

mod batch;
mod caller_context;
mod cancel;
mod collect;
mod dialogue;
mod directory;
mod dispatch;
mod dispatch_error;
mod follow;
mod journal;
mod list;
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

pub use batch::{AGGREGATE_TASK, Batch, BatchError, BatchItem, Refusal};
pub use caller_context::{CallerContext, named_usage_log};
pub use cancel::{CancelError, Cancelled, cancel, cancel_tree, descendants, stoppable};
pub use collect::{Collection, collect, collectable};
pub use dialogue::{Conversation, DIALOGUE_SIGN, DialogueRequest, RESOLVED};
pub use directory::DirectoryFault;
pub use dispatch::Submitted;
pub use dispatch_error::DispatchError;
pub use follow::{Backlog, FollowError, Follower, Followers, Reading, lend_slot};
pub use journal::{is_trusted_journal, journal};
pub use list::{Listed, Listing, each, list, list_only};
pub use machine::{Binary, Copy, Marked, Role, census, file_system, is_short_lived_sandbox, umask};
pub use new_jobs::NewJobs;
pub use notice::Notice;
pub use overview::{Overview, Watched};
pub use pending_reason::PendingReason;
pub use prepare::{JobPlan, find_program};
pub use request::{OnDone, OnDoneError, RepeatError, Request, Task, TaskError};
pub use stats::{Figures, Selection, ShortTimeout, Stats, stats};

pub use crate::backend::claude::{ClaudeHome, Registration, Scope};
pub use crate::backend::{
    Activity, Dialogue, DialogueLine, DialogueTurn, Event, EventKind, LONGEST_TASK_BYTES, RefusedArgument,
    UnknownBackend,
};
pub use crate::os::{FileSystem, bury_orphans};
pub use crate::supervisor::{OwnerPipe, Ownership, load_and_recover, see_off, suspended_supervisor};

use crate::config::Config;
use crate::store::Store;

/// Starts jobs.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    store: Store,
    caller_context: CallerContext,
    /// Whether a session that is gone on with must be one that a job of these agents has had.
    only_own_sessions: bool,
}

impl Engine {
    /// An engine for these agents, jobs and caller_context.
    pub fn new(config: Config, store: Store, caller_context: CallerContext) -> Self {
        let journal = journal(&config, caller_context.usage_log.as_deref());
        let store = store.noting_in(move || journal.filter(is_trusted_journal));
        Self { config, store, caller_context, only_own_sessions: false }
    }

    /// The same for a caller that may know of these agents only: it does not go on with a session that no job of theirs
    /// has had, whose ever that is.
    #[must_use]
    pub fn with_own_sessions_only(self) -> Self {
        Self { only_own_sessions: true, ..self }
    }

    /// The agents and settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The jobs.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
