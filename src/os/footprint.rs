//! Finding what a process has started when the one that looked after it is gone, without reading any environment: that
//! of a process which is not dumpable (`ssh-agent`) cannot be read, and others clear theirs.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid};

use super::Sweep;
use super::groups::{own_group, session_of};
use super::processes::{self, Process};
use super::tree::adopts_orphans;

/// What tells a process from every other one since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it started, in the unit of [`Process::started`].
    pub started: u64,
}

/// Where the first process of a tree was, for those who were not its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Which run of the system it was: numbers and times begin anew with the next.
    pub boot: String,
    /// The session it was started in, which nothing else was started in before.
    pub session: i32,
    /// The process. It led a group of its own.
    pub first: Identity,
    /// Descendants that are known to have left all of that.
    pub strays: Vec<Identity>,
}

impl Footprint {
    /// That of a process which was started by [`super::spawn_owned`] from a session of its starter's own.
    pub fn of(first: Pid) -> Option<Self> {
        let process = processes::look(first)?;
        let session = session_of(first)?.as_raw_pid();
        let first = Identity { pid: first.as_raw_pid(), started: process.started };
        Some(Self { boot: processes::boot(), session, first, strays: Vec::new() })
    }

    /// Whether `process` is in the group or the session of the first process, or a known stray.
    fn has(&self, process: &Process) -> bool {
        let identity = Identity { pid: process.pid.as_raw_pid(), started: process.started };
        if self.strays.contains(&identity) {
            return true;
        }
        // A number is not given to another process as long as it names a group or a session. Once it is,
        // the process that has it leads what is meant by it.
        let is_reused = |number: i32, by: Option<u64>| {
            let leader = Pid::from_raw(number).and_then(processes::look);
            leader.is_some_and(|leader| Some(leader.started) != by)
        };
        process.started >= self.first.started
            && session_of(process.pid).is_some_and(|session| session.as_raw_pid() == self.session)
            && !is_reused(self.session, None)
            && !is_reused(self.first.pid, Some(self.first.started))
    }
}

/// Kills what of a tree can be told by its footprint, except processes for which `spare` says yes. Gives up after
/// `patience`.
pub fn kill_footprint(footprint: &Footprint, patience: Duration, spare: impl Fn(&Process) -> bool) -> Sweep {
    if footprint.boot != processes::boot() {
        return Sweep::Clean;
    }
    let deadline = Instant::now() + patience;
    let (me, own_group) = (getpid(), Pid::as_raw(own_group()));
    loop {
        let mut alive = 0;
        processes::for_each(|pid| {
            let Some(process) = processes::look(pid).filter(|process| !process.zombie) else { return };
            if pid == me || !footprint.has(&process) || spare(&process) {
                return;
            }
            alive += 1;
            let still = |now: &Process| footprint.has(now);
            if process.group == own_group {
                processes::signal(process, Signal::KILL, still);
            } else {
                processes::kill_group(process, still);
            }
        });
        if alive == 0 {
            return Sweep::Clean;
        }
        if Instant::now() >= deadline {
            return Sweep::Left { alive };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The processes that came to this one as orphans and of which neither `NAME=value` in their environment nor `first`,
/// the process that was started here, tells where they came from; at most `limit`.
pub fn strays(first: Pid, name: &str, value: &str, limit: usize) -> Vec<Process> {
    if !adopts_orphans() {
        return Vec::new();
    }
    let assignment = format!("{name}={value}").into_bytes();
    let is_stray = |child: &Process| {
        child.pid != first && !child.zombie && !processes::has_variable(child.pid, &assignment)
    };
    processes::children().into_iter().filter(is_stray).take(limit).collect()
}

#[cfg(test)]
mod tests {
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
}
