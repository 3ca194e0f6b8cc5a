//! Looking at processes: who is whose child, what they were started with, sending them a signal.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal};

#[cfg(target_os = "linux")]
mod procfs;
#[cfg(any(test, not(target_os = "linux")))]
mod ps;

#[cfg(target_os = "linux")]
use procfs as platform;
#[cfg(not(target_os = "linux"))]
use ps as platform;

/// A process as it was when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number, which the system gives to another process some time after this one is gone.
    pub pid: Pid,
    /// The process it belongs to: its parent, or the one that adopted it.
    pub parent: Option<Pid>,
    /// Its process group.
    pub group: i32,
    /// When it started, in a unit of the platform's: together with `pid` it tells two processes apart.
    pub started: u64,
    /// Whether it is dead and waits to be reaped.
    pub zombie: bool,
}

/// What a process of this user tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its number.
    pub pid: i32,
    /// What it was started with, the program's name first.
    pub arguments: Vec<Vec<u8>>,
    /// The value of the variable that was asked for, in the environment it was started with.
    pub variable: Option<String>,
    /// The file it runs, where the platform tells.
    pub program: Option<Program>,
    /// How long ago it started.
    pub age: Option<Duration>,
}

/// The file that a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is, or was.
    pub path: PathBuf,
    /// Whether it has been deleted or replaced since.
    pub is_gone: bool,
    /// What tells it from every other file that exists: device and inode.
    identity: (u64, u64),
}

impl Program {
    /// Whether both are one file, whatever its names.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

/// The living processes of this user, each with its value of `variable`.
pub fn processes_of_this_user(variable: &str) -> Vec<Description> {
    platform::of_this_user(variable)
}

/// The file that this process runs, where the platform tells.
pub fn own_program() -> Option<Program> {
    platform::program(rustix::process::getpid())
}

/// Calls `visit` with the number of every process of the system, in ascending order as a rule.
pub(super) fn for_each(visit: impl FnMut(Pid)) {
    platform::for_each(visit);
}

/// Waits for `patience` and meanwhile calls `visit` with the number of each process as it begins, as far as the
/// platform tells.
pub(super) fn for_each_newborn(patience: Duration, visit: impl FnMut(Pid)) {
    platform::for_each_newborn(patience, visit);
}

/// Kills the process group that `process` is in, if `process` is still there and `still` says yes to a fresh look.
pub(super) fn kill_group(process: Process, still: impl Fn(&Process) -> bool) {
    let Some(group) = Pid::from_raw(process.group) else { return };
    // While the process is there, the number of its group cannot mean another one.
    if signal(process, Signal::STOP, still) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// All processes of the system.
pub(super) fn snapshot() -> Vec<Process> {
    platform::snapshot()
}

/// The children of this process, adopted ones included. One that is forked or dies meanwhile may be missing.
pub(super) fn children() -> Vec<Process> {
    platform::children()
}

/// The children of this process that are alive, adopted ones included.
pub fn living_children() -> Vec<Process> {
    children().into_iter().filter(|child| !child.zombie).collect()
}

/// The process `pid`, if there is one.
pub fn look(pid: Pid) -> Option<Process> {
    platform::look(pid)
}

/// The arguments a process was started with; empty when it is gone or another user's.
pub fn arguments(pid: Pid) -> Vec<Vec<u8>> {
    platform::arguments(pid)
}

/// Whether a process does not run because it was stopped (SIGSTOP, a debugger) or, where the platform tells, frozen.
pub fn is_suspended(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(platform::is_suspended)
}

/// Which run of the system this is.
pub(super) fn boot() -> String {
    platform::boot()
}

/// Whether the environment a process was started with holds `NAME=value`.
pub(super) fn has_variable(pid: Pid, assignment: &[u8]) -> bool {
    platform::has_variable(pid, assignment)
}

/// Whether every process here is killed when one command ends: so it is in the pid namespace of a sandbox
/// made by `bwrap`, as Claude Code's own Bash sandbox is. (A container's namespace lives on.)
pub fn in_short_lived_namespace() -> bool {
    platform::in_short_lived_namespace()
}

/// Sends `signal` to `process`, unless its number has gone to another process since it was looked at.
///
/// `still` is asked once more with a fresh look before the signal goes out. Returns whether it was sent.
pub(super) fn signal(process: Process, signal: Signal, still: impl Fn(&Process) -> bool) -> bool {
    platform::signal(process, signal, |now| now.started == process.started && still(now))
}

/// Sends `signal` to the process `pid` if it `is` the right one.
pub fn signal_process(pid: Pid, signal: Signal, is: impl Fn(&Process) -> bool) -> bool {
    look(pid).is_some_and(|process| self::signal(process, signal, is))
}

/// The parent of this process, its parent, and so on.
pub fn ancestors() -> Vec<Process> {
    let mut chain = Vec::new();
    let mut next = rustix::process::getppid();
    while let Some(process) = next.and_then(look) {
        // A parent cycle cannot be, but a table read in several steps can look like one.
        if chain.len() > 512 {
            break;
        }
        next = process.parent;
        chain.push(process);
    }
    chain
}

/// The living descendants of `root` in a snapshot, without those for which `spare` says yes and without
/// what descends from these.
pub(super) fn descendants(
    snapshot: &[Process],
    root: Pid,
    spare: &impl Fn(&Process) -> bool,
) -> Vec<Process> {
    let mut children: HashMap<Pid, Vec<&Process>> = HashMap::new();
    for process in snapshot {
        if let Some(parent) = process.parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for process in children.get(&parent).into_iter().flatten() {
            if (process.zombie || !spare(process)) && seen.insert(process.pid) {
                open.push(process.pid);
                if !process.zombie {
                    found.push(**process);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
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
        let all: Vec<i32> =
            descendants(&table, root, &|_| false).iter().map(|p| p.pid.as_raw_pid()).collect();
        assert_eq!(all, [3, 4, 5]);
        let some: Vec<i32> = descendants(&table, root, &|p| p.pid.as_raw_pid() == 4)
            .iter()
            .map(|p| p.pid.as_raw_pid())
            .collect();
        assert_eq!(some, [3]);
    }
}
