//! Reading and writing that waits for the other end, whichever mode the stream is in.
//!
//! `O_NONBLOCK` belongs to the open file description, which a process shares with those that it got the stream from: a
//! parent that sets it for itself (Node and the async runtimes do) sets it for this process too. Clearing it would
//! take it from the parent, so the error that it leads to is waited out instead.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// A stream that blocks, also where its file does not.
#[derive(Debug)]
pub struct Patient<S>(pub S);

impl<S: AsFd> Patient<S> {
    /// Repeats `attempt` until it does something other than ask for patience.
    fn until_done<T>(
        &mut self,
        ready: PollFlags,
        mut attempt: impl FnMut(&mut S) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match attempt(&mut self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.0, ready)?,
                done => return done,
            }
        }
    }
}

/// Waits until the stream is ready, or until its other end is closed.
fn wait(stream: &impl AsFd, ready: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::new(stream, ready)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

impl<S: Read + AsFd> Read for Patient<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_done(PollFlags::IN, |stream| stream.read(buffer))
    }
}

impl<S: Write + AsFd> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_done(PollFlags::OUT, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.until_done(PollFlags::OUT, Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::Patient;

    /// More than a socket or a pipe holds.
    const BYTES: usize = 4_000_000;

    #[test]
    fn a_stream_that_does_not_block_passes_all_that_is_written_and_read() {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        let writer = thread::spawn(move || {
            let mut near = Patient(near);
            near.write_all(&vec![b'x'; BYTES]).unwrap();
            near.flush().unwrap();
        });
        let mut read = Vec::new();
        Patient(far).read_to_end(&mut read).unwrap();
        writer.join().unwrap();
        assert_eq!(read.len(), BYTES);
    }

    #[test]
    fn a_reader_that_has_gone_is_an_error_and_no_wait() {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        drop(far);
        let error = Patient(near).write_all(&vec![b'x'; BYTES]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}
