//! What a config says.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Serialize;

use super::agent::{Agent, Effective};
use super::settings::Settings;
use crate::model::{AgentName, GroupName};

/// A whole config: agents, groups and settings, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Whether that file does not exist; everything is empty or at its default then.
    pub is_missing: bool,
    /// The agents.
    pub agents: IndexMap<AgentName, Agent>,
    /// The working sets.
    pub groups: IndexMap<GroupName, Group>,
    /// What holds for all agents.
    pub settings: Settings,
    /// What looks wrong in the file but stops nothing.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// What holds for the agent `name` once the settings have filled in what it leaves open.
    pub fn effective(&self, name: &AgentName) -> Option<Effective<'_>> {
        self.agents.get(name).map(|agent| agent.effective(&self.settings))
    }

    /// What of it is about these agents: the others, and the groups that none of them is in, are not there.
    #[must_use]
    pub fn only(mut self, agents: &[AgentName]) -> Self {
        self.agents.retain(|name, _| agents.contains(name));
        for group in self.groups.values_mut() {
            group.members.retain(|member| agents.contains(&member.agent));
        }
        self.groups.retain(|_, group| !group.members.is_empty());
        // They may be about the others.
        self.warnings.clear();
        self
    }

    /// The agent whose name `text` comes closest to, if any comes close: for "did you mean".
    pub fn nearest(&self, text: &str) -> Option<&AgentName> {
        nearest(text, self.agents.keys())
    }

    /// The same for groups.
    pub fn nearest_group(&self, text: &str) -> Option<&GroupName> {
        nearest(text, self.groups.keys())
    }

    /// The groups that `name` is a member of.
    pub fn groups_of(&self, name: &AgentName) -> impl Iterator<Item = (&GroupName, &Group)> {
        self.groups.iter().filter(move |(_, group)| group.members.iter().any(|m| m.agent == *name))
    }
}

/// The candidate that `text` was probably meant to be, for "did you mean".
pub fn nearest<T: AsRef<str>>(text: &str, candidates: impl IntoIterator<Item = T>) -> Option<T> {
    let text = text.to_lowercase();
    let mut best: Option<(f64, T)> = None;
    for candidate in candidates {
        let name = candidate.as_ref().to_lowercase();
        // An abbreviation or an elaboration is a likelier slip than any edit.
        let contained = text.len() >= 3 && (name.contains(&text) || text.contains(&name));
        let likeness = strsim::jaro_winkler(&text, &name).max(if contained { 0.9 } else { 0.0 });
        if likeness >= 0.8 && best.as_ref().is_none_or(|(most, _)| likeness > *most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A working set of agents that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Group {
    /// What it is for, told to callers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What every member is told before its own context.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub shared_context: String,
    /// The agents in it.
    pub members: Vec<Member>,
}

/// An agent's part in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The agent; the config may lack it.
    pub agent: AgentName,
    /// What to use it for in this group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub use_for: String,
}

/// Something that looks wrong in a config but stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line in the file, from 1.
    pub line: u32,
    /// Where in the config, such as `agents.infra.timeot`.
    pub key: String,
    /// What is wrong with it: a fragment that follows the key.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {} {}", self.line, self.key, self.message)
    }
}
