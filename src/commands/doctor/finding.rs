//! What was found: how bad it is, what it is, and the command that mends it.

use serde::Serialize;

pub(super) use crate::backend::Level;
use crate::config::AgentName;
use crate::remedy::Commands;
use crate::text::redact;
pub(super) use crate::text::shell::path as shell_path;

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
    #[serde(skip)]
    pub(super) fix: Option<Fix>,
}

/// The command that mends a finding: another program's, one of this program, or the one and then the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fix {
    other: Option<String>,
    /// The words of that of this program.
    own: Vec<String>,
}

impl Fix {
    /// A command of this program.
    pub(super) fn own<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::default().then(words)
    }

    /// The same with a command of this program after it.
    pub(super) fn then<W: Into<String>>(self, words: impl IntoIterator<Item = W>) -> Self {
        Self { own: words.into_iter().map(Into::into).collect(), ..self }
    }

    /// As it has to be typed.
    pub(super) fn typed(&self, commands: Commands) -> String {
        let own = (!self.own.is_empty()).then(|| commands.command(&self.own));
        redact(&self.other.iter().cloned().chain(own).collect::<Vec<_>>().join(" && "))
    }
}

/// A command of another program.
impl<T: Into<String>> From<T> for Fix {
    fn from(command: T) -> Self {
        Self { other: Some(command.into()), own: Vec::new() }
    }
}

impl Finding {
    pub(super) fn new(section: Section, id: &'static str, level: Level, found: &str) -> Self {
        Self { id, section, level, agent: None, found: redact(found), fix: None }
    }

    /// Adds the command that mends it.
    pub(super) fn fix(self, fix: impl Into<Fix>) -> Self {
        Self { fix: Some(fix.into()), ..self }
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
