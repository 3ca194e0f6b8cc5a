//! `hook`: what other programs call when something happens in them.
//!
//! Claude Code runs `hook claude-code` in the background after it has called one of our tools (`PostToolUse` with
//! `asyncRewake`), with the call and its result on standard input. When the call left jobs running, the hook stays
//! until they have finished and exits with 2: Claude Code then wakes its model with the line on standard error. In every
//! other case, whatever it is, the hook exits with 0 and says nothing, so that it never gets in the way of the call.
//!
//! Claude Code ends its hooks with SIGTERM when it ends, and the hook itself notices when no process reads its standard
//! error any more.

use std::cell::Cell;
use std::collections::HashSet;
use std::os::fd::AsFd;
use std::time::Duration;

use clap::Subcommand;
use serde::Deserialize;
use serde_json::Value;

use super::wait_loop::wait_until;
use super::{Context, Problem, summary};
use crate::engine::{CallerContext, Interrupt, Jobs, Waited, Watcher};
use crate::error::Exit;
use crate::model::JobId;
use crate::os::{read_within, wait_readable_while_read};
use crate::store::{Record, Status};
use crate::ui::Ui;

/// Whose hook it is.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// PostToolUse hook of Claude Code: wakes the model when the jobs of a tool call have finished
    ClaudeCode,
}

/// How Claude Code is told to wake its model. Only the number counts.
const WAKE: Exit = Exit::Usage;

/// How long Claude Code may take to write what it has to say. It does so at once.
const INPUT_PATIENCE: Duration = Duration::from_secs(5);

/// The longest input that is looked at, in bytes. A result that says a job is running has a few hundred, and the task
/// before it is limited, too.
const INPUT_LIMIT: usize = 32 * 1024 * 1024;

/// Our tools that start jobs.
const TOOLS: [&str; 3] = ["dispatch", "dispatch_parallel", "dispatch_dialogue"];

pub(crate) fn run(command: &Command, context: &Context) -> Exit {
    let Command::ClaudeCode = command;
    match news(context) {
        Some(line) => {
            context.ui.note(line);
            WAKE
        }
        None => Exit::Success,
    }
}

/// The line for the model, once the jobs it started have finished; `None` when there is nothing to tell.
fn news(context: &Context) -> Option<String> {
    let input = read_within(std::io::stdin().as_fd(), INPUT_LIMIT, INPUT_PATIENCE)?;
    let jobs = jobs_started(&input);
    drop(input);
    // An agent's claude ends with its answer: it would only wait half a minute for this hook before it does.
    if jobs.is_empty() || CallerContext::of_this_process().parent.is_some() {
        return None;
    }
    let over = wait_for(&context.existing_jobs()?, &jobs, context.ui)?;
    (!over.is_empty()).then(|| line(&over))
}

/// Waits until all these jobs have finished, those that can be waited for. `None` when Claude Code is gone.
fn wait_for(jobs: &dyn Jobs, ids: &[JobId], ui: Ui) -> Option<Vec<Record>> {
    let listener = ui.listener();
    let is_gone = Cell::new(false);
    let mut over = Vec::new();
    for id in ids {
        let Ok(record) = jobs.get(*id) else { continue };
        if record.finished().is_none() && record.is_foreign() {
            continue;
        }
        let mut listening = Listening { is_gone: &is_gone, record: None };
        let waited = wait_until(jobs, [*id], None, &mut listening, |bell, pause| {
            is_gone.set(wait_readable_while_read(bell.descriptor(), listener.as_fd(), pause).is_none());
            bell.silence();
        });
        if matches!(waited, Ok((Waited::Left, _))) {
            return None;
        }
        over.extend(listening.record);
    }
    Some(over)
}

/// Waits for a job as long as its end can be told.
struct Listening<'a> {
    is_gone: &'a Cell<bool>,
    record: Option<Record>,
}

impl Watcher for Listening<'_> {
    type Error = Problem;

    fn interrupt(&mut self) -> Option<Interrupt> {
        self.is_gone.get().then_some(Interrupt::Leave)
    }

    fn finished(&mut self, _number: usize, record: Record) -> Result<(), Problem> {
        self.record = Some(record);
        Ok(())
    }
}

/// What the model is told.
fn line(over: &[Record]) -> String {
    let jobs: Vec<String> = over
        .iter()
        .map(|record| format!("{} (job {}): {}", record.agent, record.id, summary::closing_line(record)))
        .collect();
    let (noun, id) = if over.len() == 1 { ("A job", "this") } else { ("The jobs", "each") };
    let next = if over.iter().all(|record| record.status() == Status::Cancelled) {
        "There is no answer to wait for.".to_owned()
    } else {
        format!("Call dispatch_result with {id} job_id to read the answer.")
    };
    let verb = if over.len() == 1 { "has" } else { "have" };
    format!("{noun} you dispatched {verb} finished. {}. {next}", jobs.join("; "))
}

/// What Claude Code says about a tool call; there is more, which does not matter.
#[derive(Deserialize)]
struct Payload {
    hook_event_name: String,
    tool_name: String,
    tool_response: Value,
}

/// The jobs that a call of one of our tools started and that had not finished when it returned.
fn jobs_started(payload: &[u8]) -> Vec<JobId> {
    let Ok(payload) = serde_json::from_slice::<Payload>(payload) else { return Vec::new() };
    if payload.hook_event_name != "PostToolUse" || !is_ours(&payload.tool_name) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut jobs = jobs_in(&payload.tool_response);
    jobs.retain(|id| seen.insert(*id));
    jobs
}

/// Whether a tool is one of ours that starts jobs: `mcp__<server>__dispatch`, whatever the server was called.
fn is_ours(tool: &str) -> bool {
    let named = tool.strip_prefix("mcp__").and_then(|rest| rest.rsplit_once("__"));
    named.is_some_and(|(server, tool)| !server.is_empty() && TOOLS.contains(&tool))
}

/// The jobs in a result. Claude Code passes structured content on as the text of one JSON document, and a result
/// without any as its content blocks.
fn jobs_in(response: &Value) -> Vec<JobId> {
    let in_text =
        |text: &str| serde_json::from_str(text).map_or_else(|_| Vec::new(), |value| jobs_of(&value));
    match response {
        Value::String(text) => in_text(text),
        Value::Array(blocks) => {
            blocks.iter().filter_map(|block| block["text"].as_str()).flat_map(in_text).collect()
        }
        Value::Object(_) => jobs_of(response.get("structuredContent").unwrap_or(response)),
        _ => Vec::new(),
    }
}

/// The unfinished jobs in what one of our tools returned: one job, or several in `jobs` and one in `aggregate` that
/// puts their answers together.
fn jobs_of(result: &Value) -> Vec<JobId> {
    let several = result["jobs"].as_array().into_iter().flatten().chain(result.get("aggregate"));
    let unfinished = std::iter::once(result).chain(several).filter(|job| {
        let status = job["status"].as_str();
        [Status::Pending, Status::Running].iter().any(|unfinished| status == Some(unfinished.name()))
    });
    unfinished.filter_map(|job| job["job_id"].as_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What Claude Code 2.1.330 writes.
    fn payload(tool: &str, response: &Value) -> Vec<u8> {
        json!({
            "session_id": "fb26d7b5-d6d8-42fd-b878-910818367800", "transcript_path": "/x.jsonl", "cwd": "/x",
            "permission_mode": "default", "hook_event_name": "PostToolUse", "tool_name": tool,
            "tool_input": {"agent": "infra", "task": "x"}, "tool_response": response,
            "tool_use_id": "toolu_1", "duration_ms": 25,
            "mcp_server": {"name": "agent-dispatch", "source": "user"},
        })
        .to_string()
        .into_bytes()
    }

    fn job(id: JobId, status: &str) -> Value {
        json!({"job_id": id, "agent": "infra", "status": status})
    }

    #[test]
    fn the_unfinished_jobs_of_our_tools_are_found_in_every_form_of_a_result() {
        let [a, b, c] = [(); 3].map(|()| JobId::generate());
        let aggregated = json!({"jobs": [job(a, "running")], "aggregate": job(b, "pending")});
        let several =
            json!({"jobs": [job(a, "running"), job(b, "done"), job(c, "pending"), job(a, "running")]});
        for (tool, response, expected) in [
            ("mcp__agent-dispatch__dispatch", json!(job(a, "running").to_string()), vec![a]),
            ("mcp__agent-dispatch__dispatch", job(a, "pending"), vec![a]),
            (
                "mcp__agent-dispatch__dispatch",
                json!({"content": [], "structuredContent": job(a, "running")}),
                vec![a],
            ),
            ("mcp__x__y__dispatch_dialogue", json!(job(a, "running").to_string()), vec![a]),
            ("mcp__agent-dispatch__dispatch_parallel", json!(several.to_string()), vec![a, c]),
            ("mcp__agent-dispatch__dispatch_parallel", json!(aggregated.to_string()), vec![a, b]),
            (
                "mcp__agent-dispatch__dispatch",
                json!([{"type": "text", "text": job(a, "running").to_string()}]),
                vec![a],
            ),
        ] {
            assert_eq!(jobs_started(&payload(tool, &response)), expected, "{tool} {response}");
        }
    }

    #[test]
    fn nothing_is_waited_for_when_the_jobs_are_over_or_it_is_no_call_of_ours() {
        let running = json!(job(JobId::generate(), "running").to_string());
        let ours = "mcp__agent-dispatch__dispatch";
        for status in ["done", "failed", "cancelled", "", "RUNNING"] {
            let over = json!(job(JobId::generate(), status).to_string());
            assert_eq!(jobs_started(&payload(ours, &over)), [], "{status}");
        }
        for tool in [
            "",
            "Bash",
            "dispatch",
            "mcp__dispatch",
            "mcp____dispatch",
            "mcp__agent-dispatch__dispatch_result",
            "mcp__agent-dispatch__dispatch_jobs",
            "mcp__agent-dispatch__dispatcher",
        ] {
            assert_eq!(jobs_started(&payload(tool, &running)), [], "{tool}");
        }
        for response in [
            json!(null),
            json!(7),
            json!("the agent works on it"),
            json!("{\"job_id\":"),
            json!([{"type": "image"}, 3, null, "x"]),
            json!({"job_id": "../../etc/passwd", "status": "running"}),
            json!({"job_id": 7, "status": "running"}),
            json!({"jobs": "none", "aggregate": "none"}),
        ] {
            assert_eq!(jobs_started(&payload(ours, &response)), [], "{response}");
        }
    }

    #[test]
    fn what_is_no_payload_is_nothing() {
        let before = String::from_utf8(payload("mcp__agent-dispatch__dispatch", &json!("{}"))).unwrap();
        let before = before.replace("PostToolUse", "PreToolUse");
        let deep = "[".repeat(1_000_000);
        for text in ["", "{", "null", "[]", "{}", "\u{0}", &before, &deep] {
            assert_eq!(jobs_started(text.as_bytes()), []);
        }
    }

    #[test]
    fn the_line_names_every_job_its_agent_its_outcome_and_what_to_call() {
        let record = |agent: &str, status: &str| {
            let id = JobId::generate();
            let record = json!({
                "format": 2, "id": id, "agent": agent, "task": "x", "status": status, "created_at": 1.0,
                "started_at": 2.0, "completed_at": 3.0,
            });
            (id, Record::from_json(record.to_string().as_bytes()).unwrap())
        };
        let (a, done) = record("infra", "done");
        let (b, cancelled) = record("web", "cancelled");
        assert_eq!(
            line(std::slice::from_ref(&done)),
            format!(
                "A job you dispatched has finished. infra (job {a}): done. Call dispatch_result with this job_id to read the answer."
            )
        );
        assert_eq!(
            line(std::slice::from_ref(&cancelled)),
            format!(
                "A job you dispatched has finished. web (job {b}): cancelled. There is no answer to wait for."
            )
        );
        assert_eq!(
            line(&[done, cancelled]),
            format!(
                "The jobs you dispatched have finished. infra (job {a}): done; web (job {b}): cancelled. Call dispatch_result \
                 with each job_id to read the answer."
            )
        );
    }
}
