//! agent-dispatch with one more backend, `tests/small-backend`: all of it works for an agent CLI that only one folder and
//! the list know.

use std::fs;

use serde_json::{Value, json};
#[cfg(feature = "mcp")]
use test_support::mcp::McpClient;
use test_support::{Invocation, PATIENCE, TestEnvironment, programs, wait_until};

/// The agent CLI: it makes up the session's id, and what it is told decides what happens.
const SMALL_AGENT: &str = r#"#!/bin/sh
session=made-up-1
for argument in "$@"; do
    case $argument in
        --resume=*) session=${argument#--resume=} ;;
        --model=*) echo "says with the model ${argument#--model=}" ;;
    esac
done
echo "session $session"
task=$(cat)
echo "says looking at $task"
case $task in
    *delete*) echo "denied Delete" ;;
    *fail*) echo "error the model has gone home"; exit 1 ;;
    *wait*) sleep 60 ;;
esac
echo "cost 0.25"
echo "answer $task in $session"
"#;

/// An environment with the agent CLI and an agent of it.
fn environment() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.executable("small-agent", SMALL_AGENT);
    environment.project_with("web", "backend: small\npermission_mode: careful");
    environment
}

fn small<const N: usize>(environment: &TestEnvironment, arguments: [&str; N]) -> Invocation {
    environment.program(&programs::small_backend(), arguments)
}

#[test]
fn a_backend_that_only_its_file_and_the_list_know_runs_resumes_costs_and_denies() {
    let environment = environment();
    let first = small(&environment, ["run", "web", "look", "--json"]).run().expect_code(0).json();
    assert_eq!((&first["result"], &first["session_id"]), (&json!("look in made-up-1"), &json!("made-up-1")));
    assert_eq!(first["cost_usd"], 0.25);
    let id = first["job_id"].as_str().expect("an id");
    assert_eq!(
        (&environment.record(id)["backend"], &environment.record(id)["session_id"]),
        (&json!("small"), &Value::Null)
    );

    let again = small(&environment, ["resume", id, "delete it", "--json"]).run().expect_code(0).json();
    assert_eq!(
        (&again["result"], &again["denied_tools"]),
        (&json!("delete it in made-up-1"), &json!(["Delete"]))
    );
    assert_eq!(environment.record(again["job_id"].as_str().expect("an id"))["session_id"], "made-up-1");
    small(&environment, ["run", "web", "delete it", "--strict"]).run().expect_code(4);

    let log = small(&environment, ["logs", id]).run().expect_code(0).stdout;
    assert!(log.contains("looking at look"), "{log}");
    let stats = small(&environment, ["stats", "--json"]).run().expect_code(0).json();
    assert_eq!(stats["total"]["jobs"], 3, "{stats}");
}

#[test]
fn what_the_new_backend_takes_and_does_not_take_is_known_everywhere() {
    let environment = environment();
    let model = small(&environment, ["run", "web", "look", "--model", "tiny"]).run().expect_code(0);
    let log = small(&environment, ["logs", "latest"]).run().expect_code(0).stdout;
    assert!(log.contains("with the model tiny"), "{log}");
    assert!(!model.stderr.contains("means nothing"), "{}", model.stderr);
    let capped = small(&environment, ["run", "web", "look", "--max-budget-usd", "1"]).run().expect_code(0);
    assert!(
        capped.stderr.contains("'web' is a small agent CLI: the spend cap means nothing to it"),
        "{}",
        capped.stderr
    );
    let session = small(&environment, ["run", "web", "look", "--session", "../x"]).run().expect_code(2);
    assert!(session.stderr.contains("is no session id"), "{}", session.stderr);

    let root = environment.root().display().to_string();
    small(&environment, ["agents", "add", "api", &root, "--backend", "small"]).run().expect_code(0);
    let listed = small(&environment, ["agents", "show", "api", "--json"]).run().expect_code(0).json();
    assert_eq!(listed["backend"], "small");
    let help = small(&environment, ["agents", "add", "--help"]).run().expect_code(0).stdout;
    assert!(help.contains("small:") && help.contains("An agent CLI of a few lines"), "{help}");
    let line = ["__complete", "agent-dispatch", "agents", "add", "x", ".", "--backend", ""];
    let completed = small(&environment, line).run().expect_code(0).stdout;
    assert!(completed.contains("small\t"), "{completed}");

    environment.project_with("odd", "backend: small\npermission_mode: plan");
    let doctor = small(&environment, ["doctor", "--json"]).run().json();
    let found = |id: &str, agent: &str| {
        let findings = doctor["findings"].as_array().expect("findings").iter();
        findings.filter(|finding| finding["id"] == id && finding["agent"] == agent).count()
    };
    assert_eq!((found("agent-directory", "web"), found("agent-claude-md", "web")), (1, 0), "{doctor}");
    assert!(doctor.to_string().contains("has the unknown mode 'plan'"), "{doctor}");
}

#[test]
fn failures_stops_and_lost_jobs_of_the_new_backend_are_classified() {
    let environment = environment();
    let failed = small(&environment, ["run", "web", "fail now", "--json"]).run().expect_code(1).json();
    assert_eq!(failed["error"], "the agent failed: the model has gone home");
    assert_eq!(failed["session_id"], "made-up-1");
    let stopped = small(&environment, ["run", "web", "wait", "--timeout", "1s", "--json"])
        .run()
        .expect_code(124)
        .json();
    assert_eq!((&stopped["error_type"], &stopped["result"]), (&json!("timeout"), &json!("looking at wait")));

    small(&environment, ["submit", "web", "wait"]).run().expect_code(0);
    let id = environment.job_ids().pop().expect("a job");
    wait_until(PATIENCE, "the job runs", || environment.record(&id)["status"] == "running");
    environment.kill_supervisor(&id);
    small(&environment, ["wait", &id]).run();
    let status = small(&environment, ["status", &id, "--json"]).run().expect_code(0).json();
    assert_eq!(
        (&status["status"], &status["result"]["error_type"]),
        (&json!("failed"), &json!("lost")),
        "{status}"
    );

    fs::remove_file(environment.bin().join("small-agent")).expect("the agent CLI");
    let missing = small(&environment, ["run", "web", "look"]).run().expect_code(3).stderr;
    assert!(missing.contains("install Small: `small-install`, then `small-login` to log in"), "{missing}");
}

#[test]
fn the_program_without_the_backend_says_so_and_still_shows_its_jobs() {
    let environment = environment();
    let first = small(&environment, ["run", "web", "look", "--json"]).run().expect_code(0).json();
    let id = first["job_id"].as_str().expect("an id");
    let refused = environment.command(["run", "web", "look"]).run().expect_code(2).stderr;
    assert!(
        refused.contains("agents.web.backend: 'small' is not a backend of this agent-dispatch"),
        "{refused}"
    );
    assert_eq!(environment.command(["result", id]).run().expect_code(0).stdout, "look in made-up-1\n");
    environment.command(["logs", id]).run().expect_code(1);
}

#[cfg(feature = "mcp")]
#[test]
fn agents_of_the_new_backend_are_listed_and_dispatched_to_over_mcp() {
    let environment = environment();
    let mut client = McpClient::of(small(&environment, ["serve-mcp"]).into_command());
    client.initialize("2025-11-25", "a client", json!({}));
    let listed = client.call("list_agents", json!({"name": "web"})).expect_success();
    assert!(listed.structured.to_string().contains(r#""backend":"small""#), "{}", listed.structured);
    let called = client.call("dispatch", json!({"agent": "web", "task": "look"})).expect_success();
    assert!(called.text.contains("look in made-up-1"), "{}", called.text);
    assert_eq!(called.structured["cost_usd"], 0.25, "{}", called.structured);
    let log = client.call("dispatch_result", json!({"job_id": called.job(), "part": "log"})).expect_success();
    assert!(log.text.contains("looking at look"), "{}", log.text);
    client.close_stdin();
    client.end(PATIENCE);
}
