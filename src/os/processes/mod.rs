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

/// A process as it was when somebody looked.
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

/// The arguments a process was started with; empty when it is gone or somebody else's.
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
mod tests;
