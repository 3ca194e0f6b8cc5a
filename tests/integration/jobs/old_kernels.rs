//! Kernels and sandboxes without the newer system calls: before Linux 5.3, WSL 1, gVisor, containers with a list of
//! allowed calls. strace makes the calls fail, in the program and in all that it starts.

use std::path::Path;
use std::time::Duration;

use super::system_call_faults::without_strace;
use test_support::{Invocation, TestEnvironment, programs};

/// The system calls that came after Linux 4.0 and that the program makes.
const NEWER: &str = "pidfd_open,pidfd_send_signal,close_range,memfd_create,statx,getrandom,copy_file_range,openat2,\
                     faccessat2,renameat2,epoll_pwait2";

/// `agent-dispatch` where these calls fail with this error.
fn without(environment: &TestEnvironment, calls: &str, error: &str, arguments: &[&str]) -> Invocation {
    let calls: Vec<String> =
        calls.split(',').map(|call| format!("?{}", call.trim_start_matches('?'))).collect();
    let calls = calls.join(",");
    let inject = format!("inject={calls}:error={error}");
    let log = environment.root().join("strace");
    let trace = format!("trace={calls}");
    let options = ["-f", "-qq", "--seccomp-bpf", "-o", log.to_str().expect("UTF-8"), "-e", "signal=none"];
    let strace = environment.program(Path::new("strace"), options);
    strace.args(["-e", &trace, "-e", &inject, "--"]).arg(programs::agent_dispatch()).args(arguments)
}

#[test]
fn without_pidfds_a_time_limit_ends_an_agent_that_ignores_the_interrupt() {
    if without_strace() {
        return;
    }
    for error in ["ENOSYS", "EPERM"] {
        let environment = TestEnvironment::new();
        environment.project("infra");
        let task = "fake: ignore INT,TERM\nfake: spawn setsid 60\nfake: hang";
        let run = without(
            &environment,
            "pidfd_open,pidfd_send_signal",
            error,
            &["run", "infra", task, "--timeout", "1s"],
        );
        run.deadline(Duration::from_secs(40)).run().expect_code(124);
        environment.assert_nothing_running();
    }
}

#[test]
fn without_pidfds_what_an_agent_left_running_is_ended() {
    if without_strace() {
        return;
    }
    let environment = TestEnvironment::new();
    environment.project("infra");
    let task = "fake: spawn setsid 60\nfake: spawn double-fork 60\nfake: answer done";
    let run = without(&environment, "pidfd_open,pidfd_send_signal", "ENOSYS", &["run", "infra", task]);
    let output = run.run().expect_code(0);
    assert_eq!(output.stdout, "done\n");
    environment.assert_nothing_running();
}

#[test]
fn a_job_runs_to_its_end_where_none_of_the_newer_system_calls_is_there() {
    if without_strace() {
        return;
    }
    // Without clone3 the C library starts threads by clone, but only if the error is this one.
    for (calls, error) in [(format!("{NEWER},clone3"), "ENOSYS"), (NEWER.to_owned(), "EPERM")] {
        let environment = TestEnvironment::new();
        environment.project("infra");
        let task = "fake: spawn setsid 60\nfake: answer done";
        let output = without(&environment, &calls, error, &["run", "infra", task]).run().expect_code(0);
        assert_eq!(output.stdout, "done\n", "{error}");
        environment.assert_nothing_running();
    }
}

#[test]
fn where_orphans_cannot_be_adopted_what_an_agent_started_is_found_by_group_and_environment() {
    if without_strace() {
        return;
    }
    let environment = TestEnvironment::new();
    environment.project("infra");
    let task = "fake: spawn setsid 60\nfake: spawn double-fork 60\nfake: answer done";
    let output = without(&environment, "prctl", "EINVAL", &["run", "infra", task]).run().expect_code(0);
    assert_eq!(output.stdout, "done\n");
    environment.assert_nothing_running();
}
