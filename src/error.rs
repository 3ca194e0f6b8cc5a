//! The error a person sees: what kind it is, what happened, and what to do about it.
//!
//! Every layer has errors of its own; here they become one shape. The kind decides the exit code, the same
//! for every command, and nothing below `commands` knows about exit codes.

use std::process::ExitCode;

use crate::backend::{RefusedArgument, RegistrationError};
use crate::config::{ConfigError, DirectoryProblem, EditError, Untrusted};
use crate::engine::{
    BatchError, CancelError, DispatchError, JobsError, RepeatError, StatsError, TaskError, Unreachable,
};
use crate::os::{FileError, ProgramError, Refusal};
use crate::store::{ErrorType, StoreError};
use crate::supervisor::StartError;
use crate::text::{redact, shell};

/// How a command ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done.
    Success,
    /// The agent failed, or an internal error.
    Failure,
    /// Wrong usage or a broken config.
    Usage,
    /// No such agent, job, directory or agent CLI.
    NotFound,
    /// Denied; with `--strict` also a success with denied tools.
    Denied,
    /// The spend cap was reached.
    Budget,
    /// An account limit or an overloaded API: try later.
    TryLater,
    /// Dispatches are nested too deep.
    Recursion,
    /// Not logged in, a bad key, no credit.
    Auth,
    /// With `--strict`: the agent says partial or blocked, answered nothing, or left commands that had to be stopped.
    Unsatisfactory,
    /// A time limit passed.
    TimedOut,
    /// Interrupted, or the job was cancelled.
    Interrupted,
    /// Told to terminate.
    Terminated,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Budget => 5,
            Self::TryLater => 6,
            Self::Recursion => 7,
            Self::Auth => 8,
            Self::Unsatisfactory => 9,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<ErrorType> for Exit {
    fn from(error_type: ErrorType) -> Self {
        match error_type {
            ErrorType::CliError | ErrorType::Lost | ErrorType::Incomplete | ErrorType::OutputLimit => {
                Self::Failure
            }
            ErrorType::NotFound => Self::NotFound,
            ErrorType::Permission => Self::Denied,
            ErrorType::Budget => Self::Budget,
            ErrorType::UsageLimit | ErrorType::Overloaded => Self::TryLater,
            ErrorType::Recursion => Self::Recursion,
            ErrorType::Auth => Self::Auth,
            ErrorType::Timeout => Self::TimedOut,
            ErrorType::Cancelled => Self::Interrupted,
        }
    }
}

/// A command that did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure it is.
    pub exit: Exit,
    /// What happened, and where.
    pub message: String,
    /// What to do about it; every command in it exists.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: redact(&message.to_string()), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(redact(&hint.into()));
        self
    }

    /// The message, and the hint in brackets.
    pub fn on_one_line(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{hint}", self.message)
    }

    fn maybe_hint(mut self, hint: Option<impl AsRef<str>>) -> Self {
        self.hint = hint.map(|hint| redact(hint.as_ref()));
        self
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let (exit, hint) = match &error {
            FileError::Refused { reason: Refusal::OpenToOthers(_), .. } => (
                Exit::Usage,
                Some(format!(
                    "run `chmod 700 {}`, or choose another directory with --jobs-dir",
                    shell::path(error.path())
                )),
            ),
            FileError::Refused { .. } => (
                Exit::Usage,
                Some("choose another place with --jobs-dir or AGENT_DISPATCH_JOBS_DIR".to_owned()),
            ),
            FileError::Io { .. } => match error.io_kind() {
                Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => (
                    Exit::Failure,
                    Some("free some space: `agent-dispatch gc --older-than 7d` deletes old jobs".to_owned()),
                ),
                Some(std::io::ErrorKind::FileTooLarge) => (
                    Exit::Failure,
                    Some("`ulimit -f` bounds how large a file may become here: raise it".to_owned()),
                ),
                Some(std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem) => (
                    Exit::Usage,
                    Some(
                        "choose a directory you can write to with --jobs-dir or AGENT_DISPATCH_JOBS_DIR"
                            .to_owned(),
                    ),
                ),
                // What leads to the jobs directory is no directory, or none that takes new names (/proc).
                Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
                    if matches!(&error, FileError::Io { action: "create", .. }) =>
                {
                    (
                        Exit::Usage,
                        Some("choose another place with --jobs-dir or AGENT_DISPATCH_JOBS_DIR".to_owned()),
                    )
                }
                _ => (Exit::Failure, None),
            },
        };
        Self::new(exit, &error).maybe_hint(hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let list = "`agent-dispatch jobs` lists them";
        match error {
            StoreError::NoSuchJob(_) | StoreError::NoSuchPrefix(_) => {
                Self::new(Exit::NotFound, &error).hint(list)
            }
            StoreError::AmbiguousPrefix { .. } => {
                Self::new(Exit::Usage, &error).hint(format!("give more of the id; {list}"))
            }
            StoreError::Empty(_) => {
                Self::new(Exit::NotFound, &error).hint("start one with `agent-dispatch run AGENT TASK`")
            }
            StoreError::Damaged { .. } => Self::new(Exit::Failure, &error)
                .hint("the agent's output, if there is any, is in the job's folder"),
            StoreError::Unreadable { ref path, error: ref cause } => {
                let is_denied = cause.io_kind() == Some(std::io::ErrorKind::PermissionDenied);
                let mend = || format!("make it readable again: `chmod 600 {}`", shell::path(path));
                Self::new(Exit::Failure, &error).maybe_hint(is_denied.then(mend))
            }
            StoreError::Newer { .. } => Self::new(Exit::Failure, &error)
                .hint("use the newer version, or install it in the place of this one"),
            StoreError::File(error) => error.into(),
        }
    }
}

impl From<JobsError> for Failure {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Store(error) => error.into(),
            JobsError::Unreachable(error) => error.into(),
            JobsError::Io(_) => Self::new(Exit::Failure, &error),
            JobsError::Backend { job, .. } => Self::new(Exit::Failure, &error)
                .hint(format!("`agent-dispatch logs {job} --raw` prints it as it is")),
        }
    }
}

impl From<Unreachable> for Failure {
    fn from(error: Unreachable) -> Self {
        Self::new(Exit::TryLater, &error)
    }
}

impl From<RegistrationError> for Failure {
    fn from(error: RegistrationError) -> Self {
        match &error {
            RegistrationError::Damaged { title, copies, .. } => Self::new(Exit::Usage, &error).hint(format!(
                "mend it there, or put back one of the copies that {title} keeps in {}; then repeat this",
                copies.display()
            )),
            RegistrationError::Refused { by_hand, .. } => {
                Self::new(Exit::Failure, &error).hint(format!("register it by hand: {by_hand}"))
            }
        }
    }
}

impl From<CancelError> for Failure {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Jobs(error) => error.into(),
            CancelError::Foreign { .. } => Self::new(Exit::Failure, &error),
        }
    }
}

impl From<StatsError> for Failure {
    fn from(error: StatsError) -> Self {
        match error {
            StatsError::Off => {
                Self::new(Exit::Usage, &error).hint("remove `settings.usage_log` from the config file")
            }
            StatsError::Untrusted(error) => error.into(),
            StatsError::File(error) => error.into(),
            StatsError::Jobs(error) => error.into(),
        }
    }
}

impl From<Untrusted> for Failure {
    fn from(error: Untrusted) -> Self {
        let hint = error.hint();
        Self::new(Exit::Usage, error).hint(hint)
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        let hint = match error {
            TaskError::Empty => "say what to do: an argument, a pipe, or --task-file FILE",
            TaskError::TooLong { .. } => {
                "put the material into a file in the agent's directory and name it in the task"
            }
        };
        Self::new(Exit::Usage, error).hint(hint)
    }
}

impl From<RepeatError> for Failure {
    fn from(error: RepeatError) -> Self {
        match error {
            RepeatError::Task(error) => error.into(),
            RepeatError::Backend(_) => Self::new(Exit::Usage, &error)
                .hint("use the version that started the job, or make the request anew with `agent-dispatch run AGENT TASK`"),
            RepeatError::Limit { .. } => Self::new(Exit::Usage, error)
                .hint("this program does not write that; make the request anew with `agent-dispatch run AGENT TASK`"),
        }
    }
}

impl From<DispatchError> for Failure {
    fn from(error: DispatchError) -> Self {
        let did_you_mean = |nearest: &Option<String>, list: &str| match nearest {
            Some(name) => format!("did you mean '{name}'? {list}"),
            None => list.to_owned(),
        };
        match &error {
            DispatchError::UnknownAgent { name, nearest } => {
                let nearest = nearest.as_ref().map(ToString::to_string);
                let list = if nearest.is_some() || name.is_empty() {
                    "`agent-dispatch agents list` lists the agents".to_owned()
                } else {
                    "`agent-dispatch agents list` lists the agents, `agent-dispatch agents add NAME DIR` adds one"
                        .to_owned()
                };
                Self::new(Exit::NotFound, &error).hint(did_you_mean(&nearest, &list))
            }
            DispatchError::UnknownGroup { nearest, .. } => {
                let list = "`agent-dispatch groups list` lists the groups";
                let list = match nearest {
                    Some(_) => list.to_owned(),
                    None => format!("{list}, `agent-dispatch groups add NAME --member AGENT` makes one"),
                };
                Self::new(Exit::NotFound, &error).hint(did_you_mean(nearest, &list))
            }
            DispatchError::NotAMember { agent, group } => Self::new(Exit::Usage, &error).hint(format!(
                "leave --group out, or make the agent a member: `agent-dispatch groups update {group} --member {agent}`"
            )),
            DispatchError::NoDirectory { directory, fault, .. } if fault.barrier(directory).is_some() => {
                let barrier = fault.barrier(directory).unwrap_or(directory);
                let hint = format!("let yourself in: `chmod u+x {}`, or ask its owner to", shell::path(barrier));
                Self::new(Exit::NotFound, &error).hint(hint)
            }
            DispatchError::NoDirectory { agent, .. } => Self::new(Exit::NotFound, &error).hint(format!(
                "point the agent elsewhere with `agent-dispatch agents update {agent} --directory DIR`, or drop it \
                 with `agent-dispatch agents remove {agent}`"
            )),
            DispatchError::NoProgram { why: ProgramError::NotExecutable(file), .. }
            | DispatchError::NoOnDone { why: ProgramError::NotExecutable(file), .. } => {
                Self::new(Exit::NotFound, &error)
                    .hint(format!("make it executable: `chmod +x {}`", shell::path(file)))
            }
            DispatchError::NoProgram { installation: Some(installation), .. } => {
                Self::new(Exit::NotFound, &error).hint(installation.to_string())
            }
            DispatchError::NoProgram { agent, .. } => Self::new(Exit::NotFound, &error)
                .hint(format!(
                    "install it, or change the agent's command: `agent-dispatch agents update {agent} --command PROGRAM`"
                )),
            DispatchError::NoOnDone { .. } => Self::new(Exit::NotFound, &error)
                .hint("give its path; one that is not absolute is meant from the agent's directory"),
            DispatchError::TooDeep { .. } => Self::new(Exit::Recursion, &error)
                .hint("answer with what is known here, or raise `settings.max_dispatch_depth` in the config file"),
            DispatchError::UnknownDepth { .. } => Self::new(Exit::Recursion, &error)
                .hint("give it the value that agent-dispatch set for the agent; where no agent calls, `unset AGENT_DISPATCH_DEPTH`"),
            DispatchError::ForeignSession { session, owner, .. } => Self::new(Exit::NotFound, &error)
                .hint(format!("go on with it there: `agent-dispatch run {owner} TASK --session {session}`")),
            DispatchError::UnknownSession { cli, place, .. } => {
                let reason = match place {
                    Some(place) => format!("no folder of {} has it; {cli} deletes sessions after a while", place.display()),
                    None => "no job of the agents there are has had it".to_owned(),
                };
                Self::new(Exit::NotFound, &error)
                    .hint(format!("{reason}: dispatch without `--session`, that makes a new one"))
            }
            DispatchError::TreeTooLarge { .. } => Self::new(Exit::Recursion, &error)
                .hint("answer with what is known here, or raise `settings.max_tree_jobs` in the config file"),
            DispatchError::QueueFull { .. } => Self::new(Exit::TryLater, &error)
                .hint("`agent-dispatch jobs --status pending` lists them; `settings.max_queued` in the config file sets the limit"),
            DispatchError::PromptTooLong { .. } => Self::new(Exit::Usage, &error)
                .hint("put the material into a file in the agent's directory and name it in the task"),
            DispatchError::Schema(_) => Self::new(Exit::Usage, &error).hint("see https://json-schema.org"),
            DispatchError::Argument(RefusedArgument::FlagLike { .. }) => {
                Self::new(Exit::Usage, &error).hint("values that begin with '-' are never passed on")
            }
            DispatchError::Argument(RefusedArgument::NotASession { .. }) => Self::new(Exit::Usage, &error)
                .hint("`agent-dispatch result JOB --json` has the id of a job's session in `session_id`"),
            DispatchError::Argument(_) => Self::new(Exit::Usage, &error),
            DispatchError::Start { source: StartError::Sandboxed, .. } => Self::new(Exit::Failure, &error)
                .hint("run agent-dispatch outside the sandbox"),
            DispatchError::Start { source: StartError::File(_) | StartError::Store(_), .. } => match error {
                DispatchError::Start { source: StartError::File(error), .. } => error.into(),
                DispatchError::Start { source: StartError::Store(error), .. } => error.into(),
                error => Self::new(Exit::Failure, error),
            },
            DispatchError::Start { id, .. } => Self::new(Exit::Failure, &error)
                .hint(format!("what is known about it: `agent-dispatch status {id}`")),
            DispatchError::Cap(_) => Self::new(Exit::Usage, &error),
            DispatchError::Untrusted(error) => error.clone().into(),
            DispatchError::Task(error) => (*error).into(),
            DispatchError::Unreachable(error) => error.clone().into(),
            DispatchError::Store(_) => match error {
                DispatchError::Store(error) => error.into(),
                error => Self::new(Exit::Failure, error),
            },
        }
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Empty => Self::new(Exit::Usage, &error)
                .hint("see `agent-dispatch batch --help` for what a file looks like"),
            BatchError::NoRoom(error) => error.into(),
            BatchError::Refused(refused) => {
                let mut exit = Exit::Usage;
                let mut lines = vec!["nothing was started, because:".to_owned()];
                for (number, refusal) in refused.into_iter().enumerate() {
                    let failure = Self::from(refusal.error);
                    lines.push(format!("  {}: {}", refusal.item, failure.on_one_line()));
                    exit = if number == 0 { failure.exit } else { exit };
                }
                Self::new(exit, lines.join("\n"))
            }
            BatchError::Broken { ref started, .. } => {
                let message = error.to_string();
                let ids: Vec<String> = started.iter().map(ToString::to_string).collect();
                Self::new(Exit::Failure, message)
                    .hint(format!("stop those that go on with `agent-dispatch cancel {}`", ids.join(" ")))
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Usage, &error).maybe_hint(hint)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let exit = match &error {
            EditError::Unknown { .. }
            | EditError::NotAMember { .. }
            | EditError::Directory {
                problem: DirectoryProblem::Missing | DirectoryProblem::NotADirectory,
                ..
            } => Exit::NotFound,
            // Nothing that was typed or written is wrong.
            EditError::Locked { .. } | EditError::NoLock { .. } | EditError::File(_) => Exit::Failure,
            EditError::Config(_)
            | EditError::NotAFile { .. }
            | EditError::Directory { .. }
            | EditError::Exists { .. }
            | EditError::Refused { .. }
            | EditError::Entangled { .. } => Exit::Usage,
        };
        let hint = error.hint();
        Self::new(exit, &error).maybe_hint(hint)
    }
}
