use super::*;

#[test]
fn both_platforms_ways_see_this_process_alike() {
    let me = rustix::process::getpid();
    let seen = look(me).expect("this process exists");
    let by_ps = ps::look(me).expect("ps knows this process");
    assert_eq!(seen.parent, by_ps.parent);
    assert_eq!(seen.group, by_ps.group);
    assert!(!seen.zombie && !by_ps.zombie);
    assert!(ps::snapshot().iter().any(|p| p.pid == me));
    assert!(snapshot().iter().any(|p| p.pid == me));
}

#[test]
fn both_platforms_ways_find_a_marked_process() {
    let mut child = std::process::Command::new("sleep")
        .arg("30")
        .env("AGENT_DISPATCH_MARK", "here")
        .spawn()
        .expect("sleep starts");
    let pid = Pid::from_child(&child);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !has_variable(pid, b"AGENT_DISPATCH_MARK=here") && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(has_variable(pid, b"AGENT_DISPATCH_MARK=here"));
    assert!(ps::has_variable(pid, b"AGENT_DISPATCH_MARK=here"));
    assert!(!has_variable(pid, b"AGENT_DISPATCH_MARK=her"));
    assert_eq!(arguments(pid)[1], b"30");
    assert_eq!(ps::arguments(pid)[1], b"30");
    let process = look(pid).expect("the child lives");
    assert!(!signal(Process { started: process.started + 1, ..process }, Signal::KILL, |_| true));
    assert!(signal(process, Signal::KILL, |_| true));
    child.wait().expect("the child ends");
}

#[test]
fn both_platforms_ways_see_that_a_process_is_stopped() {
    let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep starts");
    let pid = Pid::from_child(&child);
    assert!(!platform::is_suspended(pid) && !ps::is_suspended(pid));
    rustix::process::kill_process(pid, Signal::STOP).expect("it lives");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !platform::is_suspended(pid) && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(platform::is_suspended(pid) && ps::is_suspended(pid));
    child.kill().expect("it lives");
    child.wait().expect("the child ends");
}

#[test]
fn both_platforms_ways_describe_a_process_of_this_user() {
    let mut child = std::process::Command::new("sleep")
        .arg("31")
        .env("AGENT_DISPATCH_MARK", "told")
        .spawn()
        .expect("sleep starts");
    let pid = child.id().cast_signed();
    let ways = [("ps", ps::of_this_user as fn(&str) -> _), ("the platform", processes_of_this_user)];
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    for (way, look) in ways {
        let described = loop {
            // Between fork and exec it is a copy of this process.
            let found = look("AGENT_DISPATCH_MARK").into_iter().find(|process| process.pid == pid);
            match found.filter(|process| process.variable.is_some()) {
                Some(found) => break found,
                None => assert!(std::time::Instant::now() < deadline, "{way} finds it"),
            }
        };
        assert_eq!(described.variable.as_deref(), Some("told"), "{way}");
        assert_eq!(described.arguments[1], b"31", "{way}");
        assert!(described.age.is_some_and(|age| age < Duration::from_secs(60)), "{way}: {described:?}");
    }
    child.kill().expect("it lives");
    child.wait().expect("the child ends");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_was_deleted_while_it_runs_is_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("sleep");
    std::fs::copy("/bin/sleep", &copy).expect("a copy");
    let mut child = std::process::Command::new(&copy).arg("31").spawn().expect("the copy starts");
    let pid = Pid::from_child(&child);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let program = loop {
        match platform::program(pid).filter(|program| program.path == copy) {
            Some(program) => break program,
            None => assert!(std::time::Instant::now() < deadline, "the copy runs"),
        }
    };
    assert!(!program.is_gone);
    std::fs::remove_file(&copy).expect("the copy is removed");
    let program = platform::program(pid).expect("it still runs");
    assert!(program.is_gone && program.path == copy, "{program:?}");
    assert!(!own_program().expect("this program").is_same_file(&program));
    child.kill().expect("it lives");
    child.wait().expect("the child ends");
}

#[test]
fn descendants_leave_out_the_spared_and_what_is_theirs() {
    let process = |pid: i32, parent: i32| Process {
        pid: Pid::from_raw(pid).expect("positive"),
        parent: Pid::from_raw(parent),
        group: 0,
        started: 0,
        zombie: false,
    };
    let table = [process(2, 1), process(3, 2), process(4, 2), process(5, 4), process(9, 1)];
    let root = Pid::from_raw(2).expect("positive");
    let all: Vec<i32> = descendants(&table, root, &|_| false).iter().map(|p| p.pid.as_raw_pid()).collect();
    assert_eq!(all, [3, 4, 5]);
    let some: Vec<i32> =
        descendants(&table, root, &|p| p.pid.as_raw_pid() == 4).iter().map(|p| p.pid.as_raw_pid()).collect();
    assert_eq!(some, [3]);
}
