//! The record of a job: what `jobs/<id>.json` says.
//!
//! On disk a record has the fields of the Python original (`id, agent, task, context, caller, goal, status,
//! created_at, started_at, completed_at, result, error, progress, progress_updated_at`; times are Unix
//! seconds) and the fields this tool adds (`format`, `parent`, `root`, `depth`, `directory`, `backend`,
//! `session_id`, `timeout_seconds`, `command`, …). Fields nobody here knows survive a rewrite.
//!
//! In memory the status and its times are one value, [`State`], so a finished job always has an end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{JobId, JobResult};

/// The format this version writes. Records of a newer format are read, never written.
pub const FORMAT: u32 = 2;

/// Seconds since the Unix epoch, with a fraction.
pub type UnixSeconds = f64;

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The job's id.
    pub id: JobId,
    /// The agent's name.
    pub agent: String,
    /// What was asked.
    pub task: String,
    /// Background for the task, as the caller gave it.
    pub context: Option<String>,
    /// Who asked.
    pub caller: Option<String>,
    /// What the task is for.
    pub goal: Option<String>,
    /// When the job was created.
    pub created_at: UnixSeconds,
    /// How far the job is.
    pub state: State,
    /// What only records of this tool have.
    pub launch: Launch,
    /// The last progress line; only the Python original wrote it into the record.
    pub progress: Option<String>,
    /// The record's format: 1 for the Python original's, which carries no number.
    pub format: u32,
    /// Fields of other versions.
    pub unknown: Map<String, Value>,
}

/// How the job was started, for those who look at it, resume it or recover it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// The job whose agent asked for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
    /// The first job of the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<JobId>,
    /// How many dispatches deep: 1 when a person or script asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// The working set the task was given for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The agent's directory, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Which kind of program ran: `claude` or `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The agent CLI's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whether the session existed before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
    /// The time limit, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// The spend cap, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_budget_usd: Option<f64>,
    /// The JSON Schema the answer must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// The command line, without anything secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Recorded; its agent has not been started.
    Pending,
    /// Its agent runs.
    Running {
        /// When the agent was started.
        started_at: UnixSeconds,
    },
    /// Over. Nothing changes such a record again.
    Finished(Finished),
}

/// A job's end.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// When the agent was started, if it was.
    pub started_at: Option<UnixSeconds>,
    /// When the end was recorded.
    pub completed_at: UnixSeconds,
    /// How it ended.
    pub verdict: Verdict,
    /// What came of it; records of the Python original may have none.
    pub result: Option<JobResult>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The three ways a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// With an answer.
    Done,
    /// Without one.
    Failed,
    /// Because somebody stopped it.
    Cancelled,
}

/// The status word of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Recorded; its agent has not been started.
    Pending,
    /// Its agent runs.
    Running,
    /// Ended with an answer.
    Done,
    /// Ended without one.
    Failed,
    /// Stopped by somebody.
    Cancelled,
}
