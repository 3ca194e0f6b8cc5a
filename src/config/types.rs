//! What a config says.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use crate::backend::BackendRef;
use crate::model::{AgentName, BudgetUsd, CapTooHigh, GroupName, Timeout};

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

/// One agent: a directory and how to work in it.
///
/// What is `None` here is taken from the [`Settings`]; see [`Agent::effective`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Agent {
    /// Where the agent works: absolute.
    pub directory: PathBuf,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How long a run may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// How long a run may be silent; there is no such limit when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Timeout>,
    /// What a run may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_budget_usd: Option<BudgetUsd>,
    /// The model, by the name the agent CLI knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The permission mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    /// Tools that need no permission; empty means none, whatever the settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<Vec<String>>,
    /// Tools that are refused; empty means none, whatever the settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disallowed_tools: Option<Vec<String>>,
    /// What it is good at, for callers that choose an agent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// What it can do that deserves a second thought.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risky_capabilities: Vec<String>,
    /// What it is told with every task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What kind of program it is.
    pub backend: BackendRef,
    /// The program and its arguments, for a backend that has none of its own; empty otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Whether it takes one task at a time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// Whether nothing is said about other users who have a say in its directory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
}

impl Agent {
    /// What holds for this agent once `settings` have filled in what it leaves open.
    pub fn effective<'a>(&'a self, settings: &'a Settings) -> Effective<'a> {
        Effective {
            timeout: self.timeout.unwrap_or(settings.default_timeout),
            max_budget_usd: self.max_budget_usd.or(settings.default_max_budget_usd),
            model: self.model.as_deref(),
            permission_mode: self.permission_mode.as_deref().or(settings.default_permission_mode.as_deref()),
            allowed_tools: self.allowed_tools.as_ref().unwrap_or(&settings.default_allowed_tools),
            disallowed_tools: self.disallowed_tools.as_ref().unwrap_or(&settings.default_disallowed_tools),
        }
    }
}

/// What holds for an agent: its own values, and the settings' where it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effective<'a> {
    /// How long a run may take.
    pub timeout: Timeout,
    /// What a run may cost.
    pub max_budget_usd: Option<BudgetUsd>,
    /// The model; the agent CLI's own choice when unset.
    pub model: Option<&'a str>,
    /// The permission mode.
    pub permission_mode: Option<&'a str>,
    /// Tools that need no permission.
    pub allowed_tools: &'a [String],
    /// Tools that are refused.
    pub disallowed_tools: &'a [String],
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

/// What holds for all agents, and for the tool itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How long a run may take when its agent does not say.
    pub default_timeout: Timeout,
    /// What a run may cost when its agent does not say.
    pub default_max_budget_usd: Option<BudgetUsd>,
    /// The largest spend cap that passes for one, and not for a typing mistake.
    pub max_budget_usd_ceiling: BudgetUsd,
    /// The permission mode when the agent does not say.
    pub default_permission_mode: Option<String>,
    /// Tools that need no permission when the agent does not say.
    pub default_allowed_tools: Vec<String>,
    /// Tools that are refused when the agent does not say.
    pub default_disallowed_tools: Vec<String>,
    /// How deep dispatches may nest: at least 1.
    pub max_dispatch_depth: u32,
    /// How many agents may run at once on this machine: at least 1.
    pub max_concurrency: u32,
    /// How many jobs may wait for their turn.
    pub max_queued: u32,
    /// How many jobs one chain of dispatches may make: at least 1.
    pub max_tree_jobs: u32,
    /// Whether and how answers are kept for the same question.
    pub cache: Cache,
    /// How much an agent may write to standard output and standard error together, in MB of 1,048,576 bytes: at least 1.
    pub output_limit_mb: u32,
    /// How many days a finished job is kept; 0 keeps it for ever.
    pub job_retention_days: u32,
    /// Whether agents are told how to conduct and end a dispatch.
    pub dispatch_protocol: bool,
    /// Whether and where each run is noted.
    pub usage_log: UsageLog,
}

impl Settings {
    /// Refuses a spend cap that is more likely a typing mistake.
    pub fn check_cap(&self, cap: BudgetUsd) -> Result<(), CapTooHigh> {
        let ceiling = self.max_budget_usd_ceiling;
        if cap > ceiling { Err(CapTooHigh { cap, ceiling }) } else { Ok(()) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_timeout: Timeout::from_seconds(300),
            default_max_budget_usd: None,
            max_budget_usd_ceiling: BudgetUsd::CEILING,
            default_permission_mode: None,
            default_allowed_tools: Vec::new(),
            default_disallowed_tools: Vec::new(),
            max_dispatch_depth: 3,
            max_concurrency: 5,
            max_queued: 1_000,
            max_tree_jobs: 100,
            cache: Cache::default(),
            output_limit_mb: 1_024,
            job_retention_days: 0,
            dispatch_protocol: true,
            usage_log: UsageLog::On,
        }
    }
}

/// How answers are kept for the same question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Whether they are.
    pub enabled: bool,
    /// How long.
    pub ttl: Duration,
    /// How many.
    pub max_size: u32,
}

impl Default for Cache {
    fn default() -> Self {
        Self { enabled: true, ttl: Duration::from_secs(300), max_size: 1_000 }
    }
}

/// Whether and where each run is noted for `stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UsageLog {
    /// Nowhere.
    Off,
    /// In the usual place.
    #[default]
    On,
    /// In this file.
    At(PathBuf),
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
