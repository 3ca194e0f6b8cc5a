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

/// Waits like [`wait_readable`] for one descriptor, or until nobody is left who could read what is written to
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
mod tests;
