//! From a request to a running job.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::{PROMPT_LIMIT_BYTES, Request, TaskError, prompt};
use crate::backend::{Assignment, Backend, RefusedArgument, Session, check_schema};
use crate::config::{Agent, AgentName, BackendKind, BudgetUsd, Config, Group, GroupName, Timeout};
use crate::store::{
    ErrorType, Finished, JobId, JobResult, Launch, Record, State, Store, StoreError, UnixSeconds, Verdict,
};
use crate::supervisor::{self, Order, OwnerPipe, Ownership, StartError};

/// How long an agent has between the request to end and its death, in milliseconds. Claude Code answers an
/// interrupt in under 250 ms.
const GRACE_MS: u64 = 2_000;

/// Tells the agent's own dispatches where the jobs are: a chain of dispatches shares one directory.
const JOBS_DIR_VARIABLE: &str = "AGENT_DISPATCH_JOBS_DIR";

/// And where the agents and the limits are.
const CONFIG_VARIABLE: &str = "AGENT_DISPATCH_CONFIG";

/// How many of the newest jobs are asked whose a session is. One that is older passes unchecked.
const SESSIONS_LOOKED_AT: usize = 200;

/// The program of the claude backend.
const CLAUDE: &str = "claude";

/// What a dispatch is embedded in: who dispatches, and from how deep.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// How deep the caller is: 0 for a person or a script, the caller's own depth when it is an agent.
    pub depth: u32,
    /// The job the caller works on.
    pub parent: Option<JobId>,
    /// The first job of the chain that led to the caller.
    pub root: Option<JobId>,
    /// The directories programs are looked for in, as in `PATH`.
    pub path: Option<std::ffi::OsString>,
}

impl Surroundings {
    /// Reads them from this process's environment and ancestry: whichever says that it is deeper. Clearing the
    /// environment does not make an agent's dispatch look like a person's.
    pub fn of_this_process() -> Self {
        let variable = |name| std::env::var(name).ok();
        let depth = variable(supervisor::DEPTH_VARIABLE).and_then(|depth| depth.parse().ok()).unwrap_or(0);
        let parent = variable(supervisor::JOB_VARIABLE).and_then(|id| id.parse().ok());
        let path = std::env::var_os("PATH");
        match supervisor::enclosing_job() {
            Some(enclosing) => Self {
                depth: depth.max(enclosing.launch.depth.unwrap_or(1)),
                parent: Some(enclosing.id),
                root: Some(enclosing.launch.root.unwrap_or(enclosing.id)),
                path,
            },
            None => Self { depth, parent, root: None, path },
        }
    }
}

/// Starts jobs.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    store: Store,
    surroundings: Surroundings,
}

/// A job that has just been started.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub id: JobId,
    /// What ties it to this process.
    pub owner: OwnerPipe,
    /// What was asked for and means nothing to the agent's program.
    pub ignored: Vec<&'static str>,
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
    /// The agent's directory is gone.
    #[error("the directory of agent '{agent}' does not exist: {}", directory.display())]
    NoDirectory {
        /// The agent.
        agent: AgentName,
        /// Its directory.
        directory: PathBuf,
    },
    /// The agent's program is not installed.
    #[error("the program '{program}' of agent '{agent}' was not found{}", if program.contains('/') { "" } else { " on PATH" })]
    NoProgram {
        /// The agent.
        agent: AgentName,
        /// The program.
        program: String,
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
        session: String,
        /// Whose it is.
        owner: String,
        /// Where that one works.
        directory: PathBuf,
    },
    /// One chain of dispatches has made too many jobs.
    #[error("job {root} and the agents it led to have started {limit} jobs, which is as many as are allowed")]
    TreeTooLarge {
        /// The first job of the chain.
        root: JobId,
        /// How many it may lead to.
        limit: u32,
    },
    /// Too many jobs wait already.
    #[error("{limit} jobs are waiting for their turn already, which is as many as are allowed")]
    QueueFull {
        /// How many may wait.
        limit: u32,
    },
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

impl Engine {
    /// An engine for these agents, jobs and surroundings.
    pub fn new(config: Config, store: Store, surroundings: Surroundings) -> Self {
        Self { config, store, surroundings }
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
        let (name, agent) = self.agent(&request.agent)?;
        let shared_context = match &request.group {
            Some(group) => Some(self.group_of(group, name)?.shared_context.as_str()),
            None => None,
        };
        let depth = self.surroundings.depth.saturating_add(1);
        let limit = self.config.settings.max_dispatch_depth;
        if depth > limit {
            return Err(DispatchError::TooDeep { depth, limit });
        }
        if !agent.directory.is_dir() {
            return Err(DispatchError::NoDirectory {
                agent: name.clone(),
                directory: agent.directory.clone(),
            });
        }
        if let Some(session) = &request.session {
            self.check_session(session, name, agent)?;
        }
        let program = self.program(name, agent)?;
        if let Some(schema) = &request.response_schema {
            check_schema(schema).map_err(DispatchError::Schema)?;
        }

        let backend = match agent.backend {
            BackendKind::Claude => Backend::Claude,
            BackendKind::Command => Backend::Command,
        };
        let prompt = backend.prompt(&prompt::prompt(request, shared_context));
        if prompt.len() > PROMPT_LIMIT_BYTES {
            return Err(DispatchError::PromptTooLong { bytes: prompt.len() });
        }
        let effective = agent.effective(&self.config.settings);
        let timeout = request.timeout.unwrap_or(effective.timeout);
        let budget = request.max_budget_usd.or(effective.max_budget_usd);
        let system_prompt =
            prompt::system_prompt(agent, self.config.settings.dispatch_protocol, timeout, budget);
        let session = match &request.session {
            Some(id) => Session::Resume(id.clone()),
            None => Session::New(uuid::Uuid::new_v4().to_string()),
        };

        let queued = self.store.queued()?;
        let max_queued = self.config.settings.max_queued;
        if queued.len() >= max_queued as usize {
            return Err(DispatchError::QueueFull { limit: max_queued });
        }
        // Ids say who came first. Where the clock has been set back, a job would get before those that wait already.
        let id = queued.last().map_or_else(JobId::generate, |last| JobId::generate_after(*last));
        let root = self.surroundings.root.or_else(|| self.root_of_parent());
        let mut record = Record::pending(id, name.as_str(), request.task.as_str(), now);
        let folder = self.store.path().join(record.id.to_string());
        let command_line = backend.command_line(&Assignment {
            program: &program,
            arguments: agent.command.get(1..).unwrap_or_default(),
            system_prompt: system_prompt.as_deref(),
            session: &session,
            model: request.model.as_deref().or(agent.model.as_deref()),
            permission_mode: effective.permission_mode,
            allowed_tools: effective.allowed_tools,
            disallowed_tools: effective.disallowed_tools,
            max_budget_usd: budget.map(BudgetUsd::dollars),
            response_schema: request.response_schema.as_ref(),
            job_directory: &folder,
        })?;
        record.context = request.context.clone();
        record.caller = request.caller.clone();
        record.goal = request.goal.clone();
        record.launch = Launch {
            parent: self.surroundings.parent,
            root: Some(root.unwrap_or(record.id)),
            depth: Some(depth),
            group: request.group.clone(),
            directory: Some(agent.directory.clone()),
            backend: Some(backend.name().to_owned()),
            session_id: match (&session, backend) {
                (Session::New(id) | Session::Resume(id), Backend::Claude) => Some(id.clone()),
                (_, Backend::Command) => None,
            },
            resumed: matches!(session, Session::Resume(_)),
            timeout_seconds: Some(timeout.seconds()),
            max_budget_usd: budget.map(BudgetUsd::dollars),
            response_schema: request.response_schema.clone(),
            command: command_line.shown.clone(),
        };

        if let Some(root) = root {
            let limit = self.config.settings.max_tree_jobs;
            if self.store.count_in_tree(root)? > u64::from(limit) {
                return Err(DispatchError::TreeTooLarge { root, limit });
            }
        }
        let job = self.store.create(&record)?;
        let started = || -> Result<OwnerPipe, StartError> {
            let folder = job.folder()?;
            for (name, content) in &command_line.files {
                folder.put(name, content.as_bytes())?;
            }
            let order = Order {
                argv: command_line.argv.clone(),
                environment: vec![
                    (JOBS_DIR_VARIABLE.to_owned(), self.store.path().as_os_str().to_owned()),
                    (CONFIG_VARIABLE.to_owned(), self.config.path.as_os_str().to_owned()),
                ],
                exclusive: agent.exclusive,
                fail_if_busy: request.fail_if_busy,
                parent_waits: self.surroundings.parent.filter(|_| ownership == Ownership::Caller),
                idle_timeout_seconds: request.idle_timeout.or(agent.idle_timeout).map(Timeout::seconds),
                max_concurrency: self.config.settings.max_concurrency,
                config: self.config.path.clone(),
                grace_ms: GRACE_MS,
            };
            supervisor::start(&self.store, &job, &folder, &order, prompt.as_bytes(), ownership)
        };
        match started() {
            Ok(owner) => Ok(Submitted { id: record.id, owner, ignored: ignored_by(agent, request) }),
            Err(source) => {
                let id = record.id;
                let error = source.to_string();
                let _ = job.folder().map(|folder| folder.remove_temporary());
                record.state = State::Finished(Box::new(Finished {
                    started_at: None,
                    completed_at: now,
                    verdict: Verdict::Failed,
                    result: Some(JobResult::failure(id, name.as_str(), ErrorType::CliError, &error)),
                    error: Some(error),
                }));
                if let Err((job, _)) = job.finish(&record) {
                    // Nothing was started, so nothing is lost with a record that cannot say so.
                    let _ = self.store.delete(id);
                    job.retire();
                }
                Err(DispatchError::Start { id, source })
            }
        }
    }

    fn agent(&self, name: &str) -> Result<(&AgentName, &Agent), DispatchError> {
        let found = name.parse::<AgentName>().ok().and_then(|name| self.config.agents.get_key_value(&name));
        found.ok_or_else(|| DispatchError::UnknownAgent {
            name: name.to_owned(),
            nearest: self.config.nearest(name).cloned(),
        })
    }

    fn group_of(&self, group: &str, agent: &AgentName) -> Result<&Group, DispatchError> {
        let found = group.parse().ok().and_then(|name: GroupName| self.config.groups.get(&name));
        let Some(found) = found else {
            let nearest = self.config.nearest_group(group).map(ToString::to_string);
            return Err(DispatchError::UnknownGroup { name: group.to_owned(), nearest });
        };
        if found.members.iter().any(|member| member.agent == *agent) {
            Ok(found)
        } else {
            Err(DispatchError::NotAMember { agent: agent.clone(), group: group.to_owned() })
        }
    }

    /// Where the agent's program is. A relative path with a slash is meant from the agent's directory.
    fn program(&self, name: &AgentName, agent: &Agent) -> Result<PathBuf, DispatchError> {
        let program = match agent.backend {
            BackendKind::Claude => CLAUDE,
            BackendKind::Command => agent.command.first().map_or("", String::as_str),
        };
        which::which_in(program, self.surroundings.path.as_deref().map(OsStr::new), &agent.directory)
            .map_err(|_| DispatchError::NoProgram { agent: name.clone(), program: program.to_owned() })
    }

    /// Refuses a session that a job of another agent began. Claude Code itself would go on with it in any directory.
    fn check_session(&self, session: &str, name: &AgentName, agent: &Agent) -> Result<(), DispatchError> {
        for id in self.store.ids()?.into_iter().take(SESSIONS_LOOKED_AT) {
            let Ok(record) = self.store.read(id) else { continue };
            let Some(directory) = record.launch.directory else { continue };
            if record.launch.session_id.as_deref() != Some(session) {
                continue;
            }
            if record.agent == name.as_str() || directory == agent.directory {
                return Ok(());
            }
            let (session, owner) = (session.to_owned(), record.agent);
            return Err(DispatchError::ForeignSession { session, owner, directory });
        }
        Ok(())
    }

    fn root_of_parent(&self) -> Option<JobId> {
        let parent = self.surroundings.parent?;
        Some(self.store.read(parent).ok().and_then(|record| record.launch.root).unwrap_or(parent))
    }
}

/// What of a request a plain program has no use for.
fn ignored_by(agent: &Agent, request: &Request) -> Vec<&'static str> {
    if agent.backend == BackendKind::Claude {
        return Vec::new();
    }
    let asked = [
        (request.session.is_some(), "session"),
        (request.model.is_some(), "model"),
        (request.max_budget_usd.is_some(), "spend cap"),
    ];
    asked.into_iter().filter_map(|(asked, what)| asked.then_some(what)).collect()
}
