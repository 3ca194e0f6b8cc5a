//! `--on-done`: what is run when a job has finished.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use test_support::dispatch::{self, AGENT, project, submit_endless, with_agent};
use test_support::{PATIENCE, TestEnvironment, quoted, wait_until};

/// Writes a script that appends its arguments, its directory and what it is told to a file; returns both.
fn notifier(environment: &TestEnvironment, more: &str) -> (PathBuf, PathBuf) {
    let (script, told) = (environment.root().join("notify it"), environment.root().join("told"));
    let text = format!(
        "#!/bin/sh\n{{ echo \"$# $1 $(pwd)\"; env | grep ^AGENT_DISPATCH_ | sort; echo end; }} >> {}\n{more}\n",
        quoted(&told)
    );
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a script");
    (script, told)
}

#[track_caller]
fn told(path: &Path) -> String {
    let read = || fs::read_to_string(path).unwrap_or_default();
    wait_until(PATIENCE, "the command has been run", || read().ends_with("end\n"));
    read()
}

fn stderr_log(environment: &TestEnvironment, id: &str) -> String {
    fs::read_to_string(environment.jobs_directory().join(id).join("stderr.log")).unwrap_or_default()
}

#[test]
fn it_is_told_what_became_of_the_job() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "");
    let command = format!("{} 'two words;$HOME'", quoted(&script));
    let task = "fake: cost 0.25\nfake: status partial\nfake: answer hi";
    let output = environment.command(["run", AGENT, task, "--on-done", &command]).run().expect_code(0);
    assert_eq!(output.stdout, "hi\nSTATUS: partial\n");
    let told = told(&path);
    let record = environment.only_record();
    let id = record["id"].as_str().unwrap();
    assert!(told.starts_with(&format!("1 two words;$HOME {}\n", project(&environment).display())), "{told}");
    for line in [
        format!("AGENT_DISPATCH_JOB_ID={id}"),
        format!("AGENT_DISPATCH_AGENT={AGENT}"),
        "AGENT_DISPATCH_STATUS=done".to_owned(),
        "AGENT_DISPATCH_OUTCOME=partial".to_owned(),
        "AGENT_DISPATCH_COST_USD=0.25".to_owned(),
        format!("AGENT_DISPATCH_RECORD={}/{id}.json", environment.jobs_directory().display()),
    ] {
        assert!(told.lines().any(|told| told == line), "{line} is not in\n{told}");
    }
    assert!(!told.contains("AGENT_DISPATCH_ERROR_TYPE"), "{told}");
    assert_eq!(record["on_done"], json!([script.display().to_string(), "two words;$HOME"]));
}

#[test]
fn it_is_run_whatever_the_end_is_and_once() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "");
    let command = format!("'{}'", script.display());
    environment.configure("settings:\n  max_concurrency: 1\n");
    let submit = |task: &str| {
        let output = environment.command(["submit", AGENT, task, "--on-done", &command]).run().expect_code(0);
        output.stdout.trim_end().to_owned()
    };
    let cancel = |id: &str| drop(environment.command(["cancel", id]).run().expect_code(0));
    let (no_answer, over_budget) = (submit("fake: nothing"), submit("fake: budget"));
    // One whose agent runs, and one that waits for its turn and never gets it.
    let running = submit(dispatch::ENDLESS);
    dispatch::wait_for_begin(&environment);
    let waiting = submit("x");
    cancel(&waiting);
    cancel(&running);
    environment.assert_nothing_running();
    let told = fs::read_to_string(&path).unwrap();
    for (id, error_type) in
        [(no_answer, "incomplete"), (over_budget, "budget"), (running, "cancelled"), (waiting, "cancelled")]
    {
        let of_job: Vec<&str> = told
            .split("end\n")
            .filter(|told| told.contains(&format!("AGENT_DISPATCH_JOB_ID={id}\n")))
            .collect();
        assert_eq!(of_job.len(), 1, "{told}");
        assert!(of_job[0].contains(&format!("AGENT_DISPATCH_ERROR_TYPE={error_type}\n")), "{told}");
    }
}

#[test]
fn it_is_ended_when_it_takes_too_long() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "setsid sleep 300 & exec sleep 300");
    let supervisor = environment.command([""; 0]);
    let (output, _) = dispatch::supervise(&environment, supervisor, "fake: answer hi", |order| {
        order.on_done = vec![script.clone().into()];
        order.on_done_limit_ms = 1_500;
    });
    environment.assert_nothing_running();
    told(&path);
    assert_eq!(environment.only_record()["result"]["result"], "hi");
    assert_eq!(
        output.expect_code(0).stderr,
        format!("agent-dispatch: supervisor: --on-done: {} was ended after 1.5 s\n", script.display())
    );
}

#[test]
fn its_failure_is_a_line_in_the_log_and_changes_nothing() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "echo to stdout; echo to stderr >&2; exit 3");
    let command = format!("'{}'", script.display());
    environment.command(["run", AGENT, "x", "--on-done", &command]).run().expect_code(0);
    told(&path);
    environment.assert_nothing_running();
    let record = environment.only_record();
    assert_eq!(record["status"], "done");
    let line = format!("agent-dispatch: supervisor: --on-done: {} ended with code 3\n", script.display());
    assert_eq!(
        stderr_log(&environment, record["id"].as_str().unwrap()),
        format!("to stdout\nto stderr\n{line}")
    );
}

#[test]
fn what_it_leaves_running_is_ended_and_nobody_waits_for_it() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "setsid sleep 300 & sleep 1");
    let command = format!("'{}'", script.display());
    environment.command(["run", AGENT, "fake: answer hi", "--on-done", &command]).run().expect_code(0);
    let lock = environment.jobs_directory().join(".run");
    let id = environment.only_record()["id"].as_str().unwrap().to_owned();
    assert!(!lock.join(format!("{id}.lock")).exists(), "the job has finished before");
    told(&path);
    wait_until(PATIENCE, "everything is gone", || environment.processes().is_empty());
    assert_eq!(stderr_log(&environment, &id), "");
}

#[test]
fn what_it_dispatches_is_dispatched_by_the_job() {
    let environment = with_agent();
    let tool = test_support::programs::agent_dispatch();
    let command = format!("{} submit {AGENT} 'fake: answer next'", tool.display());
    let first = environment.command(["submit", AGENT, "x", "--on-done", &command]).run().expect_code(0);
    wait_until(PATIENCE, "the next job has finished", || {
        let ids = environment.job_ids();
        ids.len() == 2 && environment.record(&ids[1])["completed_at"].is_number()
    });
    let next = environment.record(&environment.job_ids()[1]);
    assert_eq!((&next["parent"], &next["depth"]), (&json!(first.stdout.trim_end()), &json!(2)));
    assert_eq!(next["result"]["result"], "next");
}

#[test]
fn a_command_that_cannot_be_run_is_refused_before_there_is_a_job() {
    let environment = with_agent();
    for (command, code, message) in [
        (
            "no-such-program",
            3,
            "the program 'no-such-program', to be run when the job has finished, was not found on PATH",
        ),
        (
            "./nothing here",
            3,
            "the program './nothing', to be run when the job has finished, does not exist\n",
        ),
        ("say 'what", 2, "a quote is not closed"),
        ("", 2, "there is no command in it"),
    ] {
        let output =
            environment.command(["submit", AGENT, "x", "--on-done", command]).run().expect_code(code);
        assert!(output.stderr.contains(message), "{command}: {}", output.stderr);
    }
    assert!(environment.job_ids().is_empty());
}

#[test]
fn what_a_record_says_is_never_executed() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "");
    let id = submit_endless(&environment);
    let file = environment.jobs_directory().join(format!("{id}.json"));
    let mut record = environment.record(&id);
    record["on_done"] = json!([script.display().to_string()]);
    environment.kill_supervisor(&id);
    wait_until(PATIENCE, "the agent is gone", || environment.processes().is_empty());
    fs::write(&file, record.to_string()).unwrap();
    environment.command(["wait", &id]).run().expect_code(1);
    assert_eq!(environment.record(&id)["result"]["error_type"], "lost");
    environment.command(["retry", &id, "--timeout", "100ms"]).run().expect_code(124);
    environment.assert_nothing_running();
    assert!(!path.exists());
}

#[test]
fn it_is_run_although_the_agents_directory_is_gone() {
    let environment = with_agent();
    let (script, path) = notifier(&environment, "");
    let command = quoted(&script);
    let directory = project(&environment);
    let task = format!("fake: shell mv {0} {0}.moved", quoted(&directory));
    environment.command(["run", AGENT, &task, "--on-done", &command]).run().expect_code(0);
    let told = told(&path);
    assert!(told.starts_with("0  /\n") && told.contains("AGENT_DISPATCH_STATUS=done"), "{told}");
    let id = environment.job_ids().pop().unwrap();
    let log = || stderr_log(&environment, &id);
    wait_until(PATIENCE, "it is said", || {
        log().contains("the agent's directory is gone; the command runs in /")
    });
}
