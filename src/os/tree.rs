//! Ending everything a process has started, however it tried to get away.
//!
//! On Linux the caller becomes a *subreaper*: a descendant whose parent dies is adopted by it instead of
//! by init, so no amount of forking and `setsid` leaves the tree. Elsewhere a double fork escapes the
//! walk, and only [`kill_marked`] finds it.

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, wait};

use super::Exit;
use super::processes::{self, Process};

/// Makes this process the adopter of its orphaned descendants.
pub fn adopt_orphans() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid()))?;
    Ok(())
}

/// What a sweep came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing is left.
    Clean {
        /// How many processes were killed.
        killed: usize,
    },
    /// Some would not die within the time: a process stuck in the kernel, say.
    Left {
        /// How many are left.
        alive: usize,
    },
}

/// What became of this process's children since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaped {
    /// How the process that was asked about ended, if it did now.
    pub exit: Option<Exit>,
    /// Whether there is any child left: on Linux, where orphans are adopted, `false` proves that no
    /// descendant is alive.
    pub any_left: bool,
}

/// Buries dead children, adopted ones included, and tells how `watched` ended if it was among them.
pub fn reap_orphans(watched: Pid) -> Reaped {
    let mut exit = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == watched => exit = Exit::from_status(status),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Reaped { exit, any_left: true },
            Err(_) => return Reaped { exit, any_left: false },
        }
    }
}

/// Kills every descendant of this process, and the members of the process group `group` (where the
/// platform has no adoption, a group outlives the parent that could name its members).
///
/// Those for which `spare` says yes are left alone, with what descends from them. The dead are not reaped: that
/// is [`reap_orphans`]'s. Gives up after `patience`.
pub fn kill_descendants(group: Pid, patience: Duration, spare: impl Fn(&Process) -> bool) -> Sweep {
    let deadline = Instant::now() + patience;
    let me = getpid();
    let mut killed = 0;
    // Where nobody adopts orphans, the group is what still names them. Where somebody does, its number may
    // already be another process's.
    let in_group = |process: &Process| {
        cfg!(not(target_os = "linux")) && process.group == group.as_raw_pid() && process.pid != me
    };
    let is_ours = |process: &Process| is_below(process, me) || in_group(process);
    loop {
        let table = processes::snapshot();
        let mut victims = processes::descendants(&table, me, &spare);
        victims.extend(table.iter().filter(|process| !process.zombie && in_group(process)));
        if victims.is_empty() {
            return Sweep::Clean { killed };
        }
        if Instant::now() >= deadline {
            return Sweep::Left { alive: victims.len() };
        }
        // Stopped first, so that none of them forks while the others are being killed.
        for victim in &victims {
            processes::signal(*victim, Signal::STOP, is_ours);
        }
        for victim in &victims {
            if processes::signal(*victim, Signal::KILL, is_ours) {
                killed += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills every process that was started with `NAME=value` in its environment, this one and those for which
/// `spare` says yes excepted.
pub fn kill_marked(name: &str, value: &str, patience: Duration, spare: impl Fn(&Process) -> bool) -> Sweep {
    let deadline = Instant::now() + patience;
    let assignment = format!("{name}={value}").into_bytes();
    let me = getpid();
    let mut killed = 0;
    loop {
        let marked: Vec<Process> = processes::snapshot()
            .into_iter()
            .filter(|process| !process.zombie && process.pid != me)
            .filter(|process| processes::has_variable(process.pid, &assignment))
            .filter(|process| !spare(process))
            .collect();
        if marked.is_empty() {
            return Sweep::Clean { killed };
        }
        if Instant::now() >= deadline {
            return Sweep::Left { alive: marked.len() };
        }
        for process in marked {
            let still = |now: &Process| processes::has_variable(now.pid, &assignment);
            if processes::signal(process, Signal::KILL, still) {
                killed += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a fresh look still finds `process` among the descendants of `root`.
fn is_below(process: &Process, root: Pid) -> bool {
    let mut next = process.parent;
    for _ in 0..512 {
        match next {
            Some(pid) if pid == root => return true,
            Some(pid) => next = processes::look(pid).and_then(|parent| parent.parent),
            None => return false,
        }
    }
    false
}
