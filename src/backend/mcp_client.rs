//! Agent CLIs as clients of MCP servers, this program's own among them.

use std::path::{Path, PathBuf};

use super::profile::Installation;

/// An agent CLI that can be told to start MCP servers.
pub trait McpClient: Sync {
    /// What it is called.
    fn title(&self) -> &'static str;

    /// The servers that it would start in `directory`, those of plugins excepted.
    fn servers(&self, directory: &Path) -> Vec<Registration>;

    /// The file that names the servers of the user.
    fn file(&self) -> &Path;

    /// Whether that file can be read, if it is there.
    fn is_readable(&self) -> bool;

    /// The user's settings that can name a hook for the calls of a server's tools; `None` when it knows no such hooks.
    fn hook_settings(&self) -> Option<PathBuf> {
        None
    }

    /// The shell command that takes a registration back.
    fn removal(&self, registration: &Registration) -> String;

    /// Registers a server for the user, everywhere.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`] when that did not work.
    fn register(&self, server: &ServerCommand<'_>) -> Result<Registered, RegistrationError>;
}

/// For whom an MCP server is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For the user, everywhere.
    User,
    /// For the user, in one project.
    Local,
    /// For everybody who works on the project: its `.mcp.json`.
    Project,
}

impl Scope {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Local => "local",
            Self::Project => "project",
        }
    }
}

/// An MCP server that an agent CLI is told to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// For whom.
    pub scope: Scope,
    /// The file that says it.
    pub path: PathBuf,
    /// The server's name.
    pub name: String,
    /// The program; empty for a server that is reached in another way.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables it gets.
    pub environment: Vec<(String, String)>,
}

/// How a server is started.
#[derive(Debug, Clone, Copy)]
pub struct ServerCommand<'a> {
    /// Its name, and with it that of its tools.
    pub name: &'a str,
    /// The program.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// It is new.
    New,
    /// Another one of this name was replaced.
    Replaced {
        /// What it was: a command for a shell, or an address.
        before: String,
    },
    /// It was there already.
    Unchanged,
    /// The agent CLI is not installed.
    NotInstalled {
        /// Its program.
        program: &'static str,
        /// How it is.
        installation: &'static Installation,
    },
}

/// Why a server could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// What the agent CLI has is damaged.
    #[error("failed to register the MCP server: {} is not JSON: {error}", file.display())]
    Damaged {
        /// The agent CLI.
        title: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: serde_json::Error,
        /// Where the agent CLI keeps copies of it.
        copies: PathBuf,
    },
    /// The agent CLI refused.
    #[error("`{command}` failed: {words}")]
    Refused {
        /// What was run.
        command: String,
        /// What it said.
        words: String,
        /// The shell command that does the same.
        by_hand: String,
    },
}
