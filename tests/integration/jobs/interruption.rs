//! `run` and the signals and deaths that reach it.

use std::time::Duration;

use test_support::dispatch::{self, AGENT, run_endless, with_agent};
use test_support::{PATIENCE, TestEnvironment, quoted, wait_until};

#[track_caller]
fn wait_for_status(environment: &TestEnvironment, status: &str) {
    wait_until(PATIENCE, &format!("the record says {status}"), || {
        environment.only_record()["status"] == status
    });
}

#[test]
fn an_interrupt_stops_the_job_and_waits_for_its_record() {
    let environment = with_agent();
    let running = run_endless(&environment, &["--json"]);
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.json()["error_type"], "cancelled");
    assert_eq!(output.json()["result"], "working", "what there was is kept");
    assert!(output.stderr.contains("stopping the job; once more to leave at once\n"), "{}", output.stderr);
    assert_eq!(environment.only_record()["status"], "cancelled");
    environment.assert_nothing_running();
}

#[test]
fn a_termination_does_the_same_with_143() {
    let environment = with_agent();
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let running = run_endless(&environment, &[]);
        running.signal(signal);
        running.wait().expect_code(143);
        environment.command(["result", "latest"]).run().expect_code(130);
    }
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_job_is_stopped_all_the_same() {
    let environment = with_agent();
    // An agent that takes no hint: only the grace, two seconds long, ends it.
    let task = format!("fake: ignore INT,TERM\n{}", dispatch::ENDLESS);
    let running = environment.command(["run", AGENT, &task]).spawn();
    dispatch::wait_for_begin(&environment);
    running.signal(libc::SIGINT).wait_for_stderr("once more");
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.stdout, "");
    assert_eq!(environment.only_record()["status"], "running", "it did not wait for the end");
    wait_for_status(&environment, "cancelled");
}

#[test]
fn an_interrupt_before_the_agent_has_begun_counts() {
    let environment = with_agent();
    let running = environment.command(["run", AGENT, "fake: sleep 60s"]).spawn();
    running.wait_for_stderr("job ").signal(libc::SIGINT);
    running.wait().expect_code(130);
    assert_eq!(environment.only_record()["status"], "cancelled");
}

#[test]
fn the_death_of_run_stops_its_job() {
    let environment = with_agent();
    let running = run_endless(&environment, &[]);
    running.signal(libc::SIGKILL);
    assert_eq!(running.wait().signal, Some(libc::SIGKILL));
    wait_for_status(&environment, "cancelled");
    let result = &environment.only_record()["result"];
    assert_eq!(result["error"], "stopped, because the process that waited for it went away");
    environment.assert_nothing_running();
}

#[test]
fn a_detached_job_outlives_the_death_of_run() {
    let environment = with_agent();
    let running = run_endless(&environment, &["--detach"]);
    running.signal(libc::SIGKILL);
    running.wait();
    // Longer than a supervisor takes to notice an owner that went away, and the job still answers to others.
    let id = environment.only_record()["id"].as_str().unwrap().to_owned();
    environment.command(["wait", &id, "--timeout", "1"]).run().expect_code(124);
    assert_eq!(environment.only_record()["status"], "running");
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn an_interrupted_detached_run_leaves_its_job_running() {
    let environment = with_agent();
    let running = run_endless(&environment, &["--detach"]);
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    let id = environment.only_record()["id"].as_str().unwrap().to_owned();
    assert!(output.stderr.contains(&format!("agent-dispatch wait {id}\n")), "{}", output.stderr);
    assert_eq!(environment.only_record()["status"], "running");
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn a_terminals_interrupt_of_the_whole_group_stops_the_job_once() {
    let environment = with_agent();
    let run = format!("exec {} run {AGENT} \"$1\"", quoted(test_support::programs::agent_dispatch()));
    let script = format!("({run}); echo code $?");
    let shell =
        environment.program("/usr/bin/setsid".as_ref(), ["sh", "-c", &script, "sh", dispatch::ENDLESS]);
    let running = shell.spawn();
    dispatch::wait_for_begin(&environment);
    let group = running.pid();
    // What a terminal does at Ctrl-C: everybody in the foreground group gets it, the shell ignores it here.
    environment
        .program("/bin/sh".as_ref(), ["-c", &format!("pkill -INT -g {group} agent-dispatch")])
        .run()
        .expect_code(0);
    assert_eq!(running.wait().stdout, "working\ncode 130\n");
    wait_for_status(&environment, "cancelled");
}

#[test]
fn a_finished_job_is_noticed_at_once() {
    let environment = with_agent();
    environment
        .command(["run", AGENT, "fake: sleep 200ms"])
        .deadline(Duration::from_secs(20))
        .run()
        .expect_code(0);
    let result = environment.only_record();
    let seconds = |field: &str| result[field].as_f64().unwrap();
    assert!(seconds("completed_at") - seconds("started_at") < 10.0);
}

#[test]
fn an_interrupt_while_the_job_waits_for_its_turn_is_quick() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let first = dispatch::submit_endless(&environment);
    let running = environment.command(["run", AGENT, "x"]).spawn();
    running.wait_for_stderr("job ").signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("it was cancelled before its agent was started"), "{}", output.stderr);
    assert_eq!(environment.record(&first)["status"], "running");
    environment.command(["cancel", &first]).run().expect_code(0);
}

#[test]
fn who_prints_to_somebody_who_does_not_read_can_be_stopped() {
    let environment = with_agent();
    for command in ["result latest --wait", "run infra 'fake: answer-bytes 1000000'"] {
        let task = "fake: sleep 300ms\nfake: answer-bytes 1000000";
        environment.command(["submit", AGENT, task]).run().expect_code(0);
        // `timeout` kills what does not heed it, and then says 137.
        let line = format!("rm -f pipe; mkfifo pipe; exec 3<>pipe; timeout -k 10 2 \"$tool\" {command} >&3");
        let shell = environment.program("/bin/bash".as_ref(), ["-c", &line]);
        let output = shell.env("tool", test_support::programs::agent_dispatch()).run();
        assert_eq!(output.code, Some(124), "{command}: {}", output.stderr);
    }
}

#[test]
fn under_nohup_the_end_of_the_terminal_ends_nothing() {
    let environment = with_agent();
    let line =
        "nohup \"$tool\" run infra 'fake: write-file begun x\nfake: sleep 1s\nfake: answer kept' 2>/dev/null";
    let line = format!(
        "{} & pid=$!; while [ ! -e infra/begun ]; do sleep 0.01; done; kill -HUP $pid; wait $pid",
        line.replace("\\n", "\n")
    );
    let shell = environment.program("/bin/bash".as_ref(), ["-c", &line]);
    let shell = shell.directory(environment.root().join("projects"));
    let output = shell.env("tool", test_support::programs::agent_dispatch()).run().expect_code(0);
    assert_eq!(output.stdout, "kept\n", "{}", output.stderr);
}
