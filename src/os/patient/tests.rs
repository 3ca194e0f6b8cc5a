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
