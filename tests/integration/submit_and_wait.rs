//! `submit` leaves a job behind that belongs to nobody; `wait` waits for it from anywhere.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::dispatch::{self, AGENT, ENDLESS, submit, submit_endless, with_agent};
use crate::support::programs::agent_dispatch;
use crate::support::{PATIENCE, wait_until};

#[test]
fn submit_prints_the_id_and_nothing_else() {
    let environment = with_agent();
    let output = environment.command(["submit", AGENT, "fake: answer x"]).run().expect_code(0);
    assert_eq!(output.stderr, "");
    let id = output.stdout.strip_suffix('\n').unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let result = environment.command(["result", id, "--wait"]).run().expect_code(0);
    assert_eq!(result.stdout, "x\n");
}

#[test]
fn submit_as_json_names_the_job_and_its_agent() {
    let environment = with_agent();
    let document = environment.command(["submit", AGENT, "x", "--json"]).run().expect_code(0).json();
    let id = document["job_id"].as_str().unwrap();
    assert_eq!(document, json!({"job_id": id, "agent": AGENT, "status": "pending"}));
    environment.command(["wait", id]).run().expect_code(0);
}

#[test]
fn submit_does_not_wait_and_holds_nothing_of_its_callers_open() {
    let environment = with_agent();
    // `Output` needs the end of everything that holds the pipes: a supervisor with one of them would show.
    let begin = Instant::now();
    let id = submit(&environment, "fake: sleep 30s");
    assert!(begin.elapsed() < Duration::from_secs(20));
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn a_job_survives_the_death_of_everything_around_its_submitter() {
    let environment = with_agent();
    let line = format!("{} submit {AGENT} \"$1\"; exec sleep 60", agent_dispatch().display());
    let task = "fake: write-file begun x\nfake: sleep 700ms\nfake: answer survived";
    let shell = environment.program("/usr/bin/setsid".as_ref(), ["sh", "-c", &line, "sh", task]).spawn();
    dispatch::wait_for_begin(&environment);
    // The shell leads its session and its group; every process in either dies.
    let pid = shell.pid();
    let kill = format!("pkill -KILL -g {pid}; pkill -KILL -s {pid}; true");
    environment.program("/bin/sh".as_ref(), ["-c", &kill]).run().expect_code(0);
    assert_eq!(shell.wait().signal, Some(libc::SIGKILL));
    let output = environment.command(["result", "latest", "--wait"]).run().expect_code(0);
    assert_eq!(output.stdout, "survived\n");
}

#[test]
fn a_job_survives_the_hangup_of_its_terminal() {
    let environment = with_agent();
    let line =
        format!("{} submit {AGENT} '{ENDLESS}'; touch submitted; exec sleep 60", agent_dispatch().display());
    let terminal = environment.program("/usr/bin/script".as_ref(), ["-qec", &line, "/dev/null"]);
    let terminal = terminal.stdin_open().spawn();
    let submitted = environment.root().join("submitted");
    wait_until(PATIENCE, "the job is submitted", || submitted.exists());
    dispatch::wait_for_begin(&environment);
    terminal.signal(libc::SIGKILL);
    terminal.wait();
    environment.command(["wait", "latest", "--timeout=500ms"]).run().expect_code(124);
    environment.command(["cancel", "latest"]).run().expect_code(0);
}

#[test]
fn wait_waits_for_all_and_reports_the_first_failure_in_the_order_named() {
    let environment = with_agent();
    let slow = submit(&environment, "fake: sleep 300ms\nfake: answer slow");
    let denied = submit(&environment, "fake: budget");
    let failed = submit(&environment, "fake: nothing");
    let output = environment.command(["wait", &slow, &denied, &failed]).run().expect_code(5);
    assert_eq!(output.stdout, "");
    let mut lines: Vec<&str> = output.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 3, "{}", output.stderr);
    assert!(lines[0].starts_with(&format!("{slow} infra: done in ")), "{}", output.stderr);
    assert!(lines[1].starts_with(&format!("{denied} infra: failed (budget) in ")), "{}", output.stderr);
    environment.command(["wait", &slow]).run().expect_code(0);
    environment.command(["wait", &slow, &failed, &denied]).run().expect_code(1);
}

#[test]
fn wait_as_json_has_the_results_in_the_order_named() {
    let environment = with_agent();
    let slow = submit(&environment, "fake: sleep 300ms\nfake: answer slow");
    let fast = submit(&environment, "fake: answer fast");
    let output = environment.command(["wait", &slow, &fast, "--json"]).run().expect_code(0);
    let results = output.json();
    let answers: Vec<_> = results.as_array().unwrap().iter().map(|result| result["result"].clone()).collect();
    assert_eq!(answers, ["slow", "fast"]);
}

#[test]
fn wait_gives_up_at_its_time_limit_and_the_jobs_go_on() {
    let environment = with_agent();
    let endless = submit_endless(&environment);
    let quick = dispatch::submit_and_finish(&environment, "x");
    let output =
        environment.command(["wait", "--timeout=300ms", "--json", &endless, &quick]).run().expect_code(124);
    assert!(output.stderr.contains("error: 1 of the jobs are not over yet\n"), "{}", output.stderr);
    assert!(output.stderr.contains("agent-dispatch jobs --status running"), "{}", output.stderr);
    assert_eq!(output.json()[0]["job_id"], quick.as_str(), "what is over is reported");
    assert_eq!(environment.record(&endless)["status"], "running");
    environment.command(["cancel", &endless]).run().expect_code(0);
}

#[test]
fn any_number_of_processes_can_wait_for_one_job() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let waiting: Vec<_> = (0..4).map(|_| environment.command(["wait", &id]).spawn()).collect();
    environment.command(["cancel", &id]).run().expect_code(0);
    for waiter in waiting {
        waiter.wait().expect_code(130);
    }
}

#[test]
fn twenty_jobs_submitted_at_once_all_finish() {
    let environment = with_agent();
    let log = environment.root().join("log");
    let submitting: Vec<_> = (0..20)
        .map(|number| {
            let task = format!("fake: log {}\nfake: answer number {number}", log.display());
            environment.command(["submit", AGENT, &task]).spawn()
        })
        .collect();
    let ids: Vec<String> = submitting
        .into_iter()
        .map(|submit| submit.wait().expect_code(0).stdout.trim_end().to_owned())
        .collect();
    let output = environment.command(["wait", "--json"]).args(&ids).run().expect_code(0);
    let answers: Vec<String> = output
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["result"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (0..20).map(|number| format!("number {number}")).collect();
    assert_eq!(answers, expected);
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.lines().filter(|line| line.starts_with("start ")).count(), 20, "each ran once");
}
