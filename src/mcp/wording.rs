//! What to do next, in terms of the tools a client has: below this module all advice names commands of a shell.

use std::fmt::Write;

use serde_json::json;

use super::authority::Authority;
use super::tools::Name;
use crate::config::Timeout;
use crate::store::{JobId, Record};
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
        Self { tools: Name::offered(authority).collect(), options }
    }

    /// Whether the client has this tool.
    pub(super) fn has(&self, tool: Name) -> bool {
        self.tools.contains(&tool)
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
mod tests;
