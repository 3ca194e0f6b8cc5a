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
mod tests;
