use super::*;

#[test]
fn every_process_of_the_system_can_be_asked_for_its_session() {
    // Threads of the kernel, where they are seen, have none.
    let mut sessions = std::collections::BTreeSet::new();
    processes::for_each(|pid| sessions.extend(session_of(pid)));
    assert!(session_of(getpid()).is_some_and(|session| sessions.contains(&session)));
}

#[test]
fn a_process_is_known_by_its_session_and_not_by_a_number_that_is_used_again() {
    // In this test's own session, whose number is in use: nothing is known by it.
    let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep starts");
    let pid = Pid::from_child(&child);
    let footprint = Footprint::of(pid).expect("it lives");
    let process = processes::look(pid).expect("it lives");
    assert_eq!(footprint.first, Identity { pid: process.pid.as_raw_pid(), started: process.started });
    let leader_lives = Pid::from_raw(footprint.session).and_then(processes::look).is_some();
    assert_eq!(footprint.has(&process), !leader_lives);
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
