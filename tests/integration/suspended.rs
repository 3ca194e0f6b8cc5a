//! Supervisors that are stopped (SIGSTOP) or frozen, and limits of the place that jobs are dispatched from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::dispatch::{self, AGENT, submit, submit_endless, with_agent};
use crate::support::{Invocation, PATIENCE, TestEnvironment, programs, signal, wait_until};

fn supervisor(environment: &TestEnvironment, id: &str) -> i32 {
    let lock = environment.jobs_directory().join(format!(".run/{id}.lock"));
    let notes = fs::read_to_string(lock).expect("the job lives");
    notes.lines().next().expect("it is signed").trim().parse().expect("a pid")
}

/// The state letter of a process.
fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let end = stat.rfind(')').expect("the end of the name");
    stat[end + 2..].chars().next().expect("a state")
}

fn stop(pid: i32) {
    signal(pid, libc::SIGSTOP);
    wait_until(PATIENCE, "the process is stopped", || state(pid) == 'T');
}

#[test]
fn a_job_whose_supervisor_is_stopped_is_told_as_such_and_can_be_cancelled() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let pid = supervisor(&environment, &id);
    stop(pid);
    let go_on = format!("kill -CONT {pid}");
    let status = environment.command(["status", &id]).run().expect_code(0).stdout;
    assert!(status.contains(&go_on), "{status}");
    let status = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
    assert_eq!(status["suspended_supervisor"], pid);
    let doctor = environment.command(["doctor"]).run();
    assert!(doctor.stdout.contains(&format!("supervisor {pid}")), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("is stopped or frozen"), "{}", doctor.stdout);
    assert!(doctor.stdout.contains(&go_on), "{}", doctor.stdout);
    environment.command(["cancel", &id]).run().expect_code(0);
    assert_eq!(environment.record(&id)["status"], "cancelled");
    environment.assert_nothing_running();
}

#[test]
fn those_behind_a_job_whose_supervisor_is_stopped_are_told_which_one_that_is() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let running = submit_endless(&environment);
    let (stopped, behind) = (submit(&environment, "fake: answer 1"), submit(&environment, "fake: answer 2"));
    let pid = supervisor(&environment, &stopped);
    stop(pid);
    environment.command(["cancel", &running]).run().expect_code(0);
    let status = environment.command(["status", &behind]).run().expect_code(0).stdout;
    let expected = format!("number 2, behind job {stopped}, whose supervisor is stopped or frozen");
    assert!(status.contains(&expected) && status.contains(&format!("kill -CONT {pid}")), "{status}");
    assert_eq!(environment.record(&behind)["status"], "pending");
    signal(pid, libc::SIGCONT);
    environment.command(["wait", &stopped, &behind]).run().expect_code(0);
}
