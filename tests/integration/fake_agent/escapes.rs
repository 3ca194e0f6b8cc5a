//! Every kind of process the fake agent leaves behind escapes what it claims to, and the leak check finds it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use test_support::{PATIENCE, TestEnvironment, wait_until};

/// What the kernel says about a process: fields of `/proc/PID/stat`.
struct Process {
    parent: i32,
    group: i32,
    session: i32,
    environment: Vec<u8>,
}

/// Leaves a process of this kind behind and looks at it, together with the ended agent's pid.
fn leave(environment: &TestEnvironment, kind: &str) -> (i32, Process) {
    let project = environment.project("infra");
    let command = environment.fake_agent(["-p", "--output-format=stream-json", "--verbose"]);
    let running = command.directory(&project).stdin(format!("fake: spawn {kind} 60")).spawn();
    let agent = running.pid();
    running.wait_for_stdout("\"result\"");
    let found = || {
        let all = environment.processes();
        let line = all.iter().find(|line| line.contains(&format!("leftover {kind}")))?.clone();
        let pid: i32 = line.split(':').next()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        Some(Process {
            parent: fields[1].parse().ok()?,
            group: fields[2].parse().ok()?,
            session: fields[3].parse().ok()?,
            environment: fs::read(format!("/proc/{pid}/environ")).ok()?,
        })
    };
    let mut process = None;
    // Its parent is known for good when the agent has gone.
    wait_until(PATIENCE, &format!("a leftover of the kind {kind} runs"), || {
        process = found().filter(|process| process.parent != agent);
        process.is_some()
    });
    (agent, process.expect("it was just found"))
}

/// Checks one kind; the leak check must then complain, and leave nothing.
fn check(kind: &str, inspect: impl FnOnce(i32, &Process)) {
    let mut environment = TestEnvironment::new();
    environment.leak_grace(Duration::from_millis(200));
    let root = environment.root().to_owned();
    let (agent, process) = leave(&environment, kind);
    inspect(agent, &process);
    assert!(catch_unwind(AssertUnwindSafe(|| environment.assert_nothing_running())).is_err());
    let complaint = catch_unwind(AssertUnwindSafe(|| drop(environment))).expect_err("a leak");
    let complaint = complaint.downcast_ref::<String>().expect("a message");
    assert!(complaint.contains(&format!("leftover {kind}")), "{complaint}");
    assert!(!root.exists(), "the directory goes all the same");
}

#[test]
fn a_background_process_stays_in_the_agents_group() {
    // It also holds the agent's standard output, as `&` in a shell does.
    // 0 where it is not one of this PID namespace: in a container, say.
    let own = rustix::process::Pid::as_raw(agent_dispatch::os::own_group());
    check("background", |_, process| assert_eq!(process.group, own));
}

#[test]
fn setpgid_leaves_the_group_but_not_the_session() {
    check("setpgid", |agent, process| {
        assert_ne!(process.group, agent);
        assert_ne!(process.group, process.session);
    });
}

#[test]
fn setsid_leaves_the_session() {
    check("setsid", |_, process| assert_eq!(process.group, process.session));
}

#[test]
fn a_double_fork_leaves_the_leader_of_its_session_behind() {
    check("double-fork", |_, process| assert!(!process.environment.is_empty()));
}

#[test]
fn a_daemon_with_an_empty_environment_carries_no_marker() {
    check("daemon-env-i", |_, process| assert!(process.environment.is_empty()));
}

#[test]
fn a_chain_never_keeps_a_pid() {
    let mut environment = TestEnvironment::new();
    environment.leak_grace(Duration::from_millis(200));
    let project = environment.project("infra");
    let agent = environment.fake_agent(["--plain"]).directory(&project).stdin("fake: spawn chain 60");
    agent.run().expect_code(0);
    wait_until(PATIENCE, "a link of the chain is seen", || {
        environment.processes().iter().any(|line| line.contains("leftover chain"))
    });
    let complaint = catch_unwind(AssertUnwindSafe(|| environment.assert_nothing_running()));
    assert!(complaint.is_err(), "a chain is found too");
    let complaint = catch_unwind(AssertUnwindSafe(|| drop(environment))).expect_err("a leak");
    let complaint = complaint.downcast_ref::<String>().expect("a message");
    assert!(complaint.contains("leftover chain"), "{complaint}");
}
