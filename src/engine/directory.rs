//! Whether an agent's directory can be worked in, and what keeps it from that.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// What keeps an agent from working in its directory.
#[derive(Debug)]
pub enum DirectoryFault {
    /// Nothing is there.
    Missing,
    /// Something else is there.
    NotADirectory,
    /// It may be there: what leads to it cannot be passed.
    Unreachable {
        /// What the operating system said.
        error: io::Error,
        /// The first directory on the way that cannot be entered, if that is why.
        barrier: Option<PathBuf>,
    },
    /// It is there and cannot be entered.
    Closed(io::Error),
}

impl DirectoryFault {
    /// What is wrong with a directory; `None` when it can be worked in.
    pub fn of(directory: &Path) -> Option<Self> {
        let unreachable = |error| Self::Unreachable {
            error,
            barrier: directory
                .ancestors()
                .skip(1)
                .filter(|above| !can_enter(above))
                .last()
                .map(Path::to_owned),
        };
        match directory.metadata() {
            Ok(found) if !found.is_dir() => Some(Self::NotADirectory),
            Ok(_) => access(directory, Access::EXEC_OK).err().map(|errno| Self::Closed(errno.into())),
            Err(error) => Some(match error.kind() {
                ErrorKind::NotFound => Self::Missing,
                ErrorKind::NotADirectory => Self::NotADirectory,
                _ => unreachable(error),
            }),
        }
    }

    /// The same in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotADirectory => "not a directory",
            Self::Unreachable { .. } => "cannot be reached",
            Self::Closed(_) => "cannot be entered",
        }
    }

    /// Whether a directory is there, as far as that can be known.
    pub fn exists(fault: Option<&Self>) -> Option<bool> {
        match fault {
            None | Some(Self::Closed(_)) => Some(true),
            Some(Self::Missing | Self::NotADirectory) => Some(false),
            Some(Self::Unreachable { .. }) => None,
        }
    }

    /// Which directory has to become one that can be entered, so that `directory` can be worked in.
    pub fn barrier<'a>(&'a self, directory: &'a Path) -> Option<&'a Path> {
        match self {
            Self::Missing | Self::NotADirectory => None,
            Self::Unreachable { barrier, .. } => barrier.as_deref(),
            Self::Closed(_) => Some(directory),
        }
    }
}

fn can_enter(directory: &Path) -> bool {
    directory.as_os_str().is_empty() || access(directory, Access::EXEC_OK).is_ok()
}

impl fmt::Display for DirectoryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist"),
            Self::NotADirectory => f.write_str("is not a directory"),
            Self::Unreachable { error, barrier: Some(barrier) } => {
                write!(f, "cannot be reached, because {} cannot be entered ({error})", barrier.display())
            }
            Self::Unreachable { error, barrier: None } => write!(f, "cannot be reached ({error})"),
            Self::Closed(error) => write!(f, "cannot be entered ({error})"),
        }
    }
}
