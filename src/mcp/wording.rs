//! What to do next, in terms of the tools a client has: below this module all advice names commands of a shell.

use std::fmt::Write;

use serde_json::json;

use super::authority::Authority;
use super::refused::Refused;
use super::tool::Name;
use crate::config::Timeout;
use crate::model::JobId;
use crate::store::Record;
use crate::ui::shell;

/// How the commands begin that a tool may stand for.
const COMMAND: &str = "`agent-dispatch ";

/// Puts advice into terms of the tools that one client has.
#[derive(Debug)]
pub(super) struct Wording {
    tools: Vec<Name>,
    /// What a command of a shell needs to be about the same config and jobs.
    options: String,
}

impl Wording {
    pub(super) fn new(authority: &Authority, options: String) -> Self {
        Self { tools: authority.tools().collect(), options }
    }

    /// Whether the client has this tool.
    pub(super) fn has(&self, tool: Name) -> bool {
        self.tools.contains(&tool)
    }

    /// A refusal in these terms.
    pub(super) fn refusal(&self, refused: &Refused) -> Refused {
        Refused::new(self.tell(refused.message(), |_| None))
    }

    /// The text with a call in the place of each command that one can stand for. What is left for the user to type is
    /// about the server's config and jobs. `find` looks a job up.
    pub(super) fn tell(&self, text: &str, find: impl Fn(JobId) -> Option<Record>) -> String {
        let mut told = String::new();
        let mut rest = text;
        while let Some((before, (command, after))) =
            rest.split_once(COMMAND).and_then(|(before, found)| Some((before, found.split_once('`')?)))
        {
            told.push_str(before);
            match self.call(command, &find) {
                Some(call) if told.ends_with(": ") || told.is_empty() && after.is_empty() => {
                    let _ = write!(told, "call {call}");
                }
                Some(call) => told.push_str(&call),
                None => {
                    let _ = write!(told, "{COMMAND}{command}`");
                }
            }
            rest = after;
        }
        told.push_str(rest);
        if self.has(Name::Dispatch) {
            told = told.replace("`--session`", "session_id");
        }
        shell::with_options(&told, &self.options).into_owned()
    }

    /// The call that does what a command would do, if the client has a tool for it.
    fn call(&self, command: &str, find: impl Fn(JobId) -> Option<Record>) -> Option<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let configure = |call: String| (Name::ConfigureAgent, format!("configure_agent with action {call}"));
        let (tool, call) = match *words.as_slice() {
            ["jobs"] => (Name::DispatchJobs, "dispatch_jobs".to_owned()),
            ["agents", "list"] => (Name::ListAgents, "list_agents".to_owned()),
            ["result" | "status", id] => (Name::DispatchResult, format!("dispatch_result with job_id {id}")),
            ["gc", "--older-than", age] => {
                (Name::DispatchGc, format!("dispatch_gc with max_age_days {}", age.strip_suffix('d')?))
            }
            ["run" | "submit", agent, "TASK"] => (Name::Dispatch, format!("dispatch for {agent}")),
            ["resume", id, ..] => (Name::Dispatch, resumption(&find(id.parse().ok()?)?, command)),
            ["agents", "add", name, directory] => {
                configure(format!("add, name {name} and directory {directory}"))
            }
            ["agents", "remove", name] => configure(format!("remove and name {name}")),
            ["agents", "update", name] => configure(format!("update and name {name}")),
            ["agents", "update", name, option, value] => {
                configure(format!("update, name {name} and {}", field(option, value)?))
            }
            _ => return None,
        };
        self.has(tool).then_some(call)
    }
}

/// The call that goes on in the session of a job.
fn resumption(record: &Record, command: &str) -> String {
    let mut more: Vec<String> = Vec::new();
    more.extend(record.conclusion().session_id.map(|session| format!("session_id {session}")));
    let mut words = command.split_whitespace().skip_while(|word| *word != "--timeout");
    let timeout = words.nth(1).and_then(|limit| limit.parse::<Timeout>().ok());
    more.extend(timeout.map(|timeout| format!("timeout_seconds {}", timeout.seconds())));
    more.extend(record.launch.response_schema.as_ref().map(|_| "the same response_schema".to_owned()));
    let task = command.split_once('"').and_then(|(_, task)| task.strip_suffix('"'));
    more.extend(task.map(|task| format!("task {task:?}")));
    let agent = &record.agent;
    match more.is_empty() {
        true => format!("dispatch for {agent}"),
        false => format!("dispatch for {agent} with {}", more.join(" and ")),
    }
}

/// An option that changes an agent as an argument of `configure_agent`.
fn field(option: &str, value: &str) -> Option<String> {
    match option {
        "--allowed-tools" => Some(format!("allowed_tools {}", json!(value.split(',').collect::<Vec<_>>()))),
        "--directory" | "--model" => Some(format!("{} {value}", &option[2..])),
        "--permission-mode" => Some(format!("permission_mode {value}")),
        // Which program an agent is stays with the user.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Finished, JobResult, State, Verdict};

    fn everything() -> Authority {
        Authority { allow_configure: true, ..Authority::default() }
    }

    /// The text as a client with this authority is told it.
    fn told(authority: &Authority, text: &str) -> String {
        Wording::new(authority, "--config a.yaml".into()).tell(text, |_| None)
    }

    /// A job that is over and has a session.
    fn resumable() -> Record {
        let mut record = Record::pending(JobId::generate(), "api", "look", 1.0);
        let result = JobResult { session_id: Some("s-1".into()), ..JobResult::answer(record.id, "api", "") };
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
    fn a_command_that_resumes_a_job_becomes_a_call() {
        let mut record = resumable();
        let tell = |record: &Record, text: &str| {
            Wording::new(&Authority::default(), String::new())
                .tell(text, |id| (id == record.id).then(|| record.clone()))
        };
        let resume = format!("`agent-dispatch resume {}", record.id);
        assert_eq!(
            tell(&record, &format!("resume it: {resume} --timeout 20s`, later")),
            "resume it: call dispatch for api with session_id s-1 and timeout_seconds 20, later"
        );
        assert_eq!(
            tell(&record, &format!("{resume} --timeout 2h30m`")),
            "call dispatch for api with session_id s-1 and timeout_seconds 9000"
        );
        record.launch.response_schema = Some(json!({}));
        assert_eq!(
            tell(&record, &format!("ask for it again: {resume} \"answer as JSON\"`")),
            "ask for it again: call dispatch for api with session_id s-1 and the same response_schema and task \
         \"answer as JSON\""
        );
    }

    #[test]
    fn a_command_becomes_a_call_only_for_a_client_that_has_the_tool() {
        let read_only = Authority { read_only: true, ..Authority::default() };
        for (command, all, usual, looking) in [
            ("jobs", "dispatch_jobs", true, true),
            ("agents list", "list_agents", true, true),
            ("result 1", "dispatch_result with job_id 1", true, true),
            ("gc --older-than 7d", "dispatch_gc with max_age_days 7", true, false),
            ("run api TASK", "dispatch for api", true, false),
            (
                "agents update api --allowed-tools Bash,Write",
                "configure_agent with action update, name api and allowed_tools [\"Bash\",\"Write\"]",
                false,
                false,
            ),
            (
                "agents update api --model MODEL",
                "configure_agent with action update, name api and model MODEL",
                false,
                false,
            ),
            (
                "agents add NAME DIR",
                "configure_agent with action add, name NAME and directory DIR",
                false,
                false,
            ),
        ] {
            let hint = format!("do it with `agent-dispatch {command}`");
            let (call, shell) = (
                format!("do it with {all}"),
                format!("do it with `agent-dispatch --config a.yaml {command}`"),
            );
            assert_eq!(told(&everything(), &hint), call);
            assert_eq!(told(&Authority::default(), &hint), if usual { &*call } else { &*shell });
            assert_eq!(told(&read_only, &hint), if looking { call } else { shell });
        }
    }

    #[test]
    fn what_no_tool_can_do_stays_a_command_about_the_servers_config() {
        assert_eq!(
            told(&everything(), "change it: `agent-dispatch agents update api --command PROGRAM`"),
            "change it: `agent-dispatch --config a.yaml agents update api --command PROGRAM`"
        );
        assert_eq!(told(&everything(), "run `claude` and log in"), "run `claude` and log in");
        assert_eq!(told(&everything(), "or dispatch without `--session`"), "or dispatch without session_id");
    }
}
