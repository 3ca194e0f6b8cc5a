//! Which program an agent is, how to start it, and what its output means.
//!
//! A [`Backend`] never runs an agent: it turns an [`Assignment`] into a [`CommandLine`], reads what the program
//! wrote as [`Event`]s while it runs, and concludes a [`JobResult`](crate::store::JobResult) from the [`Evidence`] at the
//! end. [`Backends`] is the list of them.

mod activity;
mod answer;
mod claude;
mod command;
mod conclusion;
mod dialogue;
mod environment;
mod event_reader;
mod events;
mod evidence;
mod failure;
mod fence;
mod health;
mod interface;
mod invocation;
mod lines;
mod mcp_client;
mod narrate;
mod profile;
mod refused_argument;
mod registry;
mod schema;
mod session;
mod spend;
mod stderr;
#[cfg(test)]
mod testing;
mod unknown;

pub use activity::Activity;
pub use claude::CLAUDE;
pub use command::COMMAND;
pub use conclusion::conclude_by_events;
pub use dialogue::{Dialogue, DialogueLine, DialogueTurn};
pub use event_reader::EventReader;
pub use events::{Event, EventKind, McpServer, Started, Task, TaskState, TurnResult};
pub use evidence::{Ending, Evidence, Output, Stop};
pub use fence::{fenced, folded};
pub use health::{AgentSetup, Check, Cure, Environment, Examination, Level, Surroundings};
pub use interface::{Backend, Decoder, Farewell, FarewellSignal, Program, SessionSearch, Watch};
pub use invocation::{Assignment, CommandLine};
pub use lines::{FOLLOWED_LINE_LIMIT, LOOK_BYTES, Line, LineReader, Look};
pub use mcp_client::{McpClient, Registered, Registration, RegistrationError, Scope, ServerCommand};
pub use profile::{
    Executable, Installation, LONGEST_TASK_BYTES, PrivatePlace, Profile, SessionVariables, Sessions, Takes,
};
pub use refused_argument::RefusedArgument;
pub use registry::{BackendRef, Backends};
pub use schema::{CHECK_ENTRY, check_schema, confine_checks, run_check};
pub use session::{Session, SessionId};
pub use spend::Spend;
pub use unknown::UnknownBackend;
