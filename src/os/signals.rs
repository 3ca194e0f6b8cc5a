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
}

impl SignalWatch {
    /// Starts watching `signals`, for the rest of the process's life.
    pub fn new(signals: &[i32]) -> std::io::Result<Self> {
        let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
        let (wake, write) = rustix::pipe::pipe_with(flags)?;
        let mut seen = Vec::new();
        for &signal in signals {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
            // Registered second: the flag is up before the pipe says so.
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
            seen.push((signal, flag));
        }
        Ok(Self { wake, seen })
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
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    if rustix::event::poll(&mut polled, Some(&patience)).is_err() {
        return vec![false; descriptors.len()];
    }
    polled.iter().map(|fd| !fd.revents().is_empty()).collect()
}
