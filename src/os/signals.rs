//! Signals as something to wait for beside other things.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

/// Notes the signals it was made for instead of letting them end the process.
#[derive(Debug)]
pub struct SignalWatch {
    wake: OwnedFd,
    seen: Vec<(i32, Arc<AtomicBool>)>,
    released: Arc<AtomicBool>,
}

/// Undoes what a parent process may have left over exec and what breaks a program that does not expect it: the default
/// action of SIGCHLD returns, because with the signal ignored the kernel reaps children behind the program's back and
/// every wait for one fails; and no signal is blocked, because a blocked SIGINT or SIGTERM never arrives.
///
/// Signals that the parent ignores stay ignored: that is how `nohup` and a shell's `&` protect a program. SIGXFSZ, too,
/// is ignored, so that a write beyond `ulimit -f` is an error that can be told instead of the end of the process.
#[expect(unsafe_code, reason = "system calls without safe wrappers")]
pub fn reset_inherited_signals() {
    // SAFETY: sets a default action and an empty mask, before any thread or handler exists.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        unblock_all();
    }
}

/// Blocks no signal in the calling thread. Async-signal-safe.
///
/// # Safety
///
/// Only changes the mask; unsafe because the calls have no safe wrapper.
#[expect(unsafe_code, reason = "system calls without safe wrappers")]
unsafe fn unblock_all() {
    // SAFETY: the set is initialised by `sigemptyset` before it is used.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Gives every signal its default action and blocks none: what a program may expect at its start. Async-signal-safe.
///
/// # Safety
///
/// To be called between fork and exec: it takes away every handler of the calling process.
#[expect(unsafe_code, reason = "system calls without safe wrappers")]
pub(super) unsafe fn restore_all_defaults() {
    // SAFETY: setting a default action is async-signal-safe; numbers that cannot be set (SIGKILL, SIGSTOP) fail
    // harmlessly. The zeros are the kernel's own form of a default action without flags, and longer than it on every
    // architecture.
    unsafe {
        for signal in 1..=LAST_SIGNAL {
            // The C library refuses the two or three signals that it keeps for itself, and they can be inherited as
            // ignored as well.
            #[cfg(target_os = "linux")]
            libc::syscall(libc::SYS_rt_sigaction, signal, [0_u64; 8].as_ptr(), 0_usize, KERNEL_SIGSET_BYTES);
            #[cfg(not(target_os = "linux"))]
            libc::signal(signal, libc::SIG_DFL);
        }
        unblock_all();
    }
}

/// The length of a signal set as the kernel has it, in bytes: 64 signals.
#[cfg(target_os = "linux")]
const KERNEL_SIGSET_BYTES: usize = 8;

/// The last signal that has an action of its own: Linux has 64, the others 31.
const LAST_SIGNAL: i32 = if cfg!(target_os = "linux") { 64 } else { 31 };

/// Whether this process was started with `signal` ignored, as `nohup` does with SIGHUP.
#[expect(unsafe_code, reason = "a system call without a safe wrapper")]
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: a zeroed `sigaction` is a valid one; without a new action the call only fills it in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

impl SignalWatch {
    /// Starts watching `signals`, for the rest of the process's life or until [`Self::release`].
    pub fn new(signals: &[i32]) -> std::io::Result<Self> {
        let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
        let (wake, write) = rustix::pipe::pipe_with(flags)?;
        let mut seen = Vec::new();
        let released = Arc::new(AtomicBool::new(false));
        for &signal in signals {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&released))?;
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
            // Registered second: the flag is up before the pipe says so.
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
            seen.push((signal, flag));
        }
        Ok(Self { wake, seen, released })
    }

    /// From now on the signals do again what they do to any process.
    pub fn release(&self) {
        self.released.store(true, Ordering::Release);
    }

    /// The descriptor that becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The signals that came since the last call, each once.
    pub fn take(&self) -> Vec<i32> {
        let mut buffer = [0u8; 64];
        while rustix::io::read(&self.wake, &mut buffer).is_ok_and(|n| n > 0) {}
        self.seen
            .iter()
            .filter(|(_, flag)| flag.swap(false, Ordering::AcqRel))
            .map(|(signal, _)| *signal)
            .collect()
    }
}

/// Waits until one of `descriptors` is readable or closed at the other end, at most `patience`.
///
/// Returns which are; a signal that interrupts the wait ends it early.
pub fn wait_readable(descriptors: &[BorrowedFd<'_>], patience: Duration) -> Vec<bool> {
    poll(descriptors.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect(), patience)
}

/// Waits like [`wait_readable`] for one descriptor, or until no process is left that could read what is written to
/// `output`; then returns `None`.
pub fn wait_readable_while_read(
    descriptor: BorrowedFd<'_>,
    output: BorrowedFd<'_>,
    patience: Duration,
) -> Option<bool> {
    let polled = vec![
        PollFd::from_borrowed_fd(descriptor, PollFlags::IN),
        // That the other end is closed is told without being asked for.
        PollFd::from_borrowed_fd(output, PollFlags::empty()),
    ];
    let happened = poll(polled, patience);
    (!happened[1]).then_some(happened[0])
}

/// Waits until something happens to one of `polled`; returns to which.
fn poll(mut polled: Vec<PollFd<'_>>, patience: Duration) -> Vec<bool> {
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    if rustix::event::poll(&mut polled, Some(&patience)).is_err() {
        return vec![false; polled.len()];
    }
    polled.iter().map(|fd| !fd.revents().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_wait_ends_when_no_process_reads_any_more() {
        let (never, _held) = rustix::pipe::pipe().unwrap();
        let wait = |output: BorrowedFd<'_>, patience: u64| {
            wait_readable_while_read(never.as_fd(), output, Duration::from_millis(patience))
        };
        let (reader, pipe) = rustix::pipe::pipe().unwrap();
        let (peer, socket) = UnixStream::pair().unwrap();
        for (reader, output) in [(reader, pipe), (OwnedFd::from(peer), OwnedFd::from(socket))] {
            assert_eq!(wait(output.as_fd(), 1), Some(false));
            drop(reader);
            assert_eq!(wait(output.as_fd(), 30_000), None);
        }
        // A file always has a reader.
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(wait(file.as_fd(), 1), Some(false));
    }
}
