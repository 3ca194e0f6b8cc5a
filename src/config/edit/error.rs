//! Why an edit was not made.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{AgentName, ConfigError};
use crate::model::{Access, AgentChange, Remedy};
use crate::os::FileError;

/// Why the config was not changed. The file is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The config cannot be read, or what it says cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process edits the config, or hangs doing so.
    #[error(
        "failed to lock {}: another agent-dispatch has been editing the config for {} s",
        lock.display(), waited.as_secs_f64()
    )]
    Locked {
        /// The file that is locked.
        lock: PathBuf,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The operating system refused the lock.
    #[error("failed to lock {}: {source}", lock.display())]
    NoLock {
        /// The file to be locked.
        lock: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error(transparent)]
    File(#[from] FileError),
    /// The config is a FIFO, a device or the like, which cannot be replaced.
    #[error("failed to edit {}: it is not a regular file", path.display())]
    NotAFile {
        /// The config.
        path: PathBuf,
    },
    /// An agent's directory is not there or not usable.
    #[error("failed to use {} as an agent's directory: {problem}", path.display())]
    Directory {
        /// What was to be the directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: DirectoryProblem,
    },
    /// The name is taken.
    #[error("the {kind} '{name}' exists already")]
    Exists {
        /// Agent or group.
        kind: Kind,
        /// Its name.
        name: String,
        /// The directory that was to be an agent's.
        directory: Option<PathBuf>,
    },
    /// There is nothing of that name.
    #[error("there is no {kind} '{name}'")]
    Unknown {
        /// Agent or group.
        kind: Kind,
        /// The name asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// Who is to leave a group does not belong to it.
    #[error("'{name}' is not a member")]
    NotAMember {
        /// The agent.
        name: AgentName,
    },
    /// A new value cannot be used.
    #[error("{key}: {message}")]
    Refused {
        /// Where in the config the value would be.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// The file is written in a way that the change would spill over, for example into an alias.
    #[error("failed to change {key} in {} without changing something else", path.display())]
    Entangled {
        /// The config.
        path: PathBuf,
        /// What was to be changed.
        key: String,
    },
}

/// Why a directory cannot be an agent's.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryProblem {
    /// Nothing of that name is there.
    #[error("it does not exist")]
    Missing,
    /// Something else is there.
    #[error("it is not a directory")]
    NotADirectory,
    /// It is no path, or none that the config can hold.
    #[error("{0}")]
    NotAPath(String),
    /// The operating system refused to look at it.
    #[error(transparent)]
    Io(io::Error),
}

/// What an entry of the config is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An agent.
    Agent,
    /// A group.
    Group,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Group => "group",
        })
    }
}

impl EditError {
    /// What would help.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Config(error) => error.remedy(),
            Self::Locked { lock, .. } => Some(Remedy::WaitForEditor { lock: lock.clone() }),
            Self::NoLock { lock, .. } => Some(make_writable(lock)),
            Self::Directory { path, problem: DirectoryProblem::Missing } => {
                Some(Remedy::CreateDirectory { path: path.clone() })
            }
            Self::Exists { name, directory: Some(directory), .. } => Some(Remedy::UpdateAgent {
                agent: name.clone(),
                change: AgentChange::Directory(directory.clone()),
            }),
            Self::Exists { name, directory: None, .. } => Some(Remedy::UpdateGroup { group: name.clone() }),
            Self::Unknown { kind: Kind::Agent, nearest, .. } => {
                Some(Remedy::ChooseAgent { nearest: nearest.clone() })
            }
            Self::Unknown { kind: Kind::Group, nearest, .. } => {
                Some(Remedy::ChooseGroup { nearest: nearest.clone() })
            }
            Self::NotAMember { .. } => Some(Remedy::ChooseMember {}),
            Self::Entangled { path, .. } => Some(Remedy::EditConfig { path: path.clone(), line: None }),
            Self::File(error) if error.io_kind() == Some(io::ErrorKind::PermissionDenied) => {
                Some(make_writable(error.path()))
            }
            Self::File(_) | Self::NotAFile { .. } | Self::Directory { .. } | Self::Refused { .. } => None,
        }
    }
}

/// How to be allowed to write `path`: its directory may be missing for the same reason.
fn make_writable(path: &Path) -> Remedy {
    let directory = path.ancestors().skip(1).find(|directory| directory.is_dir()).unwrap_or(path);
    let me = rustix::process::geteuid().as_raw();
    if directory.metadata().is_ok_and(|directory| directory.uid() == me) {
        Remedy::GrantAccess { path: directory.to_owned(), access: Access::WriteInto }
    } else {
        Remedy::ChooseConfig { path: None }
    }
}
