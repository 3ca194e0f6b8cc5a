//! Why a dispatch is refused or fails to start.

use std::path::{Path, PathBuf};

use super::{DirectoryFault, TaskError, Unreachable};
use crate::backend::{Installation, RefusedArgument, SessionId};
use crate::config::{AgentName, CapTooHigh, Untrusted};
use crate::model::JobId;
use crate::os::ProgramError;
use crate::store::StoreError;
use crate::supervisor::StartError;

/// Why a dispatch was refused or failed to start.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// No agent has this name.
    #[error("there is no agent '{name}'")]
    UnknownAgent {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<AgentName>,
    },
    /// No group has this name.
    #[error("there is no group '{name}'")]
    UnknownGroup {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The agent does not belong to the group.
    #[error("the agent '{agent}' is not a member of the group '{group}'")]
    NotAMember {
        /// The agent.
        agent: AgentName,
        /// The group.
        group: String,
    },
    /// The agent's directory cannot be worked in.
    #[error("the directory of agent '{agent}' {fault}{}: {}", on_variables(fault, directory), directory.display())]
    NoDirectory {
        /// The agent.
        agent: AgentName,
        /// Its directory.
        directory: PathBuf,
        /// What is wrong with it.
        fault: DirectoryFault,
    },
    /// The agent's program is not installed.
    #[error("the program '{program}' of agent '{agent}' {why}")]
    NoProgram {
        /// The agent.
        agent: AgentName,
        /// The program.
        program: String,
        /// How it is installed, where that is known.
        installation: Option<&'static Installation>,
        /// Why it cannot be run.
        why: ProgramError,
    },
    /// What is to be run after the end does not exist.
    #[error("the program '{program}', to be run when the job has finished, {why}")]
    NoOnDone {
        /// The program.
        program: String,
        /// Why it cannot be run.
        why: ProgramError,
    },
    /// What says how deep this dispatch is cannot be read.
    #[error(
        "AGENT_DISPATCH_DEPTH is '{said}', which is no number: how deep this dispatch would be is not known"
    )]
    UnknownDepth {
        /// What it says.
        said: String,
    },
    /// Too many dispatches within dispatches.
    #[error("this dispatch would be number {depth} in a chain of agents calling agents; {limit} are allowed")]
    TooDeep {
        /// How deep it would be.
        depth: u32,
        /// How deep it may be.
        limit: u32,
    },
    /// The session is another agent's: it would go on here with what it knows from there.
    #[error("session {session} belongs to the agent '{owner}', which works in {}", directory.display())]
    ForeignSession {
        /// The session.
        session: SessionId,
        /// Whose it is.
        owner: String,
        /// Where that one works.
        directory: PathBuf,
    },
    /// There is no such session.
    #[error("{cli} has no session {session}: {}", no_session(place.as_deref()))]
    UnknownSession {
        /// The agent CLI.
        cli: &'static str,
        /// The session.
        session: SessionId,
        /// Where it was looked for, if that was more than the jobs of the agents there are.
        place: Option<PathBuf>,
    },
    /// One chain of dispatches has made too many jobs.
    #[error("job {root} and the agents it led to have started as many jobs as are allowed: {limit}")]
    TreeTooLarge {
        /// The first job of the chain.
        root: JobId,
        /// How many it may lead to.
        limit: u32,
    },
    /// Too many jobs wait already.
    #[error("the queue is full: as many jobs as are allowed, {limit}, are pending")]
    QueueFull {
        /// How many may wait.
        limit: u32,
    },
    /// The spend cap is more likely a typing mistake.
    #[error(transparent)]
    Cap(#[from] CapTooHigh),
    /// Another user could have written what it would go by.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The task cannot be sent.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The task with everything that goes with it is too long.
    #[error("task and context together have {bytes} bytes; the agent takes at most {limit}")]
    PromptTooLong {
        /// Their length, in bytes.
        bytes: usize,
        /// How long they may be, in bytes.
        limit: usize,
    },
    /// The schema is not one.
    #[error("the JSON Schema for the answer is not valid: {0}")]
    Schema(String),
    /// A value must not stand on a command line.
    #[error(transparent)]
    Argument(#[from] RefusedArgument),
    /// The job could not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place that would take it cannot be reached: nothing was started.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The job was recorded and could not be started.
    #[error("{source}")]
    Start {
        /// The job.
        id: JobId,
        /// What happened.
        source: StartError,
    },
}

/// How it is known that there is no such session.
fn no_session(place: Option<&Path>) -> String {
    match place {
        Some(place) => format!("no folder of {} has it", place.display()),
        None => "no job of the agents there are has had it".to_owned(),
    }
}

/// What may have been meant by a directory that does not exist.
fn on_variables(fault: &DirectoryFault, directory: &Path) -> &'static str {
    let is_variable = |part: std::path::Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b"$");
    if matches!(fault, DirectoryFault::Missing) && directory.components().any(is_variable) {
        " (variables are not replaced in the config; `~` is)"
    } else {
        ""
    }
}
