//! Agents that write faster than their output can be read: every limit and every request to stop holds all the same, and
//! what they write has an end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use test_support::{Invocation, TestEnvironment, wait_until};

/// Writes short lines, many times faster than they can be read as events, and slowly enough for the disk of a test.
const FAST: &str = "while :; do yes a | head -c 2000000; sleep 0.02; done";

/// Two environments with an agent `fast` that runs this shell command: as a program of its own, and in the place of claude.
fn environments(shell: &str, settings: &str) -> [TestEnvironment; 2] {
    let as_command = TestEnvironment::new();
    as_command.project_with("fast", &format!("backend: command\ncommand: [sh, -c, \"{shell}\"]"));
    as_command.configure(settings);
    let as_claude = TestEnvironment::without_claude();
    as_claude.executable("claude", &format!("#!/bin/sh\n{shell}\n"));
    as_claude.project("fast");
    as_claude.configure(settings);
    [as_command, as_claude]
}

/// Waits until the only job of the environment has written this much; returns its output file.
#[track_caller]
fn wait_for_output(environment: &TestEnvironment, bytes: u64) -> PathBuf {
    let output = || {
        let id = environment.job_ids().into_iter().next()?;
        Some(environment.jobs_directory().join(id).join("stdout.jsonl"))
    };
    let length = || output()?.metadata().ok().map(|metadata| metadata.len());
    wait_until(Duration::from_secs(30), "the agent writes", || length().is_some_and(|length| length > bytes));
    output().expect("a job")
}

/// Runs it, and says how long that took.
#[track_caller]
fn timed(invocation: Invocation, code: i32) -> Duration {
    let start = Instant::now();
    invocation.run().expect_code(code);
    start.elapsed()
}

#[test]
fn the_time_limit_is_kept_while_an_agent_writes_faster_than_it_is_read() {
    for environment in environments(FAST, "") {
        let took = timed(environment.command(["run", "fast", "x", "--timeout", "1s", "-q"]), 124);
        assert!(took < Duration::from_secs(8), "{took:?}");
        let result = environment.only_record()["result"].clone();
        assert_eq!(result["error_type"], "timeout");
        let duration = result["duration_ms"].as_u64().expect("a duration");
        assert!((1_000..2_500).contains(&duration), "the agent ran for {duration} ms");
    }
}

#[test]
fn the_idle_limit_and_a_cancellation_hold_while_an_agent_writes_faster_than_it_is_read() {
    for environment in environments(FAST, "") {
        let submit =
            environment.command(["submit", "fast", "x", "--timeout", "60s", "--idle-timeout", "30s"]);
        let id = submit.run().expect_code(0).stdout;
        wait_for_output(&environment, 1_000_000);
        let took = timed(environment.command(["cancel", id.trim()]), 0);
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(environment.only_record()["status"], "cancelled");
    }
}

#[test]
fn run_hears_an_interrupt_while_its_agent_writes_faster_than_it_is_read() {
    for environment in environments(FAST, "") {
        let run = environment.command(["run", "fast", "x", "--timeout", "60s"]).spawn();
        wait_for_output(&environment, 10_000_000);
        let start = Instant::now();
        run.signal(libc::SIGINT);
        wait_until(Duration::from_secs(5), "the interrupt is heard", || {
            run.stderr().contains("stopping the job")
        });
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        run.wait().expect_code(130);
        assert_eq!(environment.only_record()["status"], "cancelled");
    }
}

#[test]
fn looking_at_a_job_ends_though_its_agent_writes_faster_than_it_is_read() {
    for environment in environments(FAST, "") {
        let submit = environment.command(["submit", "fast", "x", "--timeout", "60s"]);
        let id = submit.run().expect_code(0).stdout;
        let id = id.trim();
        wait_for_output(&environment, 10_000_000);
        for arguments in [vec!["status", id], vec!["status", id, "--json"], vec!["jobs"]] {
            let took = timed(environment.command(&arguments), 0);
            assert!(took < Duration::from_secs(6), "{arguments:?}: {took:?}");
        }
        environment.command(["cancel", id]).run().expect_code(0);
        environment.command(["wait", id]).run().expect_code(130);
    }
}

#[test]
fn an_agent_that_writes_more_than_it_may_is_stopped_and_its_answer_so_far_is_kept() {
    for (number, environment) in
        environments("echo begun; echo broken >&2; exec yes a", "settings:\n  output_limit_mb: 8\n")
            .into_iter()
            .enumerate()
    {
        let output =
            environment.command(["run", "fast", "x", "--json", "--timeout", "60s"]).run().expect_code(1);
        let result = output.json();
        assert_eq!(result["error_type"], "output_limit", "{result}");
        assert!(result["error"].as_str().is_some_and(|error| error.contains("8 MB")), "{result}");
        assert!(result["hint"].as_str().is_some_and(|hint| hint.contains("output_limit_mb")), "{result}");
        let written = wait_for_output(&environment, 1_000_000).metadata().expect("the output").len();
        assert!(written > 8 << 20, "{written}");
        if number == 0 {
            let answer = result["result"].as_str().expect("an answer");
            assert!(answer.starts_with("begun\na\na\n"), "{}", &answer[..20.min(answer.len())]);
        }
    }
}

#[test]
fn an_agent_that_ends_before_the_next_look_is_held_to_the_limit_and_what_is_beyond_it_is_cut() {
    const MOST: u64 = 10 << 20;
    for shell in [
        "head -c 40000000 /dev/zero",
        "head -c 40000000 /dev/zero >&2",
        "truncate -s 64G /dev/stdout",
        "truncate -s 64G /dev/stderr",
    ] {
        for environment in environments(shell, "settings:\n  output_limit_mb: 8\n") {
            for _ in 0..3 {
                environment.command(["run", "fast", "x", "-q", "--timeout", "60s"]).run().expect_code(1);
            }
            for id in environment.job_ids() {
                let result = environment.record(&id)["result"].clone();
                assert_eq!(result["error_type"], "output_limit", "{shell}: {result}");
                let folder = environment.jobs_directory().join(&id);
                for name in ["stdout.jsonl", "stderr.log"] {
                    let length = folder.join(name).metadata().expect("a log").len();
                    assert!(length <= MOST, "{shell}: {name} has {length} bytes");
                }
            }
        }
    }
}

#[test]
fn what_a_program_writes_to_standard_error_counts_as_output() {
    for environment in environments("exec yes a >&2", "settings:\n  output_limit_mb: 8\n") {
        environment.command(["run", "fast", "x", "-q", "--timeout", "60s"]).run().expect_code(1);
        assert_eq!(environment.only_record()["result"]["error_type"], "output_limit");
    }
}

#[test]
fn a_command_that_is_run_at_the_end_is_ended_when_it_writes_more_than_it_may() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.configure("settings:\n  output_limit_mb: 8\n");
    let run = environment.command(["submit", "infra", "fake: answer done", "--on-done", "yes a"]);
    let id = run.run().expect_code(0).stdout;
    let log = environment.jobs_directory().join(id.trim()).join("stderr.log");
    wait_until(Duration::from_secs(30), "the command is ended", || {
        let bytes = std::fs::read(&log).unwrap_or_default();
        let end = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(300)..]).into_owned();
        end.contains("was ended because it wrote more than 8 MB")
    });
    assert_eq!(environment.only_record()["status"], "done");
}
