//! However a job ends, nothing its agent has started is left: the escape matrix, one test a way to escape, each
//! through every ending.

use std::path::Path;
use std::time::Duration;

use test_support::{Invocation, Output, PATIENCE, Running, TestEnvironment, programs, wait_until};

/// What an ending needs of a job that runs.
struct Job {
    environment: TestEnvironment,
    run: Running,
    id: String,
}

/// Starts a job whose agent leaves a process of this kind behind and then does `rest`.
fn start(kind: &str, rest: &str, options: &[&str]) -> Job {
    let mut environment = TestEnvironment::new();
    environment.leak_grace(Duration::from_millis(300));
    environment.project("infra");
    let task = format!("fake: spawn {kind} 600\nfake: text off they went\n{rest}");
    let run = environment.command(["run", "infra", &task]).args(options.iter().copied()).spawn();
    let mut id = String::new();
    wait_until(PATIENCE, "the agent has started a process that escapes", || {
        id = environment.job_ids().first().cloned().unwrap_or_default();
        let output = environment.jobs_directory().join(&id).join("stdout.jsonl");
        std::fs::read_to_string(output).is_ok_and(|output| output.contains("off they went"))
    });
    Job { environment, run, id }
}

/// Checks that nothing is left now that the job has finished, its record included.
fn check(environment: &TestEnvironment, id: &str, status: &str) {
    let record = environment.record(id);
    assert_eq!(record["status"], status, "{record}");
    environment.assert_nothing_running();
}

fn ends_with(kind: &str, rest: &str, options: &[&str], code: i32, status: &str) {
    let Job { environment, run, id } = start(kind, rest, options);
    run.wait().expect_code(code);
    check(&environment, &id, status);
}

fn escapes_no_ending(kind: &str) {
    ends_with(kind, "fake: answer fine", &[], 0, "done");
    ends_with(kind, "fake: exit 3", &[], 1, "failed");
    ends_with(kind, "fake: die SIGKILL", &[], 1, "failed");
    ends_with(kind, "fake: hang", &["--timeout", "500ms"], 124, "failed");
    ends_with(kind, "fake: ignore INT,TERM\nfake: hang", &["--timeout", "500ms"], 124, "failed");

    // Cancelled by somebody else.
    let Job { environment, run, id } = start(kind, "fake: hang", &[]);
    environment.command(["cancel", &id]).run().expect_code(0);
    check(&environment, &id, "cancelled");
    run.wait().expect_code(130);

    // The process that waits for it is killed.
    let Job { environment, run, id } = start(kind, "fake: hang", &[]);
    run.signal(libc::SIGKILL);
    let _: Output = run.wait();
    environment.command(["wait", &id]).run().expect_code(130);
    check(&environment, &id, "cancelled");

    // Its supervisor is told to stop.
    let Job { environment, run, id } = start(kind, "fake: hang", &[]);
    environment.signal_supervisor(&id, libc::SIGTERM);
    run.wait().expect_code(130);
    check(&environment, &id, "cancelled");
}

#[test]
fn a_background_process_does_not_escape() {
    escapes_no_ending("background");
}

#[test]
fn a_process_in_a_group_of_its_own_does_not_escape() {
    escapes_no_ending("setpgid");
}

#[test]
fn a_process_in_a_session_of_its_own_does_not_escape() {
    escapes_no_ending("setsid");
}

#[test]
fn a_double_fork_does_not_escape() {
    escapes_no_ending("double-fork");
}

#[test]
fn a_daemon_without_an_environment_does_not_escape() {
    escapes_no_ending("daemon-env-i");
}

#[test]
fn a_chain_of_processes_that_fork_and_exit_does_not_escape() {
    escapes_no_ending("chain");
}

/// The program without the right to read what is not to be read, which root has.
fn without_ptrace(environment: &TestEnvironment, arguments: &[&str]) -> Invocation {
    let program = programs::agent_dispatch();
    if !rustix::process::geteuid().is_root() {
        return environment.command(arguments);
    }
    let rights = "-sys_ptrace,-perfmon,-sys_admin";
    let drop = [&format!("--bounding-set={rights}"), &format!("--inh-caps={rights}"), "--"];
    environment.program(Path::new("setpriv"), drop).arg(program).args(arguments.iter().copied())
}

#[test]
fn when_the_supervisor_is_killed_what_hides_its_environment_is_found_as_well() {
    for kind in ["daemon-env-i", "undumpable"] {
        let mut environment = TestEnvironment::new();
        environment.leak_grace(Duration::from_millis(300));
        environment.project("infra");
        let task = format!("fake: spawn {kind} 600\nfake: hang");
        let id = without_ptrace(&environment, &["submit", "infra", &task]).run().expect_code(0);
        let id = id.stdout.trim();
        let lock = environment.jobs_directory().join(format!(".run/{id}.lock"));
        // Its first lines name the supervisor, why the job is to stop, and the agent.
        let noted = || {
            let notes = std::fs::read_to_string(&lock).unwrap_or_default();
            notes.lines().nth(3).is_some_and(|line| !line.trim().is_empty())
        };
        wait_until(PATIENCE, "the supervisor notes what escaped", noted);
        environment.kill_supervisor(id);
        wait_until(PATIENCE, "the agent dies with it", || environment.processes().len() == 1);
        without_ptrace(&environment, &["wait", id]).run().expect_code(1);
        assert_eq!(environment.record(id)["result"]["error_type"], "lost");
        environment.assert_nothing_running();
    }
}

#[test]
fn when_the_supervisor_is_killed_the_agent_dies_and_the_next_look_sweeps_the_rest() {
    for kind in ["background", "setpgid", "setsid", "double-fork", "chain"] {
        let Job { environment, run, id } = start(kind, "fake: hang", &[]);
        let agent_runs = || {
            let stat = |pid: &Path| std::fs::read_to_string(pid.join("cmdline")).unwrap_or_default();
            environment.processes().iter().any(|line| {
                let pid = line.split(':').next().unwrap_or_default();
                stat(&Path::new("/proc").join(pid)).contains("stream-json")
            })
        };
        assert!(agent_runs());
        environment.kill_supervisor(&id);
        wait_until(PATIENCE, "the agent dies with its supervisor", || !agent_runs());
        run.wait().expect_code(1);
        let record = environment.record(&id);
        assert_eq!((&record["status"], &record["result"]["error_type"]), (&"failed".into(), &"lost".into()));
        environment.assert_nothing_running();
    }
}
