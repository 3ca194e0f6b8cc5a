//! Every system call that matters fails once, or is the last one: the first of its kind, the second, and so on until
//! a run has no more of them. strace does it to one process, the submitter or the supervisor.

use std::fs;
use std::path::Path;

use test_support::aftermath::{self, Tally};
use test_support::dispatch;
use test_support::{Invocation, Output, TestEnvironment, programs, skip};

/// The calls by which a job comes to be, lives and ends on disk, and how each of them can fail.
const CALLS: [(&str, &str); 8] = [
    ("openat", "ENOSPC"),
    ("?mkdir,mkdirat", "ENOSPC"),
    ("write", "ENOSPC"),
    ("fsync", "EIO"),
    ("ftruncate", "EIO"),
    ("?rename,renameat,renameat2", "EIO"),
    ("?unlink,unlinkat", "EIO"),
    ("flock", "ENOLCK"),
];

/// More calls of one kind than any run makes.
const MANY: u32 = 300;

/// One fault: what happens to which call.
struct Fault {
    calls: &'static str,
    action: String,
}

impl Fault {
    fn error((calls, error): (&'static str, &str)) -> Self {
        Self { calls, action: format!("error={error}") }
    }

    fn kill((calls, _): (&'static str, &str)) -> Self {
        Self { calls, action: "signal=KILL".to_owned() }
    }

    /// The invocation with this fault at the `nth` of the calls.
    fn strace(&self, environment: &TestEnvironment, nth: u32, program: &Path) -> Invocation {
        let inject = format!("inject={}:{}:when={nth}", self.calls, self.action);
        let trace = format!("trace={}", self.calls);
        let log = environment.root().join("strace");
        let strace =
            ["-o", log.to_str().expect("UTF-8"), "-e", "signal=none", "-e", &trace, "-e", &inject, "--"];
        environment.program(Path::new("strace"), strace).arg(program)
    }

    /// Whether there was an `nth` call.
    fn happened(&self, environment: &TestEnvironment, output: &Output) -> bool {
        let log = fs::read_to_string(environment.root().join("strace")).expect("the log of strace");
        // strace dies of the signal its child died of.
        log.contains("(INJECTED)") || output.signal == Some(libc::SIGKILL)
    }
}

/// Runs with the fault at the first call, the second, …, until a run has finished without it.
fn until_a_clean_pass(
    fault: &Fault,
    mut run: impl FnMut(&TestEnvironment, u32) -> Output,
    check: impl Fn(&TestEnvironment, &Output, &Tally, &str),
) {
    for nth in 1..MANY {
        let environment = aftermath::environment();
        let output = run(&environment, nth);
        let happened = fault.happened(&environment, &output);
        let what = if happened { "" } else { " (a clean pass)" };
        let how =
            format!("{} of {} number {nth}{what}; stderr: {}", fault.action, fault.calls, output.stderr);
        assert!(!output.stderr.contains("panicked"), "{how}");
        let tally = aftermath::check(&environment, &how);
        if !happened {
            assert!(output.code == Some(0) && tally.done == 1, "{how}: {tally:?}");
            return;
        }
        check(&environment, &output, &tally, &how);
    }
    panic!("there is no end of {}", fault.calls);
}

/// Says that strace cannot be used here, if so.
pub(crate) fn without_strace() -> bool {
    let probe = std::process::Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let why = match probe {
        Ok(output) if output.status.success() => return false,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    skip(&format!("strace cannot trace here: {why}"));
    true
}

fn submit(environment: &TestEnvironment, fault: &Fault, nth: u32) -> Output {
    let task = aftermath::task(environment, "answer", 0);
    let command = fault.strace(environment, nth, programs::agent_dispatch());
    command.args(["submit", "infra", &task]).run()
}

/// Runs a supervisor for a job as `submit` would have started it.
fn supervise(environment: &TestEnvironment, fault: &Fault, nth: u32) -> Output {
    let task = aftermath::task(environment, "answer", 0);
    let command = fault.strace(environment, nth, programs::agent_dispatch());
    let (output, word) = dispatch::supervise(environment, command, &task, |_| {});
    fs::write(environment.root().join("ready"), word).expect("a file");
    output
}

/// Whether the supervisor has told the submitter that it has taken over.
fn said_ready(environment: &TestEnvironment) -> bool {
    fs::read_to_string(environment.root().join("ready")).expect("the supervisor's word") == "ok"
}

/// What a command may say when it fails: one error, with what to do about it.
fn assert_clear(output: &Output, how: &str) {
    let lines: Vec<&str> = output.stderr.lines().filter(|line| !line.is_empty()).collect();
    // The dynamic loader speaks for itself.
    if lines.iter().any(|line| line.contains("error while loading shared libraries")) {
        return;
    }
    let errors = lines.iter().filter(|line| line.starts_with("error: ")).count();
    let known = |line: &&str| ["error: ", "hint: ", "warning: "].iter().any(|start| line.starts_with(start));
    assert!(errors == 1 && lines.iter().all(known), "{how}");
}

#[test]
fn whatever_fails_once_while_submitting_the_job_runs_or_the_error_is_clear() {
    if without_strace() {
        return;
    }
    for call in CALLS {
        let fault = Fault::error(call);
        until_a_clean_pass(
            &fault,
            |environment, nth| submit(environment, &fault, nth),
            |_, output, tally, how| {
                if output.code == Some(0) {
                    assert_eq!((tally.done, tally.total()), (1, 1), "it said that all is well; {how}");
                } else {
                    assert_clear(output, how);
                }
            },
        );
    }
}

#[test]
fn whenever_a_submitter_is_killed_there_is_a_job_or_none() {
    if without_strace() {
        return;
    }
    for call in CALLS {
        let fault = Fault::kill(call);
        until_a_clean_pass(
            &fault,
            |environment, nth| submit(environment, &fault, nth),
            |_, _, tally, how| {
                assert!(tally.total() <= 1, "{how}");
            },
        );
    }
}

#[test]
fn whatever_fails_once_while_supervising_the_answer_or_the_reason_is_recorded() {
    if without_strace() {
        return;
    }
    for call in CALLS {
        let fault = Fault::error(call);
        until_a_clean_pass(
            &fault,
            |environment, nth| supervise(environment, &fault, nth),
            |environment, output, tally, how| {
                assert_eq!(tally.total(), 1, "{how}");
                let record = environment.only_record();
                let lost = record["result"]["error_type"] == "lost";
                assert!(!lost || !said_ready(environment), "the reason is recorded; {how}: {record:#}");
                assert!(!lost || !output.stderr.is_empty(), "{how}");
            },
        );
    }
}

#[test]
fn whenever_a_supervisor_is_killed_the_next_look_draws_the_conclusion() {
    if without_strace() {
        return;
    }
    for call in CALLS {
        let fault = Fault::kill(call);
        until_a_clean_pass(
            &fault,
            |environment, nth| supervise(environment, &fault, nth),
            |_, _, tally, how| {
                assert_eq!(tally.total(), 1, "{how}");
            },
        );
    }
}
