//! Files in directories that need not be owner-only: other projects, a config kept among dotfiles.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The first bytes of the regular file at `path`, at most `limit`; `None` if it is anything else, or not
/// readable. Never waits for the other end of a FIFO.
pub fn read_beginning(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Opens the file at `path` to lock it, creating it with mode 0600 when it is missing. Refuses a link.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    OpenOptions::new().read(true).write(true).create(true).mode(0o600).custom_flags(flags).open(path)
}
