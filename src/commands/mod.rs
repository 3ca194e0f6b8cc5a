//! One file a command: its arguments beside its function.

pub(crate) mod agents;
pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod completions;
mod context;
pub(crate) mod dialogue;
mod dispatch;
pub(crate) mod doctor;
pub(crate) mod gc;
mod global_args;
pub(crate) mod groups;
pub(crate) mod hook;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod logs;
mod numbers;
pub(crate) mod request;
pub(crate) mod result;
pub(crate) mod resume;
pub(crate) mod retry;
pub(crate) mod run;
#[cfg(feature = "mcp")]
pub(crate) mod serve_mcp;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod submit;
mod summary;
mod verdict;
pub(crate) mod wait;
mod wait_loop;

use crate::error::{Exit, Failure};
use crate::ui::OutputError;

pub(crate) use context::{Context, Places};
pub(crate) use global_args::Global;
use numbers::whole_number;

/// What a command comes to.
pub(crate) type CommandResult = Result<Exit, Problem>;

/// Why a command did not come to anything.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It failed, and this is to be said.
    Failure(Failure),
    /// Its output could not be written.
    Output(OutputError),
}

impl<E: Into<Failure>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl From<OutputError> for Problem {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

#[cfg(test)]
mod tests;
