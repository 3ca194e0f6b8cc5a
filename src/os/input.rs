//! Reading from a stranger: bounded in time and in size.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::wait_readable;

/// Reads `input` to its end. `None` when there is more than `limit` bytes, when the end has not come within
/// `patience`, and when it cannot be read.
pub fn read_within(input: BorrowedFd<'_>, limit: usize, patience: Duration) -> Option<Vec<u8>> {
    let deadline = Instant::now() + patience;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        if !wait_readable(&[input], left)[0] {
            continue;
        }
        match rustix::io::read(input, &mut chunk) {
            Ok(0) => return Some(bytes),
            Ok(length) if bytes.len() + length <= limit => bytes.extend_from_slice(&chunk[..length]),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn what_ends_in_time_and_is_not_too_long_is_read_whole() {
        for (written, limit, read) in [(200_000, 200_000, true), (200_000, 199_999, false), (0, 0, true)] {
            let (input, mut output) = std::io::pipe().unwrap();
            let writer = std::thread::spawn(move || output.write_all(&vec![b'x'; written]).is_ok());
            let bytes = read_within(input.as_fd(), limit, PATIENCE);
            assert_eq!(bytes.map(|bytes| bytes.len()), read.then_some(written));
            drop(input);
            writer.join().unwrap();
        }
    }

    #[test]
    fn an_input_that_stays_open_is_given_up() {
        let (input, mut output) = std::io::pipe().unwrap();
        output.write_all(b"{").unwrap();
        assert_eq!(read_within(input.as_fd(), 10, Duration::from_millis(20)), None);
        drop(output);
        assert_eq!(read_within(input.as_fd(), 10, PATIENCE), Some(Vec::new()));
    }
}
