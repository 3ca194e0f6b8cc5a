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
use crate::model::{Access, Remedy};
use crate::os::{FileError, ProgramError, Refusal};
use crate::store::{ErrorType, StoreError};
use crate::supervisor::StartError;
use crate::text::redact;

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
    /// What led to it, where that is several things; each has a remedy of its own.
    pub causes: Vec<Self>,
    /// What would help.
    pub remedy: Option<Box<Remedy>>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: redact(&message.to_string()), causes: Vec::new(), remedy: None }
    }

    /// Adds what would help.
    #[must_use]
    pub fn remedy(self, remedy: Remedy) -> Self {
        Self { remedy: Some(Box::new(remedy)), ..self }
    }

    /// Adds how the request is put right.
    #[must_use]
    pub fn correct(self, how: impl Into<String>) -> Self {
        self.remedy(Remedy::CorrectRequest { how: redact(&how.into()) })
    }

    /// The same with the name of what it is about in front.
    #[must_use]
    pub fn about(self, what: impl std::fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// What happened, each cause on a line with what would help; `tell` puts that into words.
    pub fn text(&self, tell: &impl Fn(&Remedy) -> String) -> String {
        let line = |cause: &Self| {
            let remedy = cause.remedy.as_ref().map(|remedy| format!(" ({})", tell(remedy)));
            format!("\n  {}{}", cause.text(tell), remedy.unwrap_or_default())
        };
        self.message.clone() + &self.causes.iter().map(line).collect::<String>()
    }

    fn maybe(self, remedy: Option<Remedy>) -> Self {
        Self { remedy: remedy.map(Box::new), ..self }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        use std::io::ErrorKind;
        let elsewhere = Some(Remedy::ChooseJobsDirectory {});
        let (exit, remedy) = match &error {
            FileError::Refused { reason: Refusal::OpenToOthers(_), .. } => (
                Exit::Usage,
                Some(Remedy::GrantAccess { path: error.path().to_owned(), access: Access::Private }),
            ),
            FileError::Refused { .. } => (Exit::Usage, elsewhere),
            FileError::Io { action, .. } => match error.io_kind() {
                Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                    (Exit::Failure, Some(Remedy::FreeSpace {}))
                }
                Some(ErrorKind::FileTooLarge) => (Exit::Failure, Some(Remedy::RaiseFileSizeLimit {})),
                Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => (Exit::Usage, elsewhere),
                // What leads to the jobs directory is no directory, or none that takes new names (/proc).
                Some(ErrorKind::NotFound | ErrorKind::NotADirectory) if *action == "create" => {
                    (Exit::Usage, elsewhere)
                }
                _ => (Exit::Failure, None),
            },
        };
        Self::new(exit, &error).maybe(remedy)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (exit, remedy) = match &error {
            StoreError::NoSuchJob(_) | StoreError::NoSuchPrefix(_) => {
                (Exit::NotFound, Some(Remedy::ListJobs {}))
            }
            StoreError::AmbiguousPrefix { .. } => (Exit::Usage, Some(Remedy::NameJob {})),
            StoreError::Empty(_) => (Exit::NotFound, Some(Remedy::StartJob {})),
            StoreError::Damaged { .. } => {
                let how = "the agent's output, if there is any, is in the job's folder";
                return Self::new(Exit::Failure, &error).correct(how);
            }
            StoreError::Unreadable { path, error: cause } => {
                let is_denied = cause.io_kind() == Some(std::io::ErrorKind::PermissionDenied);
                let grant = || Remedy::GrantAccess { path: path.clone(), access: Access::ReadWrite };
                (Exit::Failure, is_denied.then(grant))
            }
            StoreError::Newer { .. } => (Exit::Failure, Some(Remedy::UseNewerVersion {})),
            StoreError::File(_) => match error {
                StoreError::File(error) => return error.into(),
                error => return Self::new(Exit::Failure, error),
            },
        };
        Self::new(exit, &error).maybe(remedy)
    }
}

impl From<JobsError> for Failure {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Store(error) => error.into(),
            JobsError::Unreachable(error) => error.into(),
            JobsError::Io(_) => Self::new(Exit::Failure, &error),
            JobsError::Backend { ref job, .. } => {
                Self::new(Exit::Failure, &error).remedy(Remedy::ReadOutput { job_id: *job })
            }
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
            RegistrationError::Damaged { title, copies, .. } => {
                Self::new(Exit::Usage, &error).correct(format!(
                    "mend it there, or put back one of the copies that {title} keeps in {}; then repeat this",
                    copies.display()
                ))
            }
            RegistrationError::Refused { by_hand, .. } => {
                Self::new(Exit::Failure, &error).correct(format!("register it by hand: {by_hand}"))
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
                Self::new(Exit::Usage, &error).correct("remove `settings.usage_log` from the config file")
            }
            StatsError::Untrusted(error) => error.into(),
            StatsError::File(error) => error.into(),
            StatsError::Jobs(error) => error.into(),
        }
    }
}

impl From<Untrusted> for Failure {
    fn from(error: Untrusted) -> Self {
        Self::new(Exit::Usage, &error).remedy(error.remedy())
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self::new(Exit::Usage, error).remedy(match error {
            TaskError::Empty => Remedy::GiveTask {},
            TaskError::TooLong { .. } => Remedy::PassAsFile {},
        })
    }
}

impl From<RepeatError> for Failure {
    fn from(error: RepeatError) -> Self {
        match error {
            RepeatError::Task(error) => error.into(),
            RepeatError::Backend(_) => Self::new(Exit::Usage, &error).remedy(Remedy::UseNewerVersion {}),
            RepeatError::Limit { .. } => {
                Self::new(Exit::Usage, error).remedy(Remedy::StartNewSession { agent: None })
            }
        }
    }
}

impl From<DispatchError> for Failure {
    fn from(error: DispatchError) -> Self {
        let (exit, remedy) = match &error {
            DispatchError::UnknownAgent { nearest, .. } => {
                let nearest = nearest.as_ref().map(ToString::to_string);
                (Exit::NotFound, Remedy::ChooseAgent { nearest })
            }
            DispatchError::UnknownGroup { nearest, .. } => {
                (Exit::NotFound, Remedy::ChooseGroup { nearest: nearest.clone() })
            }
            DispatchError::NotAMember { agent, group } => {
                (Exit::Usage, Remedy::AddMember { group: group.clone(), agent: agent.to_string() })
            }
            DispatchError::NoDirectory { agent, directory, fault } => {
                let remedy = match fault.barrier(directory) {
                    Some(barrier) => Remedy::GrantAccess { path: barrier.to_owned(), access: Access::Enter },
                    None => Remedy::MoveAgent { agent: agent.to_string() },
                };
                (Exit::NotFound, remedy)
            }
            DispatchError::NoProgram { why: ProgramError::NotExecutable(file), .. }
            | DispatchError::NoOnDone { why: ProgramError::NotExecutable(file), .. } => {
                (Exit::NotFound, Remedy::GrantAccess { path: file.clone(), access: Access::Execute })
            }
            DispatchError::NoProgram { agent, installation, .. } => {
                let how = installation.as_ref().map(ToString::to_string);
                (Exit::NotFound, Remedy::InstallProgram { agent: agent.to_string(), how })
            }
            DispatchError::NoOnDone { .. } => (
                Exit::NotFound,
                correct("give its path; one that is not absolute is meant from the agent's directory"),
            ),
            DispatchError::TooDeep { .. } => {
                (Exit::Recursion, Remedy::AnswerHere { setting: "max_dispatch_depth".to_owned() })
            }
            DispatchError::TreeTooLarge { .. } => {
                (Exit::Recursion, Remedy::AnswerHere { setting: "max_tree_jobs".to_owned() })
            }
            DispatchError::UnknownDepth { .. } => (Exit::Recursion, Remedy::RestoreDepth {}),
            DispatchError::ForeignSession { session, owner, .. } => (
                Exit::NotFound,
                Remedy::ContinueSession { agent: owner.clone(), session_id: session.to_string() },
            ),
            DispatchError::UnknownSession { .. } => (Exit::NotFound, Remedy::StartNewSession { agent: None }),
            DispatchError::QueueFull { .. } => (Exit::TryLater, Remedy::WaitForQueue {}),
            DispatchError::PromptTooLong { .. } => (Exit::Usage, Remedy::PassAsFile {}),
            DispatchError::Schema(_) => (Exit::Usage, correct("see https://json-schema.org")),
            DispatchError::Argument(RefusedArgument::FlagLike { .. }) => {
                (Exit::Usage, correct("values that begin with '-' are never passed on"))
            }
            DispatchError::Argument(RefusedArgument::NotASession { .. }) => {
                (Exit::Usage, Remedy::FindSession {})
            }
            DispatchError::Argument(_) | DispatchError::Cap(_) => return Self::new(Exit::Usage, &error),
            DispatchError::Start { source: StartError::Sandboxed, .. } => {
                (Exit::Failure, Remedy::LeaveSandbox {})
            }
            DispatchError::Start { source: StartError::File(_) | StartError::Store(_), .. } => match error {
                DispatchError::Start { source: StartError::File(error), .. } => return error.into(),
                DispatchError::Start { source: StartError::Store(error), .. } => return error.into(),
                error => return Self::new(Exit::Failure, error),
            },
            DispatchError::Start { id, .. } => (Exit::Failure, Remedy::ShowJob { job_id: *id }),
            DispatchError::Untrusted(error) => return error.clone().into(),
            DispatchError::Task(error) => return (*error).into(),
            DispatchError::Unreachable(error) => return error.clone().into(),
            DispatchError::Store(_) => match error {
                DispatchError::Store(error) => return error.into(),
                error => return Self::new(Exit::Failure, error),
            },
        };
        Self::new(exit, &error).remedy(remedy)
    }
}

fn correct(how: &str) -> Remedy {
    Remedy::CorrectRequest { how: how.to_owned() }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Empty => {
                Self::new(Exit::Usage, &error).remedy(Remedy::ReadHelp { command: vec!["batch".to_owned()] })
            }
            BatchError::NoRoom(error) => error.into(),
            BatchError::Refused(refused) => {
                let causes: Vec<Self> = refused
                    .into_iter()
                    .map(|refusal| Self::from(refusal.error).about(refusal.item))
                    .collect();
                let exit = causes.first().map_or(Exit::Usage, |cause| cause.exit);
                Self { causes, ..Self::new(exit, "nothing was started, because:") }
            }
            BatchError::Broken { ref started, .. } => {
                let job_ids = started.clone();
                Self::new(Exit::Failure, &error).remedy(Remedy::CancelJobs { job_ids })
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let remedy = error.remedy();
        Self::new(Exit::Usage, &error).maybe(remedy)
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
        let remedy = error.remedy();
        Self::new(exit, &error).maybe(remedy)
    }
}
