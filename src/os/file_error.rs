//! Why a file or directory could not be used.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a file or directory could not be used. Every message names the path.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried: a verb that fits "failed to …".
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something is in the way that must not be followed or trusted.
    #[error("refused {}: {reason}", path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: Refusal,
    },
}

/// Why a path is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A symbolic link where a directory or a record should be.
    #[error("it is a symbolic link")]
    SymbolicLink,
    /// A file where a directory should be.
    #[error("it is not a directory")]
    NotADirectory,
    /// A directory, FIFO, socket or device where a file should be.
    #[error("it is not a regular file")]
    NotAFile,
    /// Another user owns it.
    #[error("it belongs to another user (uid {0})")]
    ForeignOwner(u32),
    /// Other users can write to it.
    #[error("other users can write to it")]
    WritableByOthers,
    /// Other users can reach into it.
    #[error("other users can open it (mode {0:04o})")]
    OpenToOthers(u32),
}

impl FileError {
    /// The kind of the underlying error of the operating system, if that is what it was.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Refused { .. } => None,
        }
    }

    /// Whether the file simply is not there.
    pub fn is_not_found(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::NotFound)
    }

    /// Where it happened.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Refused { path, .. } => path,
        }
    }
}

/// Turns an error of the operating system into one that says what was tried, and where.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(Errno) -> FileError {
    let path = path.to_owned();
    move |errno| FileError::Io { action, path, source: errno.into() }
}

pub(super) fn io_failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}
