//! `submit` leaves a job behind that belongs to nobody; `wait` waits for it from anywhere.

use std::time::{Duration, Instant};

use serde_json::json;

use test_support::dispatch::{self, AGENT, ENDLESS, submit, submit_and_finish, submit_endless, with_agent};
use test_support::programs::agent_dispatch;
use test_support::{PATIENCE, quoted, wait_until};

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
    let line = format!("{} submit {AGENT} \"$1\"; exec sleep 60", quoted(agent_dispatch()));
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
        format!("{} submit {AGENT} '{ENDLESS}'; touch submitted; exec sleep 60", quoted(agent_dispatch()));
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
    let about = |id: &str| {
        let mut lines = output.stderr.lines().skip_while(|line| !line.starts_with(id));
        [lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default()]
    };
    assert!(about(&slow)[0].starts_with(&format!("{slow} infra: done in ")), "{}", output.stderr);
    let [line, error, hint] = about(&denied);
    assert!(line.starts_with(&format!("{denied} infra: failed (budget) in ")), "{}", output.stderr);
    assert!(error.starts_with("error: infra: ") && hint.starts_with("hint: "), "{}", output.stderr);
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
    let quick = submit_and_finish(&environment, "x");
    let output =
        environment.command(["wait", "--timeout=300ms", "--json", &endless, &quick]).run().expect_code(124);
    let said = format!(
        "error: 1 of 2 jobs has not finished yet\nhint: it goes on: `agent-dispatch wait {endless}`\n"
    );
    assert!(output.stderr.ends_with(&said), "{}", output.stderr);
    assert_eq!(output.json()[0]["job_id"], quick.as_str(), "what has finished is reported");
    assert_eq!(environment.record(&endless)["status"], "running");
    environment.command(["cancel", &endless]).run().expect_code(0);
}

#[test]
fn wait_names_the_way_on_also_for_jobs_that_have_not_begun_unless_they_are_many() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let running = submit_endless(&environment);
    let waiting: Vec<String> = (0..5).map(|_| submit(&environment, "x")).collect();
    let output = environment.command(["wait", "--timeout=50ms"]).args(&waiting).run().expect_code(124);
    let said = format!(
        "5 of 5 jobs have not finished yet\nhint: they go on: `agent-dispatch wait {}`\n",
        waiting.join(" ")
    );
    assert!(output.stderr.ends_with(&said), "{}", output.stderr);
    let all = environment.command(["wait", "--timeout=50ms", &running]).args(&waiting).run().expect_code(124);
    assert!(all.stderr.ends_with("they go on: `agent-dispatch jobs`\n"), "{}", all.stderr);
    environment.command(["cancel", &running]).args(&waiting).run().expect_code(0);
}

#[test]
fn a_job_that_is_named_twice_is_meant_once() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "fake: answer one");
    let second = submit_and_finish(&environment, "fake: answer two");
    let named = [&first[..], &second, &first, "latest"];
    let ids = |output: test_support::Output| {
        let document = output.expect_code(0).json();
        document.as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(environment.command(["wait", "--json"]).args(named).run()), [&first[..], &second]);
    assert_eq!(ids(environment.command(["cancel", "--json"]).args(named).run()), [&first[..], &second]);
    let log = environment.command(["logs", "--raw", &first, &first]).run().expect_code(0);
    assert_eq!(log.last_result()["result"], "one");
}

#[test]
fn strict_waiting_says_what_is_wrong_with_what_is_done() {
    let environment = with_agent();
    let denied = submit_and_finish(&environment, "fake: answer x\nfake: denied Bash, Write");
    let partial = submit_and_finish(&environment, "fake: answer x\nfake: status partial");
    let output = environment.command(["wait", &denied, &partial]).run().expect_code(0);
    assert!(
        output.stderr.contains("warning: infra: tools were denied: Bash, Write\nhint: "),
        "{}",
        output.stderr
    );
    let output = environment.command(["wait", &partial, &denied, "--strict"]).run().expect_code(9);
    let said = "error: infra: the agent reports that its work is partial\n";
    assert!(output.stderr.contains(said), "{}", output.stderr);
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
