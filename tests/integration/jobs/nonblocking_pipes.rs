//! Pipes in non-blocking mode, as Node and the async runtimes leave them to the processes they start.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::ioctl_fionread;

use test_support::{PATIENCE, TestEnvironment, wait_until};

/// More than a pipe holds.
const BYTES: usize = 300_000;

fn stop_blocking(end: impl AsFd) {
    let flags = fcntl_getfl(&end).expect("the flags");
    fcntl_setfl(&end, flags | OFlags::NONBLOCK).expect("a pipe");
}

fn pipe() -> (PipeReader, PipeWriter) {
    std::io::pipe().expect("a pipe")
}

/// Whether the process has nothing to do but wait, or has finished.
fn is_waiting(child: &Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['S', 'Z']) || rest.is_empty())
}

/// Waits until nothing more fits into the pipe, or the program has finished.
#[track_caller]
fn wait_until_full(pipe: PipeWriter, child: &mut Child) {
    wait_until(PATIENCE, "the pipe is full, or the program has ended", || {
        let mut polled = [PollFd::new(&pipe, PollFlags::OUT)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).expect("a pipe");
        !polled[0].revents().contains(PollFlags::OUT) || child.try_wait().expect("a child").is_some()
    });
    // Its reader would wait for this end, too.
    drop(pipe);
}

/// Runs the program with three streams that do not block; returns what it wrote when it has succeeded. Its output is read
/// when the pipe is full, and its input is written in two parts, the second when it has read the first.
#[track_caller]
fn run(environment: &TestEnvironment, arguments: &[&str], input: &str) -> String {
    let (input_end, mut feed) = pipe();
    let (mut output, output_end) = pipe();
    let log = environment.root().join("stderr");
    let is_read = input_end.try_clone().expect("a descriptor");
    let is_full = output_end.try_clone().expect("a descriptor");
    stop_blocking(&input_end);
    stop_blocking(&output_end);
    let mut command = environment.command(arguments).into_command();
    let log_file = File::create(&log).expect("a file");
    let mut child = command.stdin(input_end).stdout(output_end).stderr(log_file).spawn().expect("a process");
    // It holds the other ends.
    drop(command);
    let (first, second) = input.split_at(input.len() / 2);
    for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
        // A program that has given up closes its end: the exit code and the output tell.
        let _ = feed.write_all(part.as_bytes());
        wait_until(PATIENCE, "the program has read what there is and waits", || {
            child.try_wait().expect("a child").is_some()
                || ioctl_fionread(&is_read).expect("a pipe") == 0 && is_waiting(&child)
        });
    }
    drop(feed);
    let mut text = String::new();
    wait_until_full(is_full, &mut child);
    output.read_to_string(&mut text).expect("text");
    let status = child.wait().expect("a child");
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(status.success(), "{arguments:?}: {status}, after {} bytes\n{said}", text.len());
    text
}

#[test]
fn a_long_answer_passes_whole_through_a_pipe_that_does_not_block() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let task = format!("fake: answer-bytes {BYTES}");
    for arguments in [
        &["run", "infra", &task][..],
        &["run", "infra", &task, "--json"],
        &["run", "infra", &task, "--jsonl"],
        &["result", "latest"],
        &["result", "latest", "--json"],
        &["status", "latest", "--json"],
        &["wait", "latest", "--json"],
        &["logs", "latest"],
        &["logs", "latest", "--raw"],
        &["logs", "latest", "--json"],
        &["jobs", "--json"],
    ] {
        let written = run(&environment, arguments, "");
        assert!(written.len() >= BYTES, "{arguments:?}: {} bytes", written.len());
    }
}

#[test]
fn what_a_pipe_that_does_not_block_says_is_waited_for() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    for arguments in [
        &["run", "infra", "-"][..],
        &["run", "infra"],
        &["run", "infra", "fake: echo-prompt", "--context-file", "-"],
    ] {
        let written = run(&environment, arguments, "fake: echo-prompt\nfirst part, second part");
        assert!(written.contains("first part, second part"), "{arguments:?}: {written}");
    }
    let batch =
        "- {agent: infra, task: 'fake: answer of the first'}\n- {agent: infra, task: 'fake: answer last'}\n";
    let written = run(&environment, &["batch", "-"], batch);
    assert!(written.contains("of the first") && written.contains("last"), "{written}");
}

#[test]
fn standard_error_is_written_whole_too() {
    let environment = TestEnvironment::new();
    let (mut errors, errors_end) = pipe();
    stop_blocking(&errors_end);
    let is_full = errors_end.try_clone().expect("a descriptor");
    let name = "x".repeat(100_000);
    let mut command = environment.command(["run", &name, "hello"]).into_command();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors_end).spawn().expect("a process");
    drop(command);
    wait_until_full(is_full, &mut child);
    let mut text = String::new();
    errors.read_to_string(&mut text).expect("text");
    assert_eq!(child.wait().expect("a child").code(), Some(3), "{text}");
    assert!(text.contains(&name) && text.contains("hint:"), "{} bytes", text.len());
}
