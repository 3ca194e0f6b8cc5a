//! A bell: what any thread of this process can ring, to wait for beside descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};

use super::wait_readable;

/// What a thread waits for beside other things until another one rings it, by its [`Waker`].
#[derive(Debug)]
pub struct Bell {
    rung: OwnedFd,
    rope: Arc<Rope>,
}

/// The other end.
#[derive(Debug)]
struct Rope(OwnedFd);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        // Full means that it has been rung already.
        let _ = rustix::io::write(&self.0, &[0]);
    }
}

impl Bell {
    /// A new one.
    ///
    /// # Errors
    ///
    /// When the process has too many files open.
    pub fn new() -> io::Result<Self> {
        let (rung, rope) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { rung, rope: Arc::new(Rope(rope)) })
    }

    /// What rings it.
    pub fn waker(&self) -> Waker {
        Arc::clone(&self.rope).into()
    }

    /// Readable from when it is rung until it is silenced.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.rung.as_fd()
    }

    /// Silences it. What rang it is to be looked for after that.
    pub fn silence(&self) {
        let mut buffer = [0; 64];
        while rustix::io::read(&self.rung, &mut buffer).is_ok_and(|count| count > 0) {}
    }

    /// Waits until it is rung, at most for `pause`, and silences it.
    pub fn wait(&self, pause: Duration) {
        wait_readable(&[self.descriptor()], pause);
        self.silence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_bell_wakes_its_waiter_once_however_often_it_is_rung() {
        let bell = Bell::new().unwrap();
        let waker = bell.waker();
        let ringing = std::thread::spawn(move || (0..100_000).for_each(|_| waker.wake_by_ref()));
        let begin = Instant::now();
        bell.wait(Duration::from_secs(60));
        assert!(begin.elapsed() < Duration::from_secs(50));
        ringing.join().unwrap();
        bell.silence();
        assert!(!wait_readable(&[bell.descriptor()], Duration::ZERO)[0]);
    }
}
