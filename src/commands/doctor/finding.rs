//! What was found: how bad it is, what it is, and the command that mends it.

use serde::Serialize;

pub(super) use crate::backend::Level;
use crate::config::AgentName;
use crate::text::redact;
pub(super) use crate::ui::shell::{path as shell_path, word as shell_word};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Section {
    AgentCli,
    Mcp,
    Config,
    Agents,
    Jobs,
    Processes,
    Environment,
}

impl Section {
    /// Its heading.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::AgentCli => "Agent CLI",
            Self::Mcp => "MCP server",
            Self::Config => "Config",
            Self::Agents => "Agents",
            Self::Jobs => "Jobs",
            Self::Processes => "Processes",
            Self::Environment => "Environment",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Finding {
    /// What was looked at, for programs: it does not change between versions.
    pub(super) id: &'static str,
    pub(super) section: Section,
    pub(super) level: Level,
    /// The agent it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<AgentName>,
    /// What was found, with the path or value.
    pub(super) found: String,
    /// The command that mends it, for a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn new(section: Section, id: &'static str, level: Level, found: &str) -> Self {
        Self { id, section, level, agent: None, found: redact(found), fix: None }
    }

    /// Adds the command that mends it.
    pub(super) fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(redact(&command.into())), ..self }
    }

    /// Says which agent it is about.
    pub(super) fn agent(self, name: &AgentName) -> Self {
        Self { agent: Some(name.clone()), ..self }
    }
}

/// Makes the findings of its section.
impl Section {
    pub(super) fn ok(self, id: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(self, id, Level::Ok, &found.into())
    }

    pub(super) fn note(self, id: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(self, id, Level::Note, &found.into())
    }

    pub(super) fn warning(self, id: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(self, id, Level::Warning, &found.into())
    }

    pub(super) fn error(self, id: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(self, id, Level::Error, &found.into())
    }
}
