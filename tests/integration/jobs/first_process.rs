//! `run` as the first process of a namespace, as in a container: what is left when it ends is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use test_support::dispatch::{AGENT, with_agent};
use test_support::{PATIENCE, TestEnvironment, namespace, quoted, wait_until};

/// A command for `--on-done` that says when it begins and, if it may, when it ends; and the file it says so in.
fn slow_notifier(environment: &TestEnvironment, seconds: &str) -> (PathBuf, PathBuf) {
    let (script, told) = (environment.root().join("notify"), environment.root().join("told"));
    let text = format!("#!/bin/sh\necho begin > {0}\nsleep {seconds}\necho end >> {0}\n", quoted(&told));
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a script");
    (script, told)
}

fn run(environment: &TestEnvironment, script: &Path) -> Option<Command> {
    let script = quoted(script);
    let arguments = ["run", AGENT, "fake: answer hi", "--on-done", &script];
    namespace::as_first_process(&environment.command(arguments).into_command())
}

#[test]
fn what_runs_after_the_jobs_end_runs_to_its_end() {
    let environment = with_agent();
    let (script, told) = slow_notifier(&environment, "2");
    let Some(mut command) = run(&environment, &script) else { return };
    let output = command.output().expect("unshare runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout), (Some(0), b"hi\n".to_vec()), "{stderr}");
    assert_eq!(fs::read_to_string(told).unwrap_or_default(), "begin\nend\n", "{stderr}");
    assert!(stderr.contains("waiting for what runs after the job's end (--on-done)"), "{stderr}");
}

#[test]
fn a_signal_ends_the_wait_for_what_runs_after_the_jobs_end() {
    let environment = with_agent();
    let (script, told) = slow_notifier(&environment, "50");
    let Some(mut command) = run(&environment, &script) else { return };
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("unshare runs");
    wait_until(PATIENCE, "the command runs", || {
        fs::read_to_string(&told).is_ok_and(|text| text == "begin\n")
    });
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).expect("a list");
    let first = children.trim().parse().ok().and_then(Pid::from_raw).expect("unshare has one child");
    wait_until(PATIENCE, "it ends", || {
        // Again and again: the first signal may come when it is not waiting yet. The last may come too late.
        let _ = kill_process(first, Signal::TERM);
        child.try_wait().expect("a child of this process").is_some()
    });
    assert_eq!(fs::read_to_string(told).unwrap_or_default(), "begin\n");
}

#[test]
fn a_job_that_ends_with_the_container_is_warned_of() {
    let environment = with_agent();
    let submit = environment.command(["submit", AGENT, "fake: hang"]).into_command();
    let Some(mut command) = namespace::as_first_process(&submit) else { return };
    let output = command.output().expect("unshare runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("warning: 1 job still running will be lost: "), "{stderr}");
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    environment.assert_nothing_running();
    // 1: it failed. Nobody waits for ever.
    environment.command(["wait", &id]).run().expect_code(1);
    assert_eq!(environment.only_record()["result"]["error_type"], "lost");
}
