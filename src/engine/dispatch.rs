//! From a request to a running job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::collect::collect_by_itself;
use super::stats::journal;
use super::{DirectoryFault, PROMPT_LIMIT_BYTES, Prepared, Request, Surroundings, TaskError};
use crate::backend::{RefusedArgument, SessionId};
use crate::config::{AgentName, CapTooHigh, Config, Untrusted};
use crate::os::{self, ProgramError};
use crate::store::{
    ErrorType, Finished, HeldJob, JobId, JobResult, Journal, Record, State, Store, StoreError, UnixSeconds,
    Verdict,
};
use crate::supervisor::{self, Order, OwnerPipe, Ownership, StartError};

/// How long a command that is run after the end may take, in milliseconds: it is to tell somebody, not to work.
const ON_DONE_LIMIT_MS: u64 = 60_000;

/// Tells the agent's own dispatches where the jobs are: a chain of dispatches shares one directory.
const JOBS_DIR_VARIABLE: &str = "AGENT_DISPATCH_JOBS_DIR";

/// And where the agents and the limits are.
const CONFIG_VARIABLE: &str = "AGENT_DISPATCH_CONFIG";

/// Starts jobs.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) surroundings: Surroundings,
    /// Whether a session that is gone on with must be one that a job of these agents has had.
    pub(super) only_own_sessions: bool,
}

/// A job that has just been started.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub id: JobId,
    /// What ties it to this process, if anything does.
    pub owner: Option<OwnerPipe>,
}

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
        /// Why it cannot be run.
        why: ProgramError,
    },
    /// What is to be run after the end does not exist.
    #[error("the program '{program}', to be run when the job is over, {why}")]
    NoOnDone {
        /// The program.
        program: String,
        /// Why it cannot be run.
        why: ProgramError,
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
    #[error("Claude Code has no session {session}")]
    UnknownSession {
        /// The session.
        session: SessionId,
        /// Where it was looked for.
        transcripts: PathBuf,
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
    #[error("as many jobs as are allowed, {limit}, are waiting for their turn already")]
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
    #[error("task and context together have {bytes} bytes; agents take at most {PROMPT_LIMIT_BYTES}")]
    PromptTooLong {
        /// Their length, in bytes.
        bytes: usize,
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
    /// The job was recorded and could not be started.
    #[error("{source}")]
    Start {
        /// The job.
        id: JobId,
        /// What happened.
        source: StartError,
    },
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

impl Engine {
    /// An engine for these agents, jobs and surroundings.
    pub fn new(config: Config, store: Store, surroundings: Surroundings) -> Self {
        let journal = journal(&config, surroundings.usage_log.as_deref());
        Self { config, store: store.noting_in(move || journal), surroundings, only_own_sessions: false }
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

    /// Records a job and starts its supervisor, at the time `now`. When this returns, the job survives its
    /// caller, unless `ownership` says otherwise.
    ///
    /// Everything that can be refused is refused before a job exists.
    pub fn submit(
        &self,
        request: &Request,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        self.start(self.prepare(request)?, ownership, now)
    }

    /// The second half of [`Self::submit`].
    pub fn start(
        &self,
        prepared: Prepared,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        let id = prepared.id();
        let owner = OwnerPipe::open(ownership).map_err(|source| DispatchError::Start { id, source })?;
        self.start_tied(prepared, owner.as_ref(), now)?;
        self.forget_old_jobs(now);
        Ok(Submitted { id, owner })
    }

    /// Starts a job that is tied to `owner`, if there is one.
    pub(super) fn start_tied(
        &self,
        prepared: Prepared,
        owner: Option<&OwnerPipe>,
        now: UnixSeconds,
    ) -> Result<(), DispatchError> {
        let admission = self.admit()?;
        if let Some(root) = self.root() {
            let limit = self.config.settings.max_tree_jobs;
            if self.store.count_in_tree(root)? > u64::from(limit) {
                return Err(DispatchError::TreeTooLarge { root, limit });
            }
        }
        let record = Record { created_at: now, ..prepared.record };
        let job = self.store.create(&record)?;
        drop(admission);
        let started = || -> Result<(), StartError> {
            let folder = job.folder()?;
            for (name, content) in &prepared.command_line.files {
                folder.put(name, content.as_bytes())?;
            }
            let order = Order {
                launch: record.launch.clone(),
                argv: prepared.command_line.argv,
                environment: vec![
                    (JOBS_DIR_VARIABLE.to_owned(), self.store.path().as_os_str().to_owned()),
                    (CONFIG_VARIABLE.to_owned(), self.config.path.as_os_str().to_owned()),
                ],
                exclusive: prepared.exclusive,
                fail_if_busy: prepared.fail_if_busy,
                parent_waits: self.surroundings.parent.filter(|_| owner.is_some()),
                max_concurrency: self.config.settings.max_concurrency,
                config: self.config.path.clone().into(),
                usage_log: prepared.journal.as_ref().map(|journal| journal.path().into()),
                umask: os::umask(),
                grace_ms: prepared.grace_ms,
                output_limit_bytes: u64::from(self.config.settings.output_limit_mb) * 1024 * 1024,
                on_done: prepared.on_done,
                on_done_limit_ms: ON_DONE_LIMIT_MS,
            };
            supervisor::start(&self.store, &job, &folder, &order, prepared.prompt.as_bytes(), owner)
        };
        let id = record.id;
        started().map_err(|source| {
            self.conclude_unstarted(job, record, &source, prepared.journal.as_ref(), now);
            DispatchError::Start { id, source }
        })
    }

    /// Deletes jobs older than `job_retention_days`, if it is time for that. What goes wrong with it is no concern of
    /// whoever starts a job: `gc` tells.
    pub(super) fn forget_old_jobs(&self, now: UnixSeconds) {
        let days = self.config.settings.job_retention_days;
        if days > 0 {
            let retention = Duration::from_secs(u64::from(days) * 86_400);
            let _ = collect_by_itself(&self.store, retention, now);
        }
    }

    /// Records that a job was never started.
    fn conclude_unstarted(
        &self,
        job: HeldJob<'_>,
        mut record: Record,
        why: &StartError,
        journal: Option<&Journal>,
        now: UnixSeconds,
    ) {
        let (id, error) = (record.id, why.to_string());
        let _ = job.folder().map(|folder| folder.remove_temporary());
        record.state = State::Finished(Box::new(Finished {
            started_at: None,
            completed_at: now,
            verdict: Verdict::Failed,
            result: Some(JobResult::failure(id, &record.agent, ErrorType::CliError, &error)),
            error: Some(error),
        }));
        if let Err((job, _)) = job.finish(&record, journal) {
            // Nothing was started, so nothing is lost with a record that cannot say so.
            let _ = self.store.delete(id);
            job.retire();
        }
    }

    /// The id of the next job. Ids say who came first: where the clock has been set back, a job would get before those
    /// that wait already.
    pub(super) fn next_id(&self) -> Result<JobId, StoreError> {
        let last = self.store.queued()?.last().copied();
        Ok(last.map_or_else(JobId::generate, JobId::generate_after))
    }

    /// The first job of the chain that led here, if this is one.
    pub(super) fn root(&self) -> Option<JobId> {
        self.surroundings.root.or_else(|| {
            let parent = self.surroundings.parent?;
            Some(self.store.read(parent).ok().and_then(|record| record.launch.root).unwrap_or(parent))
        })
    }
}
