//! Which program an agent is, how to start it, and what its output means.
//!
//! A backend never runs an agent: it turns an [`Assignment`] into a [`CommandLine`], reads what the program
//! wrote as [`Event`]s while it runs, and concludes a [`JobResult`] from the [`Evidence`] at the end.

mod activity;
mod answer;
pub mod claude;
mod command;
mod dialogue;
mod environment;
mod event_reader;
mod events;
mod evidence;
mod failure;
mod fence;
mod invocation;
mod lines;
mod narrate;
mod refused_argument;
mod schema;
mod session;
mod spend;
mod stderr;
#[cfg(test)]
mod testing;
mod watch;

use crate::store::{JobResult, Record};

pub use activity::Activity;
pub use dialogue::{Dialogue, DialogueLine, DialogueTurn};
pub use environment::is_stripped;
pub use event_reader::EventReader;
pub use events::{Event, EventKind, McpServer, Started, Task, TaskState, TurnResult};
pub use evidence::{Ending, Evidence, Output, Stop};
pub use fence::{fenced, folded};
pub use invocation::{Assignment, CommandLine, PROMPT_LIMIT_BYTES};
pub use lines::{FOLLOWED_LINE_LIMIT, LOOK_BYTES, Line, LineReader, Look};
pub use refused_argument::RefusedArgument;
pub use schema::{CHECK_ENTRY, check_schema, confine_checks, run_check};
pub use session::{Session, SessionId};
pub use spend::Spend;
pub use watch::Watch;

/// The kinds of programs an agent can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Claude Code, by `claude -p`.
    Claude,
    /// Any program: the prompt on its standard input, the answer on its standard output.
    Command,
    /// A dialogue of two agents, which this program itself conducts.
    Dialogue,
}

impl Backend {
    /// The backend a record or a configuration names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Claude, Self::Command, Self::Dialogue].into_iter().find(|backend| backend.name() == name)
    }

    /// Its name in records and configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Command => "command",
            Self::Dialogue => "dialogue",
        }
    }

    /// The session that an id names, for whom it has one: a plain program has none, whatever is said.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for what is no session id.
    pub fn session_id(self, id: &str) -> Result<Option<SessionId>, RefusedArgument> {
        match self {
            Self::Claude => id.parse().map(Some),
            Self::Command | Self::Dialogue => Ok(None),
        }
    }

    /// What to execute for a task.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for a value that must not stand on a command line.
    pub fn command_line(self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
        match self {
            Self::Claude => claude::command_line(assignment),
            Self::Command | Self::Dialogue => command::command_line(assignment),
        }
    }

    /// Whether the program's output can show a failure that waiting cannot mend: see [`Watch`].
    pub fn shows_failures(self) -> bool {
        match self {
            Self::Claude => true,
            Self::Command | Self::Dialogue => false,
        }
    }

    /// The prompt as the program has to get it on its standard input.
    pub fn prompt(self, prompt: &str) -> String {
        match self {
            Self::Claude => claude::safe_prompt(prompt),
            Self::Command | Self::Dialogue => prompt.to_owned(),
        }
    }

    /// Classifies a finished run.
    ///
    /// Nothing can go wrong here: output that is missing or cannot be read is part of the conclusion.
    pub fn conclude(self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        match self {
            Self::Claude => claude::conclude(record, evidence),
            Self::Command => command::conclude(record, evidence),
            Self::Dialogue => dialogue::conclude(record, evidence),
        }
    }

    /// Reads the events out of its output, for a follower, from byte `offset` on: 0, or what
    /// [`EventReader::offset`] said before.
    pub fn reader(self, offset: u64) -> EventReader {
        self.reader_with_limit(offset, FOLLOWED_LINE_LIMIT)
    }

    /// The same, with events of at most `limit` bytes whole.
    fn reader_with_limit(self, offset: u64, limit: usize) -> EventReader {
        match self {
            Self::Claude => claude::reader(offset, limit),
            Self::Command => EventReader::new(command::Decoder, offset, limit),
            Self::Dialogue => EventReader::new(dialogue::Decoder, offset, limit),
        }
    }
}
