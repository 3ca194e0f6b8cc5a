//! Signals that the parent process left ignored or blocked: both are inherited over exec.

use std::time::Duration;

use test_support::{TestEnvironment, wait_until};

/// An agent that prints its own signal mask and actions.
const SIGNALS: &str = "backend: command\ncommand: [grep, Sig, /proc/self/status]";

/// The value of a line of `/proc/PID/status`, as a mask.
#[track_caller]
fn mask(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).expect("a mask")
}

#[test]
fn with_sigchld_ignored_by_the_parent_every_dispatch_starts_once_and_is_told_as_what_it_is() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    for number in 0..8 {
        let run = environment.command(["run", "infra", "fake: answer here it is"]);
        let output = run.ignoring(libc::SIGCHLD).run().expect_code(0);
        assert_eq!(output.stdout, "here it is\n");
        assert_eq!(environment.job_ids().len(), number + 1);
    }
    let submit = environment.command(["submit", "infra", "fake: answer later"]);
    let id = submit.ignoring(libc::SIGCHLD).run().expect_code(0).stdout;
    let wait = environment.command(["wait", id.trim()]);
    wait.ignoring(libc::SIGCHLD).run().expect_code(0);
    let batch = environment.command(["batch", "-"]).stdin("- {agent: infra, task: 'fake: answer both'}\n");
    batch.ignoring(libc::SIGCHLD).run().expect_code(0);
    let doctor = environment.command(["doctor"]).ignoring(libc::SIGCHLD).run();
    assert!(!doctor.stdout.contains("cannot be started"), "{}", doctor.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn an_agent_has_no_signal_blocked_and_none_ignored_whatever_the_parent_left() {
    let environment = TestEnvironment::new();
    environment.project_with("shown", SIGNALS);
    let run = environment.command(["run", "shown", "which?"]);
    let run = run.ignoring(libc::SIGHUP).ignoring(libc::SIGUSR1).ignoring(libc::SIGCHLD);
    let output = run.blocking(&[libc::SIGINT, libc::SIGTERM, libc::SIGALRM]).run().expect_code(0);
    assert_eq!(mask(&output.stdout, "SigBlk"), 0, "{}", output.stdout);
    assert_eq!(mask(&output.stdout, "SigIgn"), 0, "{}", output.stdout);
}

#[test]
fn run_can_be_interrupted_though_the_parent_had_its_signals_blocked() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let run = environment.command(["run", "infra", "fake: hang"]);
    let run = run.blocking(&[libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGCHLD]).spawn();
    wait_until(Duration::from_secs(20), "the job runs", || {
        environment.job_ids().first().is_some_and(|id| environment.record(id)["status"] == "running")
    });
    run.signal(libc::SIGINT);
    run.wait().expect_code(130);
    assert_eq!(environment.only_record()["status"], "cancelled");
}

#[test]
fn a_signal_that_the_parent_ignores_for_a_run_in_the_background_stays_ignored() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let run = environment.command(["run", "infra", "fake: sleep 600ms", "--timeout", "20s"]);
    let run = run.ignoring(libc::SIGHUP).spawn();
    wait_until(Duration::from_secs(20), "the job runs", || {
        environment.job_ids().first().is_some_and(|id| environment.record(id)["status"] == "running")
    });
    run.signal(libc::SIGHUP);
    run.wait().expect_code(0);
}
