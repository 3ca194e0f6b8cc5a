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
mod events;
mod failure;
mod fence;
mod lines;
mod narrate;
mod schema;
mod session;
mod spend;
mod stderr;
#[cfg(test)]
mod testing;
mod watch;

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::config::InvalidTool;
use crate::store::{ErrorType, JobFolder, JobResult, Record};

pub use activity::Activity;
pub use dialogue::{Dialogue, DialogueLine, DialogueTurn};
pub use environment::is_stripped;
pub use events::{Event, EventKind, EventReader, McpServer, Started, Task, TaskState, TurnResult};
pub use fence::{fenced, folded};
pub use lines::{FOLLOWED_LINE_LIMIT, LOOK_BYTES, Line, LineReader, Look};
pub use schema::{CHECK_ENTRY, check_schema, confine_checks, run_check};
pub use session::{Session, SessionId};
pub use spend::Spend;
pub use watch::Watch;

/// The longest prompt that is sent, in bytes. Claude Code takes 10,000,000 bytes on standard input and
/// refuses 12,000,000 with "exceeds 10MB".
pub const PROMPT_LIMIT_BYTES: usize = 10_000_000;

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

    /// What a run that is over came to.
    ///
    /// Nothing can go wrong here: output that is missing or cannot be read is part of the conclusion.
    pub fn conclude(self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        match self {
            Self::Claude => claude::conclude(record, evidence),
            Self::Command => command::conclude(record, evidence),
            Self::Dialogue => dialogue::conclude(record, evidence),
        }
    }
}

/// Why a value cannot stand on a command line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefusedArgument {
    /// It begins with a dash, so the program could take it for an option.
    #[error("the {field} '{value}' begins with '-': the agent CLI could take it for an option")]
    FlagLike {
        /// Which value it is.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// There is nothing in it.
    #[error("the {field} is empty")]
    Empty {
        /// Which value it is.
        field: &'static str,
    },
    /// It contains a NUL character, which ends an argument.
    #[error("the {field} contains a NUL character")]
    ContainsNul {
        /// Which value it is.
        field: &'static str,
    },
    /// The operating system takes no argument of this length.
    #[error("the {field} has {bytes} bytes; {limit} are the most that fit on a command line")]
    TooLong {
        /// Which value it is.
        field: &'static str,
        /// Its length, in bytes.
        bytes: usize,
        /// The longest that fits, in bytes.
        limit: usize,
    },
    /// It is not the id of a session. Claude Code would take it for a file to read and to write, or for a title.
    #[error("'{value}' is no session id: it must be a UUID such as 6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb")]
    NotASession {
        /// The value.
        value: String,
    },
    /// It is not a pattern that names tools: the program would take it for the name of one that does not exist.
    #[error("the {field}: {problem}")]
    NotATool {
        /// Which value it is.
        field: &'static str,
        /// What is wrong with it.
        problem: InvalidTool,
    },
    /// It is not a positive number.
    #[error("the {field} is {value}: it must be a number above 0")]
    NotPositive {
        /// Which value it is.
        field: &'static str,
        /// The value.
        value: f64,
    },
}

impl RefusedArgument {
    /// Which value it is.
    pub fn field(&self) -> &'static str {
        match self {
            Self::FlagLike { field, .. }
            | Self::Empty { field }
            | Self::ContainsNul { field }
            | Self::TooLong { field, .. }
            | Self::NotATool { field, .. }
            | Self::NotPositive { field, .. } => field,
            Self::NotASession { .. } => "session id",
        }
    }
}

/// Everything a program must be told to do a task, already resolved and validated.
#[derive(Debug, Clone)]
pub struct Assignment<'a> {
    /// The program, as an absolute path.
    pub program: &'a Path,
    /// Arguments the agent's configuration gives (the command backend's `command: [program, …]`).
    pub arguments: &'a [String],
    /// What to append to the system prompt: the dispatch protocol and the agent's own instructions.
    pub system_prompt: Option<&'a str>,
    /// The session to start or to resume; a plain program has no use for it.
    pub session: Session,
    /// The model, by the name the agent CLI knows.
    pub model: Option<&'a str>,
    /// The permission mode.
    pub permission_mode: Option<&'a str>,
    /// Tools that need no permission.
    pub allowed_tools: &'a [String],
    /// Tools that are refused.
    pub disallowed_tools: &'a [String],
    /// The spend cap, in US dollars: positive and finite.
    pub max_budget_usd: Option<f64>,
    /// The JSON Schema the answer must satisfy.
    pub response_schema: Option<&'a Value>,
    /// The job's own folder, where files named on the command line can lie.
    pub job_directory: &'a Path,
}

/// What to execute. The prompt is not part of it: it goes to standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The same for the record: long or private values are abbreviated.
    pub shown: Vec<String>,
    /// Files in the job's folder that `argv` names: name and content.
    pub files: Vec<(String, String)>,
}

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
    /// Somebody asked for it.
    Cancelled,
    /// The process that waited for it went away.
    OwnerGone,
    /// The supervisor was told to stop (a shutdown, say).
    SupervisorStopped,
    /// The stream showed a failure that waiting cannot mend.
    Hopeless(ErrorType),
    /// The supervisor itself died; whoever found the job draws the conclusion.
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

/// What is known about a run that is over.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The job's folder.
    pub folder: &'a JobFolder,
    /// What the program wrote to standard output.
    pub stdout: Output<'a>,
    /// How the program ended; `None` when nobody saw it.
    pub ending: Option<Ending>,
    /// Why it was ended from outside, if it was.
    pub stop: Option<Stop>,
    /// From start to end, in milliseconds.
    pub duration_ms: Option<u64>,
}
