//! What kind of job a record is of.

use serde::{Deserialize, Serialize};

/// What runs as a job. The record names it in its field `backend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum JobKind {
    /// An agent.
    Agent {
        /// The name of its backend, which this version may not know; the Python original wrote none.
        backend: Option<String>,
    },
    /// A dialogue of two agents, which this program itself conducts.
    Dialogue,
}

/// What the record of a dialogue has in the place of a backend.
const DIALOGUE: &str = "dialogue";

impl JobKind {
    /// The kind of a job whose agent has this backend.
    pub fn agent(backend: &str) -> Self {
        Self::Agent { backend: Some(backend.to_owned()) }
    }

    /// Whether the record says nothing about it.
    pub(super) fn is_unnamed(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for JobKind {
    fn default() -> Self {
        Self::Agent { backend: None }
    }
}

impl From<Option<String>> for JobKind {
    fn from(backend: Option<String>) -> Self {
        match backend {
            Some(name) if name == DIALOGUE => Self::Dialogue,
            backend => Self::Agent { backend },
        }
    }
}

impl From<JobKind> for Option<String> {
    fn from(kind: JobKind) -> Self {
        match kind {
            JobKind::Agent { backend } => backend,
            JobKind::Dialogue => Some(DIALOGUE.to_owned()),
        }
    }
}
