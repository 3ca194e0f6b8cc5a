//! The one list of backends.

use std::ffi::OsStr;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};

use super::claude::CLAUDE;
use super::command::COMMAND;
use super::dialogue::DIALOGUE;
use super::environment::is_of_a_repository;
use super::health::Surroundings;
use super::interface::{Backend, Program};
use super::mcp_client::McpClient;
use super::profile::{PrivatePlace, Profile};
use super::unknown::UnknownBackend;
use crate::store::{JobKind, Record};

/// The backends that a program has. There is at least one, which holds where none is named.
#[derive(Debug, Clone, Copy)]
pub struct Backends {
    default: &'static dyn Backend,
    others: &'static [&'static dyn Backend],
}

/// The list of this process. It is a constant of the program, as its commands are: every process of one program has the
/// same, none changes it, and what a caller passes decides between them by name alone. As a parameter it would go through
/// all functions that read a config or a record, and none of them could choose another.
static OF_THIS_PROGRAM: OnceLock<Backends> = OnceLock::new();

impl Backends {
    /// Those of agent-dispatch itself.
    pub const BUILT_IN: Self = Self::new(CLAUDE, &[COMMAND]);

    /// A list. The first is the backend of what names none: of agents in a config, and of the records of the Python
    /// original.
    pub const fn new(default: &'static dyn Backend, others: &'static [&'static dyn Backend]) -> Self {
        Self { default, others }
    }

    /// The list of this program: [`Self::BUILT_IN`] unless another was declared.
    pub fn of_this_program() -> Self {
        *OF_THIS_PROGRAM.get_or_init(|| Self::BUILT_IN)
    }

    /// Declares the list of this program, before anything is read or parsed.
    pub(crate) fn declare(self) {
        // The first word counts: nothing that was decoded already may change its meaning.
        let _ = OF_THIS_PROGRAM.set(self);
    }

    /// All of them, in the order in which people are told.
    pub fn all(self) -> impl Iterator<Item = BackendRef> {
        std::iter::once(self.default).chain(self.others.iter().copied()).map(BackendRef)
    }

    /// Their facts.
    pub fn profiles(self) -> impl Iterator<Item = &'static Profile> {
        self.all().map(|backend| backend.profile())
    }

    /// The backend of this name.
    ///
    /// # Errors
    ///
    /// [`UnknownBackend`] when there is none: never another one.
    pub fn named(self, name: &str) -> Result<BackendRef, UnknownBackend> {
        let found = self.all().find(|backend| backend.profile().name == name);
        found.ok_or_else(|| UnknownBackend {
            name: name.to_owned(),
            known: self.profiles().map(|profile| profile.name).collect(),
        })
    }

    /// The backend of a job's agent; `None` for a dialogue, which is no agent.
    ///
    /// # Errors
    ///
    /// [`UnknownBackend`] when the record names one that there is not.
    pub fn of_agent(self, record: &Record) -> Result<Option<BackendRef>, UnknownBackend> {
        match &record.launch.kind {
            JobKind::Agent { backend: None } => Ok(Some(BackendRef(self.default))),
            JobKind::Agent { backend: Some(name) } => self.named(name).map(Some),
            JobKind::Dialogue => Ok(None),
        }
    }

    /// What a job runs.
    ///
    /// # Errors
    ///
    /// As for [`Self::of_agent`].
    pub fn program_of(self, record: &Record) -> Result<&'static dyn Program, UnknownBackend> {
        Ok(match self.of_agent(record)? {
            Some(BackendRef(backend)) => backend,
            None => DIALOGUE,
        })
    }

    /// Those of their programs that can be told of an MCP server.
    pub fn mcp_clients(self, surroundings: Surroundings<'_>) -> Vec<Box<dyn McpClient + '_>> {
        self.all().filter_map(|backend| backend.0.mcp_client(surroundings)).collect()
    }

    /// The permission modes of all of them.
    pub fn permission_modes(self) -> Vec<&'static str> {
        self.profiles().flat_map(|profile| profile.permission_modes).copied().collect()
    }

    /// How all of them are told where to keep their sockets: a plain program may start any of them.
    pub fn private_places(self) -> impl Iterator<Item = PrivatePlace> {
        self.profiles().filter_map(|profile| profile.private_place)
    }

    /// The directories of a project that one of them obeys.
    pub fn project_directories(self) -> impl Iterator<Item = &'static str> {
        self.profiles().filter_map(|profile| profile.project_directory)
    }

    /// Whether an agent of any backend must start without this variable.
    pub fn strip(self, variable: &OsStr) -> bool {
        // A name that is not UTF-8 is none of ours.
        variable.to_str().is_some_and(|name| {
            is_of_a_repository(name) || self.profiles().any(|profile| profile.session_variables.contain(name))
        })
    }
}

/// A backend of this program. Two are equal when they have the same name.
#[derive(Clone, Copy)]
pub struct BackendRef(&'static dyn Backend);

impl BackendRef {
    /// Its name in configs and records.
    pub fn name(self) -> &'static str {
        self.0.profile().name
    }
}

impl Deref for BackendRef {
    type Target = dyn Backend;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl Default for BackendRef {
    fn default() -> Self {
        Self(Backends::of_this_program().default)
    }
}

impl FromStr for BackendRef {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Backends::of_this_program().named(name)
    }
}

impl PartialEq for BackendRef {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for BackendRef {}

impl fmt::Debug for BackendRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for BackendRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;

    fn record(kind: JobKind) -> Record {
        let mut record = Record::pending(JobId::generate(), "infra", "look", 1.0);
        record.launch.kind = kind;
        record
    }

    #[test]
    fn a_record_is_read_by_the_backend_it_names_and_by_no_other() {
        let of_agent =
            |kind| Backends::BUILT_IN.of_agent(&record(kind)).map(|found| found.map(BackendRef::name));
        assert_eq!(of_agent(JobKind::agent("command")), Ok(Some("command")));
        assert_eq!(of_agent(JobKind::default()), Ok(Some("claude")), "the Python original names none");
        assert_eq!(of_agent(JobKind::Dialogue), Ok(None));
        let unknown = of_agent(JobKind::agent("codex")).unwrap_err();
        let text = unknown.to_string();
        assert!(
            text.contains("'codex'") && text.contains("claude, command") && text.contains("newer"),
            "{text}"
        );
        assert!(Backends::BUILT_IN.program_of(&record(JobKind::agent("Claude"))).is_err());
    }

    #[test]
    fn no_two_backends_have_a_name_or_that_of_a_dialogue() {
        let mut names: Vec<&str> = Backends::BUILT_IN.profiles().map(|profile| profile.name).collect();
        assert!(names.iter().all(|name| JobKind::from(Some((*name).to_owned())) != JobKind::Dialogue));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
