//! Validates a request: everything that can be refused is refused before a job exists.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::{DirectoryFault, DispatchError, Engine, OnDone, Request, prompt};
use crate::backend::{
    Assignment, CommandLine, Executable, Session, SessionId, SessionSearch, Sessions, check_schema,
};
use crate::config::{Agent, AgentName, BudgetUsd, Group, GroupName, check_journal};
use crate::model::JobId;
use crate::os::{self, ProgramError};
use crate::store::{JobKind, Journal, Launch, Record};
use crate::supervisor::AdmissionRules;
use crate::text::redact_words;

/// How many of the newest jobs are asked whose a session is. One that is older passes unchecked.
const SESSIONS_LOOKED_AT: usize = 200;

/// And where one that is older does not pass.
const OWN_SESSIONS_LOOKED_AT: usize = 20_000;

/// A validated dispatch, ready to be recorded and started by [`Engine::start`].
#[derive(Debug)]
pub struct JobPlan {
    pub(super) record: Record,
    pub(super) prompt: String,
    pub(super) command_line: CommandLine,
    pub(super) rules: AdmissionRules,
    pub(super) on_done: Vec<OsString>,
    /// Where its end is noted, if it is.
    pub(super) journal: Option<Journal>,
}

impl JobPlan {
    /// The id that the job will have.
    pub fn id(&self) -> JobId {
        self.record.id
    }

    /// Makes it wait for these jobs as well.
    pub(super) fn wait_for(&mut self, jobs: &[JobId]) {
        self.record.launch.after.extend(jobs);
    }

    /// The agent that will get the task.
    pub fn agent(&self) -> &str {
        &self.record.agent
    }
}

impl Engine {
    /// Checks a request and resolves everything in it, without leaving a trace. [`Self::start`] can still refuse it
    /// for what other jobs do: when too many wait, or when its chain of dispatches has made too many.
    pub fn prepare(&self, request: &Request) -> Result<JobPlan, DispatchError> {
        let (name, agent) = self.agent(&request.agent)?;
        let shared_context = match &request.group {
            Some(group) => Some(self.group_of(group, name)?.shared_context.as_str()),
            None => None,
        };
        if let Some(said) = &self.caller_context.unknown_depth {
            return Err(DispatchError::UnknownDepth { said: said.clone() });
        }
        let depth = self.caller_context.depth.saturating_add(1);
        let limit = self.config.settings.max_dispatch_depth;
        if depth > limit {
            return Err(DispatchError::TooDeep { depth, limit });
        }
        if let Some(fault) = DirectoryFault::of(&agent.directory) {
            return Err(DispatchError::NoDirectory {
                agent: name.clone(),
                directory: agent.directory.clone(),
                fault,
            });
        }
        agent.check_trust()?;
        let journal = self.journal();
        if let Some(journal) = &journal {
            check_journal(journal.path())?;
        }
        let profile = agent.backend.profile();
        let resumed = match &request.session {
            Some(id) if profile.sessions != Sessions::None => Some(agent.backend.session_id(id)?),
            _ => None,
        };
        if let Some(session) = &resumed {
            self.check_session(session, name, agent)?;
        }
        let program = self.program(name, agent)?;
        let on_done = match &request.on_done {
            Some(command) => self.on_done(command, agent)?,
            None => Vec::new(),
        };
        if let Some(schema) = &request.response_schema {
            check_schema(schema).map_err(DispatchError::Schema)?;
        }

        let prompt = agent.backend.prompt(&prompt::prompt(request, shared_context));
        let limit = profile.prompt_limit_bytes;
        if prompt.len() > limit {
            return Err(DispatchError::PromptTooLong { bytes: prompt.len(), limit });
        }
        let effective = agent.effective(&self.config.settings);
        let timeout = request.timeout.unwrap_or(effective.timeout);
        let budget = request.max_budget_usd.or(effective.max_budget_usd);
        if let Some(budget) = budget {
            self.config.settings.check_cap(budget)?;
        }
        let system_prompt =
            prompt::system_prompt(agent, self.config.settings.dispatch_protocol, timeout, budget);
        let model = request.model.as_deref().or(agent.model.as_deref());
        let session = match (resumed, profile.sessions) {
            (Some(id), _) => Session::Resume(id),
            (None, Sessions::Chosen) => Session::NewAs(SessionId::fresh()),
            (None, Sessions::Assigned) => Session::New,
            (None, Sessions::None) => Session::None,
        };

        // `start` says when it was created.
        let mut record = Record::pending(self.next_id()?, name.as_str(), request.task.as_str(), 0.0);
        let folder = self.store().path().join(record.id.to_string());
        let takes = profile.takes;
        let tools = |tools| if takes.tool_lists { tools } else { &[][..] };
        let has_modes = !profile.permission_modes.is_empty();
        let command_line = agent.backend.command_line(&Assignment {
            program: &program,
            arguments: agent.command.get(1..).unwrap_or_default(),
            system_prompt: system_prompt.as_deref().filter(|_| takes.system_prompt),
            session: &session,
            model: model.filter(|_| takes.model),
            permission_mode: effective.permission_mode.filter(|_| has_modes),
            allowed_tools: tools(effective.allowed_tools),
            disallowed_tools: tools(effective.disallowed_tools),
            max_budget_usd: budget.map(BudgetUsd::dollars).filter(|_| takes.spend_cap),
            response_schema: request.response_schema.as_ref().filter(|_| takes.response_schema),
            job_directory: &folder,
        })?;
        record.context = request.context.clone();
        record.caller = request.caller.clone();
        record.goal = request.goal.clone();
        record.launch = Launch {
            parent: self.caller_context.parent,
            root: self.root().or(Some(record.id)),
            depth: Some(depth),
            group: request.group.clone(),
            directory: Some(agent.directory.clone()),
            kind: JobKind::agent(profile.name),
            session_id: session.id().map(ToString::to_string),
            resumed: matches!(session, Session::Resume(_)),
            timeout_seconds: Some(timeout.seconds().into()),
            idle_timeout_seconds: request
                .idle_timeout
                .or(agent.idle_timeout)
                .map(|limit| limit.seconds().into()),
            model: model.map(str::to_owned),
            max_budget_usd: budget.map(|cap| cap.dollars().into()),
            response_schema: request.response_schema.clone(),
            after: request.after.clone(),
            on_done: request
                .on_done
                .as_ref()
                .map(|command| redact_words(command.words()))
                .unwrap_or_default(),
            command: redact_words(&command_line.shown),
        };
        Ok(JobPlan {
            record,
            prompt,
            command_line,
            rules: AdmissionRules::of(agent, request.fail_if_busy),
            on_done,
            journal,
        })
    }

    /// Everything that speaks against a request: what is found wrong is left out, and the rest looked at again. What
    /// only its agent can tell, if there is that agent.
    pub(super) fn refusals(&self, request: &Request) -> Vec<DispatchError> {
        let mut request = request.clone();
        let mut refusals = Vec::new();
        while let Err(error) = self.prepare(&request) {
            let goes_on = match &error {
                DispatchError::UnknownGroup { .. } | DispatchError::NotAMember { .. } => {
                    request.group.take().is_some()
                }
                DispatchError::ForeignSession { .. } | DispatchError::UnknownSession { .. } => {
                    request.session.take().is_some()
                }
                DispatchError::NoOnDone { .. } => request.on_done.take().is_some(),
                DispatchError::Schema(_) => request.response_schema.take().is_some(),
                DispatchError::Argument(refused) => match refused.field() {
                    "session id" => request.session.take().is_some(),
                    "model" => request.model.take().is_some(),
                    "response schema" => request.response_schema.take().is_some(),
                    _ => false,
                },
                _ => false,
            };
            refusals.push(error);
            if !goes_on {
                break;
            }
        }
        refusals
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

    fn program(&self, name: &AgentName, agent: &Agent) -> Result<PathBuf, DispatchError> {
        let installation = match &agent.backend.profile().executable {
            Executable::Named { installation, .. } => Some(installation),
            Executable::Configured => None,
        };
        find_program(agent, self.caller_context.path.as_deref()).map_err(|(program, why)| {
            DispatchError::NoProgram { agent: name.clone(), program, installation, why }
        })
    }

    /// What to execute for a command that is run after the end, as seen from the agent's directory.
    fn on_done(&self, command: &OnDone, agent: &Agent) -> Result<Vec<OsString>, DispatchError> {
        let [program, arguments @ ..] = command.words() else { return Ok(Vec::new()) };
        let path = self.caller_context.path.as_deref().map(OsStr::new);
        let found = os::find_program(program, path, &agent.directory)
            .map_err(|why| DispatchError::NoOnDone { program: program.clone(), why })?;
        Ok(std::iter::once(found.into()).chain(arguments.iter().map(OsString::from)).collect())
    }

    /// Refuses a session that a job of another agent began, for the agent CLI itself could go on with it in any directory,
    /// and one that neither a job nor the agent CLI's files know. Whether one that a job had is still there is for the
    /// agent CLI to say: another version may keep its sessions elsewhere.
    fn check_session(
        &self,
        session: &SessionId,
        name: &AgentName,
        agent: &Agent,
    ) -> Result<(), DispatchError> {
        let looked_at = if self.only_own_sessions { OWN_SESSIONS_LOOKED_AT } else { SESSIONS_LOOKED_AT };
        for id in self.store().ids()?.into_iter().take(looked_at) {
            let Some(record) = self.store().glance(id) else { continue };
            if self.only_own_sessions && !self.config.agents.contains_key(record.agent.as_str()) {
                continue;
            }
            let recorded = record.session().and_then(|id| agent.backend.session_id(&id).ok());
            if recorded.as_ref() != Some(session) {
                continue;
            }
            let Some(directory) = record.launch.directory else { continue };
            if record.agent == name.as_str() || directory == agent.directory {
                return Ok(());
            }
            let (session, owner) = (session.clone(), record.agent);
            return Err(DispatchError::ForeignSession { session, owner, directory });
        }
        let unknown = |place| {
            let (cli, session) = (agent.backend.profile().title, session.clone());
            Err(DispatchError::UnknownSession { cli, session, place })
        };
        if self.only_own_sessions {
            // Such a caller is not told either whether others have it.
            return unknown(None);
        }
        match self.caller_context.variable.map(|variable| agent.backend.find_session(session, &variable)) {
            Some(SessionSearch::Missing(place)) => unknown(Some(place)),
            Some(SessionSearch::Kept | SessionSearch::Unknown) | None => Ok(()),
        }
    }
}

/// Where the agent's program is, looked for in the absolute entries of `path`, a value as of `PATH`. A relative path with
/// a slash is meant from the agent's directory.
///
/// # Errors
///
/// The program as it was looked for, and why it cannot be run.
pub fn find_program(agent: &Agent, path: Option<&OsStr>) -> Result<PathBuf, (String, ProgramError)> {
    let program = match agent.backend.profile().executable {
        Executable::Named { program, .. } => program,
        Executable::Configured => agent.command.first().map_or("", String::as_str),
    };
    os::find_program(program, path, &agent.directory).map_err(|why| (program.to_owned(), why))
}
