//! What a backend can say about the health of its program and of the agents that have it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::Serialize;

/// Looks up an environment variable.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<OsString> + Sync);

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing fails by it.
    Note,
    /// It will surprise a user, or fail some dispatches.
    Warning,
    /// Dispatches fail, or the owner is not the only one who decides about them.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, for programs: it does not change between versions.
    pub id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found, with the path or value.
    pub found: String,
    /// What mends it.
    pub cure: Option<Cure>,
}

/// What mends something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cure {
    /// A command for a shell.
    Command(String),
    /// Another value for an option of the agent.
    Option {
        /// The option.
        option: &'static str,
        /// The value.
        value: String,
    },
}

impl Check {
    /// It is as it should be.
    pub fn ok(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Level::Ok, found)
    }

    /// It is worth knowing.
    pub fn note(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Level::Note, found)
    }

    /// It will surprise.
    pub fn warning(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Level::Warning, found)
    }

    /// Dispatches fail.
    pub fn error(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Level::Error, found)
    }

    fn new(id: &'static str, level: Level, found: impl Into<String>) -> Self {
        Self { id, level, found: found.into(), cure: None }
    }

    /// Adds the command that mends it.
    pub fn command(self, command: impl Into<String>) -> Self {
        Self { cure: Some(Cure::Command(command.into())), ..self }
    }

    /// Adds the option of the agent that mends it.
    pub fn option(self, option: &'static str, value: impl Into<String>) -> Self {
        Self { cure: Some(Cure::Option { option, value: value.into() }), ..self }
    }
}

/// What an examination goes by.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The user's home directory.
    pub home: &'a Path,
    /// The directories programs are looked for in, as in `PATH`.
    pub path: Option<&'a OsStr>,
    /// Looks up a variable.
    pub environment: Environment<'a>,
}

/// How an agent is configured.
#[derive(Debug, Clone, Copy)]
pub struct AgentSetup<'a> {
    /// Its directory.
    pub directory: &'a Path,
    /// Its permission mode.
    pub permission_mode: Option<&'a str>,
    /// Tools that need no permission.
    pub allowed_tools: &'a [String],
}

/// A look at an agent CLI and what it has on this machine. It spends nothing, and no question is asked of a model.
pub trait Examination: Sync {
    /// Looks at the program: whether it is there, which one, whether it takes what it will be given, and as whom it works.
    /// It is `needed` if any agent has this backend. May take seconds.
    fn program(&self, needed: bool) -> Vec<Check>;

    /// Looks at one agent.
    fn agent(&self, agent: &AgentSetup<'_>) -> Vec<Check>;

    /// Whether the program itself may need this variable: then it is no secret that only its tools would see.
    fn needs_variable(&self, name: &str) -> bool;
}
