//! Ending everything a process has started, however it tried to get away.
//!
//! On Linux the caller becomes a *subreaper*: a descendant whose parent dies is adopted by it instead of by init,
//! so no amount of forking and `setsid` leaves the tree, and killing the children again and again dissolves it
//! from the top. Elsewhere a double fork escapes, and only [`kill_marked`] finds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, wait};

use super::Exit;
use super::groups::own_group;
use super::processes::{self, Process};

/// Whether orphaned descendants become children of this process, by [`adopt_orphans`].
static ADOPTS_ORPHANS: AtomicBool = AtomicBool::new(false);

pub(super) fn adopts_orphans() -> bool {
    ADOPTS_ORPHANS.load(Ordering::Relaxed)
}

/// How many scans in a row must find nothing before the tree counts as gone: a look at a table that changes meanwhile can
/// miss a process that has just been forked by one that has just ended.
const LOOKS: u32 = 10;

/// How long newborn processes are watched for after each look at all of them.
const NEWBORN_WATCH: Duration = Duration::from_millis(4);

/// Makes this process the adopter of its orphaned descendants, where the system can do that (Linux since 3.4, unless a
/// sandbox forbids it). Elsewhere descendants are found by ancestry, process group and environment.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    ADOPTS_ORPHANS.store(rustix::process::set_child_subreaper(Some(getpid())).is_ok(), Ordering::Relaxed);
}

/// What a sweep came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing is left.
    Clean,
    /// Some would not die within the time: a process stuck in the kernel, say.
    Left {
        /// How many are left.
        alive: usize,
    },
}

/// A process this one has started, and all that came of it.
#[derive(Debug)]
pub struct ProcessTree {
    first: Pid,
    exit: Option<Exit>,
}

impl ProcessTree {
    /// The tree of the process `first`, which leads a group of its own.
    pub fn new(first: Pid) -> Self {
        Self { first, exit: None }
    }

    /// Reaps exited children, adopted orphans included. Returns whether any child is left; where orphans are adopted,
    /// none left means that no descendant is alive.
    pub fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.first => self.exit = Exit::from_status(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Whether [`Self::reap`] can see by the children that a descendant is alive. Elsewhere only a sweep tells.
    pub fn sees_every_descendant(&self) -> bool {
        adopts_orphans()
    }

    /// How the first process ended, once it has been reaped.
    pub fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// Kills all that is left, except those for which `spare` says yes and what descends from them. Gives up
    /// after `patience`.
    pub fn kill(&mut self, patience: Duration, spare: impl Fn(&Process) -> bool) -> Sweep {
        let deadline = Instant::now() + patience;
        let me = getpid();
        let mut clean_looks = 0;
        loop {
            if !self.reap() && adopts_orphans() {
                return Sweep::Clean;
            }
            let victims = self.victims(me, &spare);
            clean_looks = if victims.is_empty() { clean_looks + 1 } else { 0 };
            if clean_looks == LOOKS {
                return Sweep::Clean;
            }
            if Instant::now() >= deadline {
                return Sweep::Left { alive: victims.len() };
            }
            for victim in victims {
                processes::signal(victim, Signal::KILL, |_| true);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn victims(&self, me: Pid, spare: &impl Fn(&Process) -> bool) -> Vec<Process> {
        if adopts_orphans() {
            let children = processes::children().into_iter();
            return children.filter(|child| !child.zombie && !spare(child)).collect();
        }
        // Where no process adopts orphans, the group is what still names them.
        let group = self.first.as_raw_pid();
        let table = processes::snapshot();
        let mut victims = processes::descendants(&table, me, spare);
        let grouped = |process: &&Process| !process.zombie && process.group == group && process.pid != me;
        victims.extend(table.iter().filter(grouped).filter(|process| !spare(process)));
        victims
    }
}

/// Kills every process that was started with `NAME=value` in its environment, and the process group it is in; this
/// process, its group and those for which `spare` says yes excepted. Gives up after `patience`.
///
/// The group makes the difference for processes that fork and end all the time: a new one can be missed by every
/// look, but it cannot leave the group while the group is being killed.
pub fn kill_marked(name: &str, value: &str, patience: Duration, spare: impl Fn(&Process) -> bool) -> Sweep {
    let deadline = Instant::now() + patience;
    let assignment = format!("{name}={value}").into_bytes();
    let (me, own_group) = (getpid(), Pid::as_raw(own_group()));
    let mut clean_looks = 0;
    loop {
        let mut alive = 0;
        // One process after the other, looked at and killed at once: a table would be outdated when it is complete.
        // And for a moment the newborn: what lives for a millisecond only is seen when it has just begun.
        let mut visit = |pid| {
            if pid == me || !processes::has_variable(pid, &assignment) {
                return;
            }
            let Some(process) = processes::look(pid).filter(|process| !process.zombie && !spare(process))
            else {
                return;
            };
            alive += 1;
            let still_marked = |now: &Process| processes::has_variable(now.pid, &assignment);
            if process.group == own_group {
                processes::signal(process, Signal::KILL, still_marked);
            } else {
                processes::kill_group(process, still_marked);
            }
        };
        processes::for_each(&mut visit);
        processes::for_each_newborn(NEWBORN_WATCH, &mut visit);
        clean_looks = if alive == 0 { clean_looks + 1 } else { 0 };
        if clean_looks == LOOKS {
            return Sweep::Clean;
        }
        if Instant::now() >= deadline {
            return Sweep::Left { alive };
        }
    }
}
