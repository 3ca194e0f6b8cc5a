//! Reading a file that another user may have put there: bounded, and without waiting.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The first bytes of the regular file at `path`, at most `limit`; `None` if it is anything else, or not
/// readable. Never waits for the other end of a FIFO.
pub fn read_beginning(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open_without_waiting(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The whole regular file at `path`. Never waits for the other end of a FIFO.
///
/// # Errors
///
/// It cannot be read, is no regular file, or has more than `limit` bytes.
pub fn read_whole(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_without_waiting(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{FileType, Mode};

    #[test]
    fn a_whole_file_is_a_regular_one_of_bounded_size() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_whole(&file, 5).unwrap(), b"12345");
        let said = |path: &Path, limit| read_whole(path, limit).unwrap_err().to_string();
        assert_eq!(said(&file, 4), "it has more than 4 bytes");
        assert_eq!(said(directory.path(), 5), "it is not a regular file");
        // It has no writer: a read would wait for ever.
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(said(&fifo, 5), "it is not a regular file");
        assert_eq!(read_beginning(&fifo, 5), None);
    }
}
