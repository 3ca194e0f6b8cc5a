//! Domain values, each checked once, where it enters: names, limits, money, patterns. They do no input and no output.

mod job_id;
mod remedy;
mod table;
mod time;
mod tool_pattern;
mod values;

pub use job_id::{InvalidJobId, InvalidJobSelector, JobId, JobSelector};
pub use remedy::{Access, AgentChange, Obstacle, Remedy, Terms};
pub use table::{FieldValue, JsonForm, Misfit, Row, Slot};
pub use time::{UnixSeconds, now};
pub use tool_pattern::{InvalidTool, tool_pattern};
pub use values::{
    AgentName, BudgetUsd, CapTooHigh, GroupName, InvalidAge, InvalidBudget, InvalidFlagValue, InvalidName,
    InvalidTimeout, Timeout, age, flag_value, shown,
};
