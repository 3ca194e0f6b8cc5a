//! Files in directories that need not be owner-only: other projects, a config kept among dotfiles.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Exposure;
use super::file_error::{FileError, Refusal, failed};
use super::files::{PRIVATE, replace_at, without_end};

/// Opens the file at `path` to lock it, creating it with mode 0600 when it is missing. Refuses a link.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    OpenOptions::new().read(true).write(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

/// Durably replaces the file at `path` by one with mode 0600 and this content, as
/// [`OwnedDir::replace`](super::OwnedDir::replace) does, in a directory that need not be owner-only. `path` itself must not be a link.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace_file_at(path, bytes, PRIVATE)
}

/// The same, but the new file has the mode of the old one, if there is one.
pub fn replace_file_keeping_mode(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mode = match rustix::fs::lstat(path) {
        Ok(stat) => Mode::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => PRIVATE,
        Err(errno) => return Err(failed("inspect", path)(errno)),
    };
    replace_file_at(path, bytes, mode)
}

fn replace_file_at(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), FileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file");
        return Err(FileError::Io { action: "write", path: path.to_owned(), source });
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(parent, flags, Mode::empty()).map_err(failed("open", parent))?;
    replace_at(directory.as_fd(), parent, name, bytes, mode)
}

/// Opens the regular file at `path` for appending, creating it with mode 0600, and what leads to it with 0700, when it
/// is missing. Refuses a link, and what another user owns or can write to unless
/// `is_vouched_for`. Never waits for the other
/// end of a FIFO.
pub fn open_log(path: &Path, is_vouched_for: bool) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    match (open_regular(path, &mut options, is_vouched_for), path.parent()) {
        (Err(error), Some(parent)) if error.is_not_found() => {
            super::create_private_parents(parent)?;
            open_regular(path, &mut options, is_vouched_for)
        }
        (opened, _) => opened,
    }
}

/// The same to read it.
pub fn open_log_to_read(path: &Path, is_vouched_for: bool) -> Result<File, FileError> {
    open_regular(path, OpenOptions::new().read(true), is_vouched_for)
}

fn open_regular(path: &Path, options: &mut OpenOptions, is_vouched_for: bool) -> Result<File, FileError> {
    let path = &without_end(path);
    let refused = |reason| FileError::Refused { path: path.to_owned(), reason };
    let failed = |source: io::Error| match source.raw_os_error() {
        Some(libc::ELOOP) => refused(Refusal::SymbolicLink),
        Some(libc::ENXIO | libc::EISDIR) => refused(Refusal::NotAFile),
        _ => FileError::Io { action: "open", path: path.to_owned(), source },
    };
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    let file = options.custom_flags(flags).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(refused(Refusal::NotAFile));
    }
    match Exposure::of_file(&file, path).filter(|_| !is_vouched_for) {
        Some(Exposure { foreign_owner: Some(uid), .. }) => Err(refused(Refusal::ForeignOwner(uid))),
        Some(_) => Err(refused(Refusal::WritableByOthers)),
        None => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.json");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o7777;
        replace_file_keeping_mode(&path, b"1").unwrap();
        assert_eq!(mode(), 0o600);
        for wanted in [0o644, 0o640, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wanted)).unwrap();
            replace_file_keeping_mode(&path, b"2").unwrap();
            assert_eq!((mode(), std::fs::read(&path).unwrap().as_slice()), (wanted, &b"2"[..]));
        }
        replace_file(&path, b"3").unwrap();
        assert_eq!(mode(), 0o600);
    }
}
