//! The config, `agents.yaml`: agents, groups and settings.
mod agent;
mod changes;
mod decode;
mod discover;
mod edit;
mod emit;
mod fields;
mod home;
mod load;
mod patch;
mod schema;
mod settings;
mod summary_line;
mod syntax;
mod trust;
mod types;

pub use crate::model::{
    AgentName, BudgetUsd, CapTooHigh, GroupName, InvalidAge, InvalidBudget, InvalidFlagValue, InvalidName,
    InvalidTimeout, InvalidTool, Timeout, age, flag_value, tool_pattern,
};
pub use crate::os::Exposure;
pub use agent::{AGENT_KEYS, Agent, Effective};
pub use changes::{AgentChanges, Field, GroupChanges, MemberChanges};
pub use discover::{ProjectFacts, claude_md, describe};
pub use edit::{DirectoryProblem, EditError, Editor, Kind as EntryKind, LOCK_WAIT, agent_directory};
pub use home::home_directory;
pub use load::{ConfigError, config_path, inspect, load, reload};
pub use schema::SCHEMA;
pub use settings::{Cache, SETTINGS_KEYS, Settings, UsageLog};
pub use syntax::check_depth as check_yaml_depth;
pub use trust::{Untrusted, Vouched, check_jobs_directory, check_journal, directories_of};
pub use types::{Config, Group, Member, Warning, nearest};
