//! Supervisors that are stopped (SIGSTOP) or frozen, and limits of the place that jobs are dispatched from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use test_support::dispatch::{self, AGENT, submit, submit_endless, with_agent};
use test_support::{Invocation, PATIENCE, TestEnvironment, programs, quoted, signal, wait_until};

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

#[test]
fn an_agent_that_was_frozen_with_its_supervisor_gets_its_time_to_speak_anew() {
    let environment = with_agent();
    let gate = environment.root().join("gate");
    let task = format!(
        "fake: text working\nfake: write-file begun x\nfake: shell until [ -e {} ]; do sleep 0.01; done\nfake: answer x",
        quoted(&gate)
    );
    let submit = ["submit", AGENT, "--idle-timeout", "4s", &task];
    let id = environment.command(submit).run().expect_code(0).stdout.trim().to_owned();
    dispatch::wait_for_begin(&environment);
    let pid = supervisor(&environment, &id);
    let agent = environment.processes().into_iter().find(|line| line.contains("stream-json"));
    let agent: i32 = agent.and_then(|line| line.split(':').next()?.parse().ok()).expect("the agent runs");
    stop(agent);
    stop(pid);
    // Longer than the agent may be silent.
    let frozen = Instant::now() + Duration::from_secs(7);
    wait_until(PATIENCE, "the freeze has finished", || Instant::now() > frozen);
    // Whoever goes on first, the supervisor gives the agent its time.
    signal(pid, libc::SIGCONT);
    let looked = Instant::now() + Duration::from_secs(1);
    wait_until(PATIENCE, "the supervisor has looked", || Instant::now() > looked);
    signal(agent, libc::SIGCONT);
    fs::write(&gate, "").expect("the gate opens");
    environment.command(["wait", &id]).run().expect_code(0);
    // An answer that comes after the agent was told to stop counts as well, with a word on that.
    assert_eq!(environment.record(&id)["result"].get("hint"), None, "nothing stopped the agent");
}

/// The program in a shell that has set this limit.
fn limited(environment: &TestEnvironment, limit: &str, arguments: &[&str]) -> Invocation {
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    let program = programs::agent_dispatch().to_str().expect("UTF-8");
    environment.program(Path::new("/bin/sh"), ["-c", &script, program]).args(arguments.iter().copied())
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_that_says_so() {
    let environment = with_agent();
    let refused =
        limited(&environment, "ulimit -f 0", &["run", AGENT, "fake: answer x"]).run().expect_code(1);
    assert!(refused.stderr.contains("File too large"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: `ulimit -f`"), "{}", refused.stderr);
    // The agent has the signal that any program has.
    let task = "fake: answer-bytes 1000000";
    let killed = limited(&environment, "ulimit -f 100", &["run", AGENT, "--json", task]).run().expect_code(1);
    assert_eq!(killed.json()["error"], "the agent was killed by signal 25 (SIGXFSZ)");
    assert!(killed.json()["hint"].as_str().is_some_and(|hint| hint.contains("ulimit -f")), "{killed:?}");
}

#[test]
fn a_umask_that_takes_rights_from_the_owner_holds_for_the_agent_only() {
    let environment = with_agent();
    let run = ["run", AGENT, "fake: shell umask"];
    let output = limited(&environment, "umask 0177", &run).run().expect_code(0);
    assert!(output.stdout.starts_with("0177\n"), "{}", output.stdout);
    let id = environment.job_ids().pop().expect("a job");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let jobs = environment.jobs_directory();
    for directory in [jobs.clone(), jobs.join(".run"), jobs.join(&id)] {
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
    }
    assert_eq!(mode(&jobs.join(format!("{id}.json"))), 0o600);
    // Any other is the agent's and nothing changes.
    let output = limited(&environment, "umask 027", &run).run().expect_code(0);
    assert!(output.stdout.starts_with("0027\n"), "{}", output.stdout);
    assert_eq!(environment.record(&id)["status"], json!("done"));
}
