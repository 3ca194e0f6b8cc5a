//! The settings of the config, and the table of their keys.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{BudgetUsd, CapTooHigh, Row, Slot, Timeout};

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

/// The keys of the settings.
pub static SETTINGS_KEYS: &[Row<Settings>] = &[
    Row {
        name: "default_timeout",
        json: "",
        doc: "How long a run may take when its agent does not say.",
        default: "5m",
        example: "",
        mcp: false,
        slot: Slot::Duration(|settings, limit| settings.default_timeout = limit),
    },
    Row {
        name: "default_max_budget_usd",
        json: "",
        doc: "What a run may cost when its agent does not say, in US dollars. Unset: no cap; set one before you let scripts dispatch.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Dollars(|settings, cap| settings.default_max_budget_usd = Some(cap)),
    },
    Row {
        name: "max_budget_usd_ceiling",
        json: "",
        doc: "The largest spend cap that is not refused as a typing mistake, wherever it is given, in US dollars.",
        default: "1000",
        example: "",
        mcp: false,
        slot: Slot::Dollars(|settings, cap| settings.max_budget_usd_ceiling = cap),
    },
    Row {
        name: "default_permission_mode",
        json: "",
        doc: "The permission mode when the agent does not say. Unset: the agent CLI's own. Claude Code then allows reading and refuses what else asks.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Mode(|settings, mode| settings.default_permission_mode = Some(mode)),
    },
    Row {
        name: "default_allowed_tools",
        json: "",
        doc: "Tools that need no permission when the agent does not say.",
        default: "[]",
        example: "",
        mcp: false,
        slot: Slot::Tools(|settings, tools| settings.default_allowed_tools = tools),
    },
    Row {
        name: "default_disallowed_tools",
        json: "",
        doc: "Tools that are refused when the agent does not say.",
        default: "[]",
        example: "[WebFetch]",
        mcp: false,
        slot: Slot::Tools(|settings, tools| settings.default_disallowed_tools = tools),
    },
    Row {
        name: "max_dispatch_depth",
        json: "",
        doc: "How deep agents may dispatch to agents.",
        default: "3",
        example: "",
        mcp: false,
        slot: Slot::Count(1, |settings, depth| settings.max_dispatch_depth = depth),
    },
    Row {
        name: "max_concurrency",
        json: "",
        doc: "How many agents run at once. More jobs wait. A change also holds for jobs that wait already.",
        default: "5",
        example: "",
        mcp: false,
        slot: Slot::Count(1, |settings, count| settings.max_concurrency = count),
    },
    Row {
        name: "max_queued",
        json: "",
        doc: "How many jobs may wait for their turn.",
        default: "1000",
        example: "",
        mcp: false,
        slot: Slot::Count(0, |settings, count| settings.max_queued = count),
    },
    Row {
        name: "max_tree_jobs",
        json: "",
        doc: "How many jobs one job may lead to, through agents that dispatch.",
        default: "100",
        example: "",
        mcp: false,
        slot: Slot::Count(1, |settings, count| settings.max_tree_jobs = count),
    },
    Row {
        name: "output_limit_mb",
        json: "",
        doc: "How much an agent may write to standard output and standard error together, in MB of 1,048,576 bytes. One that writes more is stopped, with `error_type: output_limit`; what it answered so far is kept.",
        default: "1024",
        example: "",
        mcp: false,
        slot: Slot::Count(1, |settings, limit| settings.output_limit_mb = limit),
    },
    Row {
        name: "cache",
        json: "",
        doc: "How answers are kept for the same question: `enabled`, `ttl`, `max_size`. Read and checked, without effect in this version.",
        default: "",
        example: "{enabled: true, ttl: 5m, max_size: 1000}",
        mcp: false,
        slot: Slot::Other,
    },
    Row {
        name: "job_retention_days",
        json: "",
        doc: "How many days a finished job is kept. 0: for ever. Otherwise older jobs are deleted, once a day when a job is started, at most 200 at a time; and by `gc` when it is not told what to delete.",
        default: "0",
        example: "",
        mcp: false,
        slot: Slot::Count(0, |settings, days| settings.job_retention_days = days),
    },
    Row {
        name: "dispatch_protocol",
        json: "",
        doc: "Whether agents are told that no person answers questions, what their limits are, and how to end. They end with `STATUS: done`, `partial` or `blocked`.",
        default: "true",
        example: "",
        mcp: false,
        slot: Slot::Flag(|settings, on| settings.dispatch_protocol = on),
    },
    Row {
        name: "usage_log",
        json: "",
        doc: "Whether the end of each job is noted for `stats`, or the path of the file it is noted in. Hints after a timeout, and the warning of a limit that half of the agent's runs do not keep, come from it.",
        default: "true",
        example: "",
        mcp: false,
        slot: Slot::Other,
    },
];
