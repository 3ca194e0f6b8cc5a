//! `hook claude-code` stays until the jobs of a tool call have finished, tells so, and is otherwise not there.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::programs::agent_dispatch;
use test_support::{Invocation, TestEnvironment, quoted};

/// What Claude Code writes to the hook after a call of one of our tools.
fn payload(tool: &str, result: &Value) -> String {
    let call = json!({
        "hook_event_name": "PostToolUse", "tool_name": format!("mcp__agent-dispatch__{tool}"),
        "tool_input": {"agent": AGENT, "task": "x"}, "tool_response": result.to_string(),
    });
    call.to_string()
}

fn job(id: &str) -> Value {
    json!({"job_id": id, "agent": AGENT, "status": "running"})
}

fn hook(environment: &TestEnvironment) -> Invocation {
    environment.command(["hook", "claude-code"])
}

/// The hook is given this and has nothing to say.
#[track_caller]
fn assert_silent(invocation: Invocation, input: impl Into<Vec<u8>>) {
    let output = invocation.stdin(input).run().expect_code(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[test]
fn the_hook_wakes_claude_with_one_line_when_the_job_is_over() {
    let environment = with_agent();
    let id = submit(&environment, "fake: sleep 300ms\nfake: answer x");
    let output = hook(&environment).stdin(payload("dispatch", &job(&id))).run().expect_code(2);
    assert!(environment.record(&id)["completed_at"].is_number(), "it waited");
    assert_eq!(output.stdout, "");
    let line = output.stderr.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "{line}");
    assert!(line.contains(&format!("{AGENT} (job {id}): done in ")), "{line}");
    assert!(line.ends_with("Call dispatch_result with this job_id to read the answer."), "{line}");
}

#[test]
fn the_hook_waits_for_every_job_of_a_call() {
    let environment = with_agent();
    let endless = submit_endless(&environment);
    let quick = submit_and_finish(&environment, "fake: budget");
    let jobs = json!({"jobs": [job(&quick), job(&endless), job(&quick)]});
    let mut waiting = hook(&environment).stdin(payload("dispatch_parallel", &jobs)).spawn();
    environment.command(["wait", "--timeout=300ms", &endless]).run().expect_code(124);
    assert!(waiting.is_running(), "one of the jobs has not finished");
    environment.command(["cancel", &endless]).run().expect_code(0);
    let line = waiting.wait().expect_code(2).stderr;
    assert!(line.contains(&format!("{AGENT} (job {quick}): failed (budget)")), "{line}");
    assert!(line.contains(&format!("{AGENT} (job {endless}): cancelled")), "{line}");
    assert_eq!(line.matches(&quick).count(), 1, "{line}");
}

#[test]
fn a_cancelled_job_is_told_as_such() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let waiting = hook(&environment).stdin(payload("dispatch", &job(&id))).spawn();
    environment.command(["cancel", &id]).run().expect_code(0);
    let line = waiting.wait().expect_code(2).stderr;
    assert!(
        line.contains(": cancelled in ") && line.ends_with("There is no answer to wait for.\n"),
        "{line}"
    );
}

#[test]
fn a_job_whose_supervisor_died_is_told_as_lost() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let waiting = hook(&environment).stdin(payload("dispatch", &job(&id))).spawn();
    environment.kill_supervisor(&id);
    let line = waiting.wait().expect_code(2).stderr;
    assert!(line.contains(&format!("{AGENT} (job {id}): failed (lost)")), "{line}");
}

#[test]
fn a_result_that_was_final_and_what_is_no_call_of_ours_is_passed_over_in_silence() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let mut done = job(&id);
    done["status"] = json!("done");
    let unknown = job("0190163d8694739baea5966c26f8ad91");
    for input in [
        String::new(),
        "no JSON".to_owned(),
        payload("dispatch", &done),
        payload("dispatch", &unknown),
        payload("dispatch_result", &job(&id)),
    ] {
        assert_silent(hook(&environment), input);
    }
    // An agent's claude ends with its answer: nobody can be woken there.
    let within = hook(&environment).env("AGENT_DISPATCH_JOB", &id);
    assert_silent(within, payload("dispatch", &job(&id)));
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn jobs_that_cannot_be_looked_at_are_passed_over_in_silence() {
    let environment = with_agent();
    let unknown = payload("dispatch", &job("0190163d8694739baea5966c26f8ad91"));
    assert_silent(hook(&environment), unknown.as_str());
    assert!(!environment.jobs_directory().exists(), "nothing is created");

    let id = submit_and_finish(&environment, "x");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(environment.jobs_directory(), open).unwrap();
    assert_silent(hook(&environment), payload("dispatch", &job(&id)));

    let python = include_str!("../fixtures/python-running.json");
    let id = serde_json::from_str::<Value>(python).unwrap()["id"].as_str().unwrap().to_owned();
    let owned = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(environment.jobs_directory(), owned).unwrap();
    std::fs::write(environment.jobs_directory().join(format!("{id}.json")), python).unwrap();
    assert_silent(hook(&environment), payload("dispatch", &job(&id)));

    let nowhere = hook(&environment).env_remove("HOME").env("AGENT_DISPATCH_CONFIG", "/dev/null/agents.yaml");
    assert_silent(nowhere, payload("dispatch", &job(&id)));
}

#[test]
fn a_broken_config_does_not_keep_the_hook_from_telling() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "x");
    environment.write_config("agents: [");
    let output = hook(&environment).stdin(payload("dispatch", &job(&id))).run().expect_code(2);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

#[test]
fn an_input_without_an_end_or_bounds_is_given_up() {
    let environment = with_agent();
    let begin = Instant::now();
    let mut open = hook(&environment).stdin_open().spawn();
    open.write("{\"hook_event_name\":");
    while open.is_running() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it still waits for the end of its input");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(open.wait().expect_code(0).stderr, "");
    assert_silent(hook(&environment), vec![b' '; 40 * 1024 * 1024]);
    let line = format!("{} hook claude-code <&-", quoted(agent_dispatch()));
    let closed = environment.program("/bin/sh".as_ref(), ["-c", &line]).run().expect_code(0);
    assert_eq!(closed.stderr, "");
}

#[test]
fn the_hook_ends_when_nobody_reads_what_it_has_to_say() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    // The shell returns when both ends of the pipe are gone.
    let line = format!("{} hook claude-code 2>&1 | true", quoted(agent_dispatch()));
    let shell = environment.program("/bin/sh".as_ref(), ["-c", &line]);
    shell.stdin(payload("dispatch", &job(&id))).run().expect_code(0);
    assert_eq!(environment.record(&id)["status"], "running");
    environment.command(["cancel", &id]).run().expect_code(0);
}
