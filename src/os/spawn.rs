//! Starting processes: one that outlives its starter, and one that must not.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, WaitStatus};

use super::signals;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    pub(super) fn from_status(status: WaitStatus) -> Option<Self> {
        status.exit_status().map(Self::Code).or_else(|| status.terminating_signal().map(Self::Signal))
    }
}

/// A copy of this program to be started on its own.
#[derive(Debug)]
pub struct Detached<'a> {
    /// Its arguments, program name excluded.
    pub arguments: Vec<&'a OsStr>,
    /// The descriptors it gets, under the numbers they have here.
    pub descriptors: &'a [BorrowedFd<'a>],
    /// Where its standard error goes.
    pub stderr: File,
    /// Environment variables it must not see.
    pub without: &'a [&'a str],
}

/// Starts this program again as a process of its own: in a new session, no child of the caller's, working
/// directory `/`, standard input and output closed off, and no descriptor but those named.
///
/// Returns when the new program has been loaded.
#[expect(unsafe_code, reason = "fork and exec need code between them")]
pub fn spawn_detached(detached: Detached<'_>) -> io::Result<()> {
    let mut command = Command::new(this_program()?);
    command
        .arg0("agent-dispatch")
        .args(&detached.arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(detached.stderr);
    for name in detached.without {
        command.env_remove(name);
    }
    let keep: Vec<RawFd> = detached.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    // SAFETY: between fork and exec only async-signal-safe calls are made and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            close_on_exec_from(3);
            for &fd in &keep {
                check(libc::fcntl(fd, libc::F_SETFD, 0))?;
            }
            check(libc::setsid())?;
            // The second fork: its parent ends at once, so the program is no child of this process and, not being
            // the session's leader, can never get a terminal.
            match check(libc::fork())? {
                0 => Ok(()),
                _ => libc::_exit(0),
            }
        });
    }
    // An error of the grandchild's exec comes back through the same pipe as the child's would.
    let mut intermediate = command.spawn()?;
    // Only reaps the intermediate process. How it ended says nothing about the program, which has been loaded.
    let _ = intermediate.wait();
    Ok(())
}

/// This program, also when its file was replaced by an upgrade meanwhile.
pub fn this_program() -> io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// A started process that dies with this one.
#[derive(Debug, Clone, Copy)]
pub struct Spawned {
    /// Its number, and that of its process group.
    pub pid: Pid,
}

impl Spawned {
    /// Sends a signal to the process and its group, as a terminal would.
    pub fn signal_group(&self, signal: rustix::process::Signal) {
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }
}

/// Starts `command` in a process group of its own and with this umask; the kernel kills it when this thread's process
/// dies.
///
/// Every signal has its default action and none is blocked, and no descriptor beyond the three standard ones reaches
/// it. The caller reaps it, with [`super::ProcessTree`].
#[expect(unsafe_code, reason = "some settings of a process can only be made between fork and exec")]
pub fn spawn_owned(mut command: Command, umask: Option<u32>) -> io::Result<Spawned> {
    let parent = rustix::process::getpid();
    command.process_group(0);
    // SAFETY: only async-signal-safe calls, no allocation.
    unsafe {
        command.pre_exec(move || {
            close_on_exec_from(3);
            signals::restore_all_defaults();
            if let Some(umask) = umask {
                libc::umask(umask as libc::mode_t);
            }
            #[cfg(target_os = "linux")]
            {
                // Where the system has no such setting the sweep at the end finds the process.
                let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
                // The parent may have died before the setting was made.
                if rustix::process::getppid() != Some(parent) {
                    libc::_exit(127);
                }
            }
            #[cfg(not(target_os = "linux"))]
            let _ = parent;
            Ok(())
        });
    }
    let child = command.spawn()?;
    Ok(Spawned { pid: Pid::from_child(&child) })
}

/// Takes over a descriptor that was passed on from the process that started this one.
#[expect(unsafe_code, reason = "a number from the command line becomes an owned descriptor")]
pub fn adopt_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a passed descriptor"));
    }
    // SAFETY: the descriptor is checked to be open, and nothing else in this process owns it: it came from
    // the parent, and the caller adopts each number once, before opening anything.
    unsafe {
        check(libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(number))
    }
}

/// Marks every descriptor from `first` on to be closed by exec. Async-signal-safe.
#[expect(unsafe_code, reason = "a system call without a safe wrapper")]
pub(super) fn close_on_exec_from(first: RawFd) {
    #[cfg(target_os = "linux")]
    {
        const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
        // SAFETY: sets a flag on descriptors, none is closed.
        if unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) } == 0
        {
            return;
        }
    }
    // Kernels before 5.11, and other systems.
    // SAFETY: as above; numbers that are not open fail harmlessly.
    unsafe {
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as RawFd;
        for fd in first..limit {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
