//! Remedies as calls of the tools that a client has, and as commands about the server's config where no tool does it.

use std::fmt;

use serde_json::{Value, json};

use super::authority::Authority;
use super::tool::Name;
use crate::model::{AgentChange, JobId, Remedy, Terms};
use crate::remedy::Commands;
use crate::store::Record;

/// What an agent at the end of a chain of dispatches can do.
pub(super) const INSTEAD_OF_DISPATCHING: &str =
    "Answer with what is known here instead of dispatching further";

/// Puts remedies into terms of the tools that one client has.
#[derive(Debug)]
pub(super) struct Advisor {
    tools: Vec<Name>,
    commands: Commands,
}

/// A call that a client can make, as far as its arguments are known.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    tool: Name,
    arguments: Vec<(&'static str, Value)>,
    /// Whether the schema of the job before is to be given again: it is too long to repeat.
    same_schema: bool,
}

impl Call {
    fn new(tool: Name, arguments: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self { tool, arguments: arguments.into_iter().collect(), same_schema: false }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tool.as_str())?;
        let mut words = Vec::new();
        for (name, value) in &self.arguments {
            let is_plain = |text: &&str| !text.contains(|c: char| c.is_whitespace() || c == '"');
            match value.as_str() {
                Some(agent) if *name == "agent" => write!(f, " for {agent}")?,
                Some(text) if is_plain(&text) => words.push(format!("{name} {text}")),
                _ => words.push(format!("{name} {value}")),
            }
        }
        words.extend(self.same_schema.then(|| "the same response_schema".to_owned()));
        match words.split_last() {
            None => Ok(()),
            Some((last, [])) => write!(f, " with {last}"),
            Some((last, others)) => write!(f, " with {} and {last}", others.join(", ")),
        }
    }
}

impl Advisor {
    pub(super) fn new(authority: &Authority, commands: Commands) -> Self {
        Self { tools: authority.tools().collect(), commands }
    }

    /// Whether the client has this tool.
    pub(super) fn has(&self, tool: Name) -> bool {
        self.tools.contains(&tool)
    }

    /// What to do, in words. `find` looks a job up.
    pub(super) fn tell(&self, remedy: &Remedy, find: &dyn Fn(JobId) -> Option<Record>) -> String {
        let Some(call) = self.call(remedy, find) else {
            return match remedy {
                Remedy::AnswerHere { .. } | Remedy::RestoreDepth {} => INSTEAD_OF_DISPATCHING.to_owned(),
                Remedy::Diagnose {} => format!("Ask the user: {}", self.commands.tell(remedy)),
                _ => self.commands.tell_with(remedy, &|then| self.tell(then, find)),
            };
        };
        match remedy {
            Remedy::Resume { agent, terms, .. } | Remedy::Retry { agent, terms, .. } => {
                let resumes = matches!(remedy, Remedy::Resume { .. });
                self.again(resumes, agent, terms, &call)
            }
            Remedy::StartJob {} => "start one with dispatch".to_owned(),
            Remedy::StartInBackground { .. } => {
                format!("dispatch work that must outlive its caller with {call}")
            }
            Remedy::StartNewSession { agent: None } => {
                "Leave session_id out: that makes a new session".to_owned()
            }
            Remedy::StartNewSession { .. } => format!("start anew with {call}, without session_id"),
            Remedy::WaitForSession {} => {
                "wait for the run that uses it to end, or leave session_id out: that makes a new session"
                    .to_owned()
            }
            Remedy::ShortenTask {} => {
                "shorten the task or its context, or leave session_id out: that makes a new session"
                    .to_owned()
            }
            Remedy::ContinueSession { .. } => format!("Go on with it there: {call}; or leave session_id out"),
            Remedy::FindSession {} => "Pass the session_id of an earlier answer, or leave it out".to_owned(),
            Remedy::GiveTask {} => "say in task what to do".to_owned(),
            Remedy::ListJobs {} => format!("{call} lists them"),
            Remedy::NameJob {} => format!("give more of the id; {call} lists them"),
            Remedy::ShowJob { .. } => format!("what is known about it: call {call}"),
            Remedy::ReadAnswer { .. } => format!("the job is recorded: call {call}"),
            Remedy::AwaitAnswer { .. } => format!("wait for it: call {call}"),
            Remedy::WaitForJobs { job_ids } => format!("dispatch_result waits for each: {}", listed(job_ids)),
            Remedy::CancelJobs { job_ids } => {
                format!("These go on, and dispatch_cancel stops each: {}", listed(job_ids))
            }
            Remedy::WaitForTurn { .. } => format!("wait for that one: call {call}"),
            Remedy::WaitForQueue {} => {
                "Wait for some of them with dispatch_result, or stop some with dispatch_cancel".to_owned()
            }
            Remedy::FreeSpace {} => format!("free some space: {call} deletes old jobs"),
            Remedy::ChooseAgent { nearest } => {
                let meant = nearest.as_ref().map(|name| format!("Did you mean {name}? "));
                format!("{}{call} lists the agents", meant.unwrap_or_default())
            }
            Remedy::ChooseGroup { nearest: Some(name) } => format!("Did you mean {name}?"),
            Remedy::ChooseGroup { nearest: None } => {
                "Leave group out; list_agents says which groups an agent is in".to_owned()
            }
            Remedy::AddMember { .. } => {
                format!("Leave group out, or choose a member: {call} names them")
            }
            Remedy::AddAgent {} => format!("add one with {call}"),
            Remedy::UpdateAgent { change: AgentChange::AllowedTools(tools), .. } => format!(
                "the agent was refused {}; to allow it, beside the tools it has: call {call}",
                tools.join(", ")
            ),
            Remedy::UpdateAgent { change: AgentChange::Directory(_), .. } => {
                format!("change it: call {call}")
            }
            Remedy::MoveAgent { .. } => {
                format!("let it work in another directory with {call}, or remove it with action remove")
            }
            _ => format!("choose another: call {call}"),
        }
    }

    /// The call that does what a remedy is about, if the client has a tool for it.
    fn call(&self, remedy: &Remedy, find: &dyn Fn(JobId) -> Option<Record>) -> Option<Call> {
        let dispatch = |agent: &str| Call::new(Name::Dispatch, [("agent", json!(agent))]);
        let result = |id: &JobId| Call::new(Name::DispatchResult, [("job_id", json!(id))]);
        let configure = |action: &str, more: Vec<(&'static str, Value)>| {
            Call::new(Name::ConfigureAgent, [("action", json!(action))].into_iter().chain(more))
        };
        let call = match remedy {
            Remedy::Resume { job_id, agent, terms } => {
                let mut call = dispatch(agent);
                let record = find(*job_id);
                let session = record.as_ref().and_then(|record| record.conclusion().session_id);
                call.arguments.extend(session.map(|session| ("session_id", json!(session))));
                call.arguments.extend(arguments_of(terms));
                call.same_schema = record.is_some_and(|record| record.launch.response_schema.is_some());
                call
            }
            Remedy::Retry { agent, terms, .. } => {
                let mut call = dispatch(agent);
                call.arguments.extend(arguments_of(terms));
                call
            }
            Remedy::StartInBackground { agent } => dispatch(agent),
            Remedy::StartNewSession { agent: Some(agent) } => dispatch(agent),
            Remedy::StartNewSession { agent: None }
            | Remedy::StartJob {}
            | Remedy::WaitForSession {}
            | Remedy::ShortenTask {}
            | Remedy::FindSession {}
            | Remedy::GiveTask {} => Call::new(Name::Dispatch, []),
            Remedy::ContinueSession { agent, session_id } => {
                let mut call = dispatch(agent);
                call.arguments.push(("session_id", json!(session_id)));
                call
            }
            Remedy::ListJobs {} | Remedy::NameJob {} => Call::new(Name::DispatchJobs, []),
            Remedy::ShowJob { job_id }
            | Remedy::ReadAnswer { job_id, .. }
            | Remedy::AwaitAnswer { job_id }
            | Remedy::WaitForTurn { holder: Some(job_id) } => result(job_id),
            Remedy::WaitForJobs { .. } => Call::new(Name::DispatchResult, []),
            Remedy::CancelJobs { .. } | Remedy::WaitForQueue {} => Call::new(Name::DispatchCancel, []),
            Remedy::FreeSpace {} => Call::new(Name::DispatchGc, [("max_age_days", json!(7))]),
            Remedy::ChooseAgent { .. } | Remedy::ChooseGroup { .. } => Call::new(Name::ListAgents, []),
            Remedy::AddMember { group, .. } => Call::new(Name::ListAgents, [("group", json!(group))]),
            Remedy::AddAgent {} => {
                configure("add", vec![("name", json!("NAME")), ("directory", json!("DIR"))])
            }
            Remedy::UpdateAgent { agent, change } => {
                let change = match change {
                    AgentChange::AllowedTools(tools) => ("allowed_tools", json!(tools)),
                    AgentChange::PermissionMode(mode) => ("permission_mode", json!(mode)),
                    AgentChange::Directory(directory) => ("directory", json!(directory.to_string_lossy())),
                };
                configure("update", vec![("name", json!(agent)), change])
            }
            Remedy::ChooseModel { agent } => {
                configure("update", vec![("name", json!(agent)), ("model", json!("MODEL"))])
            }
            Remedy::MoveAgent { agent } => {
                configure("update", vec![("name", json!(agent)), ("directory", json!("DIR"))])
            }
            _ => return None,
        };
        self.has(call.tool).then_some(call)
    }

    /// The same work again, on other terms. Not all of them are arguments of a dispatch.
    fn again(&self, resumes: bool, agent: &str, terms: &Terms, call: &Call) -> String {
        let (lead, anew) = if resumes {
            ("resume it where it stopped", "resume it where it stopped")
        } else {
            ("make the request again", "give it a smaller task, or make the request again")
        };
        let raised = |what: &str, field: &'static str, value: Value| match self.has(Name::ConfigureAgent) {
            true => {
                let update = [("action", json!("update")), ("name", json!(agent)), (field, value)];
                format!("{} raises {what}", Call::new(Name::ConfigureAgent, update))
            }
            false => {
                format!("only the user can raise {what}, as {} of the agent", field.replace("_seconds", ""))
            }
        };
        if let Some(cap) = terms.max_budget_usd {
            let raise = raised("it", "max_budget_usd", json!(cap));
            return format!("{anew}: call {call}. Each run may spend the whole spend cap; {raise}");
        }
        if let Some(limit) = terms.idle_timeout_seconds {
            let raise = raised("the time it may be silent", "idle_timeout_seconds", json!(limit));
            return format!("{lead}: call {call}; {raise}");
        }
        match (&terms.task, terms.timeout_seconds) {
            (Some(_), _) => format!("{lead}, with this task: call {call}"),
            (None, Some(_)) if resumes => format!("{lead}, with more time: call {call}"),
            (None, Some(_)) => format!("give it more time or a smaller task: call {call}"),
            (None, None) => format!("{lead}: call {call}"),
        }
    }
}

/// What of the terms a dispatch takes.
fn arguments_of(terms: &Terms) -> impl Iterator<Item = (&'static str, Value)> {
    let timeout = terms.timeout_seconds.map(|limit| ("timeout_seconds", json!(limit)));
    let task = terms.task.as_ref().map(|task| ("task", json!(task)));
    timeout.into_iter().chain(task)
}

fn listed(ids: &[JobId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::mcp::tools;
    use crate::store::{Finished, JobResult, State, Verdict};

    fn remedies() -> Vec<Remedy> {
        let lines = include_str!("../model/remedies.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).expect("a remedy")).collect()
    }

    fn advisor(authority: &Authority) -> Advisor {
        Advisor::new(authority, Commands::with_options(["--config", "a.yaml"]))
    }

    fn everything() -> Authority {
        Authority { allow_configure: true, ..Authority::default() }
    }

    /// A job that has finished and has a session.
    fn resumable(id: JobId) -> Record {
        let mut record = Record::pending(id, "api", "look", 1.0);
        let result = JobResult { session_id: Some("s-1".into()), ..JobResult::answer(id, "api", "") };
        record.state = State::Finished(Box::new(Finished {
            started_at: None,
            completed_at: 2.0,
            verdict: Verdict::Failed,
            result: Some(result),
            error: None,
        }));
        record
    }

    #[test]
    fn every_call_that_is_advised_is_one_that_the_tool_takes() {
        let tools = tools::list(&everything());
        let advisor = advisor(&everything());
        let mut called = BTreeSet::new();
        for remedy in remedies() {
            let find = |id| Some(resumable(id));
            let Some(call) = advisor.call(&remedy, &find) else { continue };
            let tool = tools.iter().find(|tool| tool.name == call.tool.as_str()).expect("the tool");
            for (name, value) in &call.arguments {
                let schema = &tool.input_schema["properties"][*name];
                assert!(schema.is_object(), "{} has no {name}", call.tool.as_str());
                assert!(jsonschema::is_valid(schema, value), "{name} {value}: {schema}");
            }
            let told = advisor.tell(&remedy, &find);
            assert!(call.arguments.is_empty() || told.contains(&call.to_string()), "{told}");
            called.insert(call.tool.as_str());
        }
        assert_eq!(called.len(), 7, "{called:?}");
    }

    #[test]
    fn a_client_is_told_of_no_tool_that_it_does_not_have() {
        let read_only = Authority { read_only: true, ..Authority::default() };
        let scoped = Authority { agents: Some(Vec::new()), ..Authority::default() };
        for authority in [Authority::default(), read_only, scoped, everything()] {
            let advisor = advisor(&authority);
            for remedy in remedies() {
                let text = advisor.tell(&remedy, &|id| Some(resumable(id)));
                let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)));
                let hidden = words.find(|word| {
                    word.contains('_') && Name::named(word).is_some_and(|tool| !advisor.has(tool))
                });
                assert_eq!(hidden, None, "{authority:?}: {text}");
                for (at, found) in text.match_indices("`agent-dispatch ") {
                    assert!(text[at + found.len()..].starts_with("--config a.yaml "), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_job_is_resumed_by_its_session_and_with_its_schema() {
        let (id, advisor) = (JobId::generate(), advisor(&Authority::default()));
        let mut record = resumable(id);
        let tell = |record: &Record, terms: Terms| {
            let remedy = Remedy::Resume { job_id: id, agent: "api".into(), terms };
            advisor.tell(&remedy, &|_| Some(record.clone()))
        };
        let longer = Terms { timeout_seconds: "2h30m".parse().ok(), ..Terms::default() };
        assert_eq!(
            tell(&record, longer),
            "resume it where it stopped, with more time: call dispatch for api with session_id s-1 and timeout_seconds 9000"
        );
        record.launch.response_schema = Some(json!({}));
        assert_eq!(
            tell(&record, Terms { task: Some("answer as JSON".into()), ..Terms::default() }),
            "resume it where it stopped, with this task: call dispatch for api with session_id s-1, task \"answer as \
             JSON\" and the same response_schema"
        );
    }

    #[test]
    fn what_no_tool_can_do_is_a_command_about_the_servers_config() {
        let remedy = Remedy::InstallProgram { agent: "api".into(), how: None };
        let told = advisor(&everything()).tell(&remedy, &|_| None);
        assert!(
            told.ends_with("`agent-dispatch --config a.yaml agents update api --command PROGRAM`"),
            "{told}"
        );
        let remedy = Remedy::UpdateAgent {
            agent: "api".into(),
            change: AgentChange::AllowedTools(vec!["Bash".into(), "Write".into()]),
        };
        let usual = advisor(&Authority::default()).tell(&remedy, &|_| None);
        assert!(
            usual.ends_with("`agent-dispatch --config a.yaml agents update api --allowed-tools Bash,Write`")
        );
        let configuring = advisor(&everything()).tell(&remedy, &|_| None);
        let call = "configure_agent with action update, name api and allowed_tools [\"Bash\",\"Write\"]";
        assert!(configuring.ends_with(call), "{configuring}");
    }
}
