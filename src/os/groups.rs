//! The session and the process group of a process.
//!
//! The numbers that the system gives are those of this process's own PID namespace: where the leader is outside of it,
//! as that of a container's first command can be, the answer is 0. The safe wrappers take for granted that it is not.

use rustix::process::Pid;

/// The session that a process is in; `None` for one that has none here, as threads of the kernel do.
#[expect(unsafe_code, reason = "a system call whose safe wrapper does not expect every answer")]
pub fn session_of(pid: Pid) -> Option<Pid> {
    // SAFETY: only asks.
    Pid::from_raw(unsafe { libc::getsid(pid.as_raw_pid()) }.max(0))
}

/// The process group that a process is in; `None` for one that has none here.
#[expect(unsafe_code, reason = "a system call whose safe wrapper does not expect every answer")]
pub fn group_of(pid: Pid) -> Option<Pid> {
    // SAFETY: only asks.
    Pid::from_raw(unsafe { libc::getpgid(pid.as_raw_pid()) }.max(0))
}

/// The process group that this process is in; `None` where it is not one of this PID namespace.
pub fn own_group() -> Option<Pid> {
    group_of(rustix::process::getpid())
}
