//! An agent as the config has it, and the table of its keys.

use std::path::PathBuf;

use serde::Serialize;

use super::settings::Settings;
use crate::backend::BackendRef;
use crate::model::{BudgetUsd, Row, Slot, Timeout};

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
    /// How many of its jobs run at once at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
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

/// The keys of an agent.
pub static AGENT_KEYS: &[Row<Agent>] = &[
    Row {
        name: "directory",
        json: "directory",
        doc: "Where the agent works. It must exist when a task is dispatched. Absolute, beginning with `~`, or relative to \
              the folder of the config.",
        default: "",
        example: ".",
        mcp: true,
        slot: Slot::Path(|agent, path| agent.directory = path),
    },
    Row {
        name: "description",
        json: "description",
        doc: "What the agent is for. Callers choose an agent by it; `agents list` shows it.",
        default: "",
        example: "Terraform and Kubernetes of the shop",
        mcp: true,
        slot: Slot::Text(|agent, text| agent.description = text),
    },
    Row {
        name: "timeout",
        json: "timeout_seconds",
        doc: "How long a run may take. Unset: `settings.default_timeout`.",
        default: "",
        example: "15m",
        mcp: true,
        slot: Slot::Duration(|agent, limit| agent.timeout = Some(limit)),
    },
    Row {
        name: "idle_timeout",
        json: "idle_timeout_seconds",
        doc: "How long a run may be silent. Unset: no limit.",
        default: "",
        example: "5m",
        mcp: true,
        slot: Slot::Duration(|agent, limit| agent.idle_timeout = Some(limit)),
    },
    Row {
        name: "max_budget_usd",
        json: "max_budget_usd",
        doc: "What a run may cost, in US dollars. Claude Code enforces it. Unset: `settings.default_max_budget_usd`, else no \
              cap.",
        default: "",
        example: "2.50",
        mcp: true,
        slot: Slot::Dollars(|agent, cap| agent.max_budget_usd = Some(cap)),
    },
    Row {
        name: "model",
        json: "model",
        doc: "The model, by the name the agent CLI knows. Unset: its own choice.",
        default: "",
        example: "sonnet",
        mcp: true,
        slot: Slot::Word(|agent, model| agent.model = Some(model)),
    },
    Row {
        name: "permission_mode",
        json: "permission_mode",
        doc: "The permission mode. Unset: `settings.default_permission_mode`.",
        default: "",
        example: "acceptEdits",
        mcp: true,
        slot: Slot::Mode(|agent, mode| agent.permission_mode = Some(mode)),
    },
    Row {
        name: "allowed_tools",
        json: "allowed_tools",
        doc: "Tools that need no permission. Unset: `settings.default_allowed_tools`; `[]`: none, whatever the settings say. \
              A pattern whose parentheses do not fit, such as `Bash(rm *`, is refused: Claude Code would take it for the \
              name of a tool.",
        default: "",
        example: "[Read, Grep, Bash(terraform plan *)]",
        mcp: true,
        slot: Slot::Tools(|agent, tools| agent.allowed_tools = Some(tools)),
    },
    Row {
        name: "disallowed_tools",
        json: "disallowed_tools",
        doc: "Tools that are refused. Unset: `settings.default_disallowed_tools`; `[]`: none, whatever the settings say.",
        default: "",
        example: "[Bash(terraform apply *)]",
        mcp: true,
        slot: Slot::Tools(|agent, tools| agent.disallowed_tools = Some(tools)),
    },
    Row {
        name: "capabilities",
        json: "capabilities",
        doc: "What the agent is good at. Callers choose an agent by it; `agents show` shows it.",
        default: "",
        example: "[terraform, kubernetes]",
        mcp: true,
        slot: Slot::Texts(|agent, words| agent.capabilities = words),
    },
    Row {
        name: "risky_capabilities",
        json: "risky_capabilities",
        doc: "What it can do that deserves a second thought.",
        default: "",
        example: "[production]",
        mcp: true,
        slot: Slot::Texts(|agent, words| agent.risky_capabilities = words),
    },
    Row {
        name: "instructions",
        json: "instructions",
        doc: "What the agent is told with every task. Appended to its system prompt (Claude Code only).",
        default: "",
        example: "The state is in the folder live/. Never apply; propose a plan.",
        mcp: true,
        slot: Slot::Text(|agent, text| agent.instructions = Some(text)),
    },
    Row {
        name: "backend",
        json: "backend",
        doc: "Which kind of program does the work. `claude`: Claude Code. `command`: any program that takes the task on \
              standard input and answers on standard output.",
        default: "claude",
        example: "",
        mcp: false,
        slot: Slot::Backend,
    },
    Row {
        name: "command",
        json: "command",
        doc: "For `backend: command`, the program and its arguments. No shell comes in between. A relative path is meant \
              from the agent's directory.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Command(|agent, command| agent.command = command),
    },
    Row {
        name: "exclusive",
        json: "exclusive",
        doc: "Whether the agent takes one task at a time. Other jobs for the same directory wait, by whatever path they come \
              to it.",
        default: "false",
        example: "true",
        mcp: true,
        slot: Slot::Flag(|agent, on| agent.exclusive = on),
    },
    Row {
        name: "max_concurrency",
        json: "max_concurrency",
        doc: "How many of the agent's jobs run at once. More jobs wait; those of other agents do not wait for them. Unset: as \
              many as `settings.max_concurrency` allows.",
        default: "",
        example: "2",
        mcp: true,
        slot: Slot::Count(1, |agent, count| agent.max_concurrency = Some(count)),
    },
    Row {
        name: "trusted",
        json: "trusted",
        doc: "Whether the directory is used without a word about other users who own it or can write to it.",
        default: "false",
        example: "",
        mcp: false,
        slot: Slot::Flag(|agent, on| agent.trusted = on),
    },
];
