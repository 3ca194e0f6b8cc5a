//! Files and directories that only their owner can read, written so that a crash at any moment leaves
//! either the old content or the new.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::file_error::{FileError, Refusal, failed, io_failed};

/// What the name of an unfinished file begins with, so that leftovers of a crash can be told and removed.
const TEMPORARY_PREFIX: &str = ".tmp-";

/// The mode of what only its owner may read and write.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A directory that only its owner can enter, held open: later operations cannot be redirected by
/// a user who renames or links things on the way to it.
#[derive(Debug)]
pub struct OwnedDir {
    fd: OwnedFd,
    path: PathBuf,
}

impl OwnedDir {
    /// Opens `path`, creating it (and what leads to it) with mode 0700 when it is missing.
    ///
    /// Refuses a symbolic link, another user's directory and one that others can open.
    pub fn open_or_create(path: &Path) -> Result<Self, FileError> {
        let path = &without_end(path);
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(Errno::NOENT) => {
                let parent = path.parent().unwrap_or(Path::new("."));
                create_private_parents(parent)?;
                match rustix::fs::mkdir(path, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(failed("create", path)(errno)),
                }
            }
            Err(errno) => return Err(failed("create", path)(errno)),
        }
        Self::open(path)
    }

    /// Opens an existing directory, with the same refusals.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let path = &without_end(path);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| not_a_directory(errno, path, || rustix::fs::lstat(path)))?;
        Self::trusted(fd, path.to_owned())
    }

    /// Opens the directory `name` in this one, creating it when it is missing.
    pub fn open_or_create_child(&self, name: &str) -> Result<Self, FileError> {
        match self.open_child(name) {
            Err(error) if error.is_not_found() => {}
            opened => return opened,
        }
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => self.open_child(name),
            Err(errno) => Err(failed("create", &self.path.join(name))(errno)),
        }
    }

    /// Opens the directory `name` in this one.
    pub fn open_child(&self, name: &str) -> Result<Self, FileError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty()).map_err(|errno| {
            not_a_directory(errno, &path, || rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW))
        })?;
        Self::trusted(fd, path)
    }

    fn trusted(fd: OwnedFd, path: PathBuf) -> Result<Self, FileError> {
        let stat = rustix::fs::fstat(&fd).map_err(failed("inspect", &path))?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        let reason = if stat.st_uid != rustix::process::geteuid().as_raw() {
            Some(Refusal::ForeignOwner(stat.st_uid))
        } else if mode.intersects(Mode::RWXG | Mode::RWXO) {
            Some(Refusal::OpenToOthers(mode.bits() & 0o7777))
        } else {
            None
        };
        match reason {
            Some(reason) => Err(FileError::Refused { path, reason }),
            None => Ok(Self { fd, path }),
        }
    }

    /// Where the directory was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks the kernel to send this process `signal` whenever a name appears in the directory, as long as this is held
    /// open. Says whether it will.
    pub fn announce_names(&self, signal: rustix::process::Signal) -> bool {
        super::announce::announce_names(self.fd.as_fd(), signal)
    }

    /// The names in the directory, in no order, without `.` and `..`.
    pub fn names(&self) -> Result<Vec<OsString>, FileError> {
        let mut names = Vec::new();
        self.for_each_name(|name| names.push(OsString::from_vec(name.to_vec())))?;
        Ok(names)
    }

    /// Calls `visit` with each name in the directory, in no order, without `.` and `..`.
    pub fn for_each_name(&self, mut visit: impl FnMut(&[u8])) -> Result<(), FileError> {
        // A directory descriptor has one read position: a second reader needs its own.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(&self.fd, ".", flags, Mode::empty()).map_err(failed("list", &self.path))?;
        let mut visit = |name: &[u8]| {
            if name != b"." && name != b".." {
                visit(name);
            }
        };
        // Without an allocation for each name: a directory with a long history has 100,000.
        #[cfg(target_os = "linux")]
        {
            let mut buffer = Vec::with_capacity(64 * 1024);
            let mut entries = rustix::fs::RawDir::new(fd, buffer.spare_capacity_mut());
            while let Some(entry) = entries.next() {
                visit(entry.map_err(failed("list", &self.path))?.file_name().to_bytes());
            }
        }
        #[cfg(not(target_os = "linux"))]
        for entry in rustix::fs::Dir::new(fd).map_err(failed("list", &self.path))? {
            visit(entry.map_err(failed("list", &self.path))?.file_name().to_bytes());
        }
        Ok(())
    }

    /// Opens the regular file `name` for reading; never follows a link, never blocks on a FIFO.
    pub fn open_file(&self, name: &str) -> Result<File, FileError> {
        self.open_regular(name, OFlags::RDONLY)
    }

    /// Opens the regular file `name` for appending, creating it with mode 0600 when it is missing.
    pub fn append_to(&self, name: &str) -> Result<File, FileError> {
        self.open_regular(name, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)
    }

    /// Opens the regular file `name` for reading and locking, creating it with mode 0600 when missing.
    pub fn open_or_create_file(&self, name: &str) -> Result<File, FileError> {
        self.open_regular(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// The same for a file that is there to be locked: what is no file is removed from its place first.
    pub fn open_or_mend_file(&self, name: &str) -> Result<File, FileError> {
        match self.open_or_create_file(name) {
            Err(FileError::Refused { .. }) => {
                self.remove_misplaced(name)?;
                self.open_or_create_file(name)
            }
            opened => opened,
        }
    }

    /// Removes what has the name of a file and is none: a link, which is not followed, a FIFO, an empty directory. A file
    /// stays.
    pub fn remove_misplaced(&self, name: &str) -> Result<(), FileError> {
        let path = self.path.join(name);
        let flags = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => return Ok(()),
                FileType::Directory => AtFlags::REMOVEDIR,
                _ => AtFlags::empty(),
            },
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(failed("remove", &path)(errno)),
        };
        match rustix::fs::unlinkat(&self.fd, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed("remove", &path)(errno)),
        }
    }

    /// Creates the file `name` with mode 0600; fails when something of that name exists.
    pub fn create_file(&self, name: &str) -> Result<File, FileError> {
        self.open_regular(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
    }

    fn open_regular(&self, name: &str, flags: OFlags) -> Result<File, FileError> {
        let path = self.path.join(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| {
            let reason = match errno {
                Errno::LOOP => Refusal::SymbolicLink,
                // What opening a FIFO for writing, or a directory, says.
                Errno::NXIO | Errno::ISDIR => Refusal::NotAFile,
                errno => return failed("open", &path)(errno),
            };
            FileError::Refused { path: path.clone(), reason }
        })?;
        let stat = rustix::fs::fstat(&fd).map_err(failed("inspect", &path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(FileError::Refused { path, reason: Refusal::NotAFile });
        }
        Ok(File::from(fd))
    }

    /// Reads the regular file `name` whole.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, FileError> {
        let mut file = self.open_file(name)?;
        let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |m| m.len() as usize) + 1);
        file.read_to_end(&mut bytes).map_err(io_failed("read", &self.path.join(name)))?;
        Ok(bytes)
    }

    /// Puts `bytes` under `name`, durably: afterwards a crash or power cut leaves the new content; an
    /// error leaves the old content and no unfinished file.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        replace_at(self.fd.as_fd(), &self.path, name, bytes, PRIVATE)
    }

    /// Replaces `name` like [`Self::replace`], but after a power cut the old content may be there instead of the
    /// new: for content that loses nothing by that.
    pub fn replace_soon(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        write_at(self.fd.as_fd(), &self.path, name, bytes, PRIVATE)
    }

    /// Renames a file within the directory.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to).map_err(failed("rename", &self.path.join(from)))
    }

    /// Removes the file `name`; a missing one is fine.
    pub fn remove_file(&self, name: &str) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed("remove", &self.path.join(name))(errno)),
        }
    }

    /// Removes the directory `name` and all that is in it; a missing one is fine. Links in it are removed,
    /// never followed. Files that are `likely` to be there are removed without listing the directory.
    pub fn remove_child(&self, name: &str, likely: &[&str]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let child = match self.open_child(name) {
            Ok(child) => child,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        };
        for file in likely {
            child.remove_file(file)?;
        }
        let removed = || rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR);
        match removed() {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(errno) => return Err(failed("remove", &path)(errno)),
        }
        for entry in child.names()? {
            match rustix::fs::unlinkat(&child.fd, &entry, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                // What a program of the user made there may be open to others; what leads to it is not.
                Err(Errno::ISDIR | Errno::PERM) => {
                    let inner = path.join(&entry);
                    std::fs::remove_dir_all(&inner)
                        .or_else(|error| match error.kind() {
                            io::ErrorKind::NotFound => Ok(()),
                            _ => Err(error),
                        })
                        .map_err(|source| FileError::Io { action: "remove", path: inner, source })?;
                }
                Err(errno) => return Err(failed("remove", &path.join(&entry))(errno)),
            }
        }
        match removed() {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed("remove", &path)(errno)),
        }
    }

    /// Whether `file` is the one that has the name `name` now.
    pub fn is_named(&self, file: &File, name: &str) -> Result<bool, FileError> {
        let path = self.path.join(name);
        let open = rustix::fs::fstat(file).map_err(failed("inspect", &path))?;
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok(named.st_ino == open.st_ino && named.st_dev == open.st_dev),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(failed("inspect", &path)(errno)),
        }
    }

    /// When `name` was last written, in seconds since the epoch; `None` when it is not there. Follows no link.
    pub fn modified_at(&self, name: &str) -> Result<Option<f64>, FileError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat.st_mtime as f64 + stat.st_mtime_nsec as f64 / 1e9)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failed("inspect", &self.path.join(name))(errno)),
        }
    }

    /// Makes what was created, renamed or removed in the directory survive a power cut.
    pub fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.fd).map_err(failed("sync", &self.path))
    }

    /// A name that tells an unfinished `name` as such.
    pub fn temporary_name(name: &str) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        format!("{TEMPORARY_PREFIX}{}-{}-{name}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether `name` is that of an unfinished file which a crash left behind.
    pub fn is_temporary(name: &str) -> bool {
        name.starts_with(TEMPORARY_PREFIX)
    }
}

/// A file that is nowhere but in memory, with this content, to be read from its beginning. `None` where the system has
/// no such files.
pub fn anonymous_file(content: &[u8]) -> Option<File> {
    #[cfg(target_os = "linux")]
    {
        use std::io::Seek;
        let fd = rustix::fs::memfd_create("agent-dispatch", rustix::fs::MemfdFlags::CLOEXEC).ok()?;
        let mut file = File::from(fd);
        file.write_all(content).and_then(|()| file.rewind()).ok()?;
        Some(file)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = content;
        None
    }
}

/// Creates `path` and what leads to it, each with mode 0700; directories that exist stay as they are.
pub fn create_private_parents(path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_failed("create", path))
}

/// [`OwnedDir::replace`] in any directory, with any mode.
pub(super) fn replace_at(
    directory: BorrowedFd<'_>,
    directory_path: &Path,
    name: &str,
    bytes: &[u8],
    mode: Mode,
) -> Result<(), FileError> {
    write_at(directory, directory_path, name, bytes, mode)?;
    // The new content is in place: an error here is one of durability, after the point of no return.
    rustix::fs::fsync(directory).map_err(failed("sync", directory_path))
}

/// Puts `bytes` under `name` by way of a temporary file.
fn write_at(
    directory: BorrowedFd<'_>,
    directory_path: &Path,
    name: &str,
    bytes: &[u8],
    mode: Mode,
) -> Result<(), FileError> {
    let temporary = OwnedDir::temporary_name(name);
    let path = directory_path.join(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written = || -> Result<(), FileError> {
        let fd = match rustix::fs::openat(directory, &temporary, flags, Mode::RUSR | Mode::WUSR) {
            // Left by a dead process whose pid is ours now.
            Err(Errno::EXIST) => {
                let _ = rustix::fs::unlinkat(directory, &temporary, AtFlags::empty());
                rustix::fs::openat(directory, &temporary, flags, Mode::RUSR | Mode::WUSR)
            }
            opened => opened,
        }
        .map_err(failed("write", &path))?;
        let mut file = File::from(fd);
        file.write_all(bytes).map_err(io_failed("write", &path))?;
        if mode != PRIVATE {
            rustix::fs::fchmod(&file, mode).map_err(failed("write", &path))?;
        }
        file.sync_all().map_err(io_failed("write", &path))?;
        rustix::fs::renameat(directory, &temporary, directory, name).map_err(failed("write", &path))
    };
    if let Err(error) = written() {
        let _ = rustix::fs::unlinkat(directory, &temporary, AtFlags::empty());
        return Err(error);
    }
    Ok(())
}

/// What an `O_DIRECTORY|O_NOFOLLOW` open that failed means.
fn not_a_directory(
    errno: Errno,
    path: &Path,
    stat: impl FnOnce() -> rustix::io::Result<rustix::fs::Stat>,
) -> FileError {
    if !matches!(errno, Errno::NOTDIR | Errno::LOOP) {
        return failed("open", path)(errno);
    }
    let link = stat().is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
    let reason = if link { Refusal::SymbolicLink } else { Refusal::NotADirectory };
    FileError::Refused { path: path.to_owned(), reason }
}

/// The path without `/` and `/.` at its end: with them, the last name is no longer the end, and a link there is followed
/// whatever the flags say.
pub(super) fn without_end(path: &Path) -> PathBuf {
    path.components().collect()
}
