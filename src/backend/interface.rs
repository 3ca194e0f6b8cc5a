//! The seam between this program and the programs that it dispatches to.
//!
//! A [`Backend`] knows all there is to know of one agent CLI: what it can, how it is started, how its output is read and
//! what its end means. It never runs an agent itself, and touches no record and no lock.

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use super::events::Event;
use super::evidence::Evidence;
use super::health::{Environment, Examination, Surroundings};
use super::invocation::{Assignment, CommandLine};
use super::mcp_client::McpClient;
use super::profile::Profile;
use super::refused_argument::RefusedArgument;
use super::session::SessionId;
use crate::store::{ErrorType, JobResult, Record};

/// What a job runs: how its output is read, how it is stopped and what its end means.
pub trait Program: Debug + Send + Sync {
    /// Turns the lines of its output into events. One document over several lines is held together up to `limit` bytes.
    fn decoder(&self, limit: usize) -> Box<dyn Decoder>;

    /// Looks for failures in its output that waiting cannot mend; `None` when its output shows none.
    fn watch(&self) -> Option<Box<dyn Watch>> {
        None
    }

    /// How it is asked to end.
    fn farewell(&self) -> Farewell {
        Farewell::default()
    }

    /// Classifies a finished run.
    ///
    /// Nothing can go wrong here: output that is missing or cannot be read is part of the conclusion.
    fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult;
}

/// A kind of agent: a [`Program`] that is given a task.
pub trait Backend: Program {
    /// The facts that never change.
    fn profile(&self) -> &'static Profile;

    /// What to execute for a task. Of what the [`Profile`] does not take, nothing is in the assignment.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for a value that must not stand on a command line.
    fn command_line(&self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument>;

    /// The prompt as the program has to get it on its standard input.
    fn prompt(&self, prompt: &str) -> String {
        prompt.to_owned()
    }

    /// The session that an id names. Called only where the [`Profile`] has sessions.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for what is no session id.
    fn session_id(&self, id: &str) -> Result<SessionId, RefusedArgument> {
        SessionId::word(id)
    }

    /// Looks at the program and what it has on this machine, for `doctor`; `None` when there is nothing to say of it.
    fn examine<'a>(&self, _surroundings: Surroundings<'a>) -> Option<Box<dyn Examination + 'a>> {
        None
    }

    /// The program as a client of this program's MCP server, for `init` and `doctor`; `None` when it takes none.
    fn mcp_client<'a>(&self, _surroundings: Surroundings<'a>) -> Option<Box<dyn McpClient + 'a>> {
        None
    }

    /// Whether the program still has a session, told from its files alone.
    fn find_session(&self, _session: &SessionId, _environment: Environment<'_>) -> SessionSearch {
        SessionSearch::Unknown
    }
}

/// Turns the lines of one kind of output into events.
pub trait Decoder: Debug + Send {
    /// Delivers the events of one line.
    fn line(&mut self, line: Cow<'_, str>, deliver: &mut dyn FnMut(Event));

    /// Delivers what the end of the output completes.
    fn finish(&mut self, _deliver: &mut dyn FnMut(Event)) {}
}

/// Looks for failures that no waiting mends.
pub trait Watch: Debug + Send {
    /// Takes an event into account. A kind of failure means: stop the run, this is how it will end.
    fn observe(&mut self, event: &Event) -> Option<ErrorType>;
}

/// How a program is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// What its process group gets.
    pub signal: FarewellSignal,
    /// How long it then has before it is killed.
    pub grace: Duration,
}

/// The signal that asks a program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FarewellSignal {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Default for Farewell {
    fn default() -> Self {
        Self { signal: FarewellSignal::Interrupt, grace: Duration::from_secs(2) }
    }
}

/// What the files of an agent CLI say about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionSearch {
    /// It is there.
    Kept,
    /// It is not there: nothing below this directory has it.
    Missing(PathBuf),
    /// The files do not tell.
    Unknown,
}
