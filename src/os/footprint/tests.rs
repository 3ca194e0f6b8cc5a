use super::*;

/// A process in a session of its own: that of the tests is not always one of this PID namespace.
fn in_its_own_session() -> (std::process::Child, Pid) {
    let mut command = std::process::Command::new("setsid");
    let child = command.args(["sleep", "30"]).spawn().expect("setsid starts");
    let pid = Pid::from_child(&child);
    let deadline = Instant::now() + Duration::from_secs(10);
    while session_of(pid) != Some(pid) {
        assert!(Instant::now() < deadline, "setsid gave {pid:?} no session");
        std::thread::sleep(Duration::from_millis(1));
    }
    (child, pid)
}

#[test]
fn every_process_of_the_system_can_be_asked_for_its_session() {
    let (mut child, pid) = in_its_own_session();
    // Threads of the kernel, where they are seen, have none.
    let mut sessions = std::collections::BTreeSet::new();
    processes::for_each(|pid| sessions.extend(session_of(pid).map(Pid::as_raw_pid)));
    child.kill().expect("it lives");
    child.wait().expect("the child ends");
    assert!(sessions.contains(&pid.as_raw_pid()));
}

#[test]
fn a_process_is_known_by_its_session_and_not_by_a_number_that_is_used_again() {
    // Its session has a leader, so the number is in use: nothing is known by it.
    let (mut child, pid) = in_its_own_session();
    let footprint = Footprint::of(pid).expect("it lives");
    let process = processes::look(pid).expect("it lives");
    assert_eq!(footprint.first, Identity { pid: process.pid.as_raw_pid(), started: process.started });
    assert!(!footprint.has(&process));
    let stray = Footprint { strays: vec![footprint.first], ..footprint.clone() };
    assert!(stray.has(&process));
    assert!(!stray.has(&Process { started: process.started + 1, ..process }));
    let other_boot = Footprint { boot: "another".to_owned(), ..stray };
    assert_eq!(kill_footprint(&other_boot, Duration::ZERO, |_| false), Sweep::Clean);
    assert!(
        child.try_wait().expect("a child").is_none(),
        "what another run of the system noted is not killed"
    );
    child.kill().expect("it lives");
    child.wait().expect("the child ends");
}
