use super::*;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

#[test]
fn a_wait_ends_when_nobody_reads_any_more() {
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
