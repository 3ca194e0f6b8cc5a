//! What a run came to: the one result shape of `--json`, MCP and the record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{JobId, Remedy};
use crate::text::redact;

/// Which file of the job's folder holds a long answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerFile {
    /// A file of its own: the text as the agent CLI's stream quotes it.
    Answer,
    /// The agent's standard output, which is the answer of a plain program.
    Stdout,
}

/// The result of a dispatch. Absent fields are left out of the JSON, never null.
///
/// `success` is about the run; `outcome` is what the agent says about its task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// The job this is the result of.
    pub job_id: JobId,
    /// The agent that ran.
    pub agent: String,
    /// Whether the run ended as it should, with an answer.
    pub success: bool,
    /// The agent's answer; what was salvaged of it when the run failed; empty when there is none.
    #[serde(default)]
    pub result: String,
    /// Where the answer lies when it is too long to stand here; `result` is empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_file: Option<AnswerFile>,
    /// The agent's own verdict, from the last line of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What went wrong, in one or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What kind of failure it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<ErrorType>,
    /// What would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<RecordedRemedy>,
    /// What else is worth knowing about the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The remedy and the notes in words, for readers that do not know the remedy: older versions, newer remedies, other
    /// programs. In a record without a remedy it is all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The session to resume with `--session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What the run cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// From the agent's start to its end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How many turns the agent took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_turns: Option<u64>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Token counts as the agent CLI reports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// The answer as data, when a schema was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parsed_result: Option<Value>,
    /// Tools the agent wanted and was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_tools: Vec<String>,
    /// Whether the spend went past the agent's budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub budget_exceeded: bool,
    /// What the agent had started and the end of the run cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
}

/// A remedy as a record has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordedRemedy {
    /// One that this version knows.
    Known(Box<Remedy>),
    /// One that another version knows: kept as it is.
    Other(Value),
}

impl From<Remedy> for RecordedRemedy {
    fn from(remedy: Remedy) -> Self {
        Self::Known(Box::new(remedy))
    }
}

/// Something that an agent had started beside its own work, and that had not come to its end when the run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// What kind of thing it is.
    pub kind: WorkKind,
    /// What it is, in the agent's words.
    pub what: String,
    /// What became of it.
    pub state: UnfinishedState,
}

/// What an agent can have start beside its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Another agent, which was given a part of the task.
    Agent,
    /// A command: a build, a server. Whatever is not known to be an agent is one.
    #[serde(other)]
    Command,
}

/// What became of work that the end of a run cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnfinishedState {
    /// The agent CLI ended it.
    Stopped,
    /// It ran until the agent CLI was gone, and was ended then.
    #[serde(other)]
    Running,
}

/// The agent's own verdict on its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The task is done.
    Done,
    /// Some of it is done.
    Partial,
    /// Something stands in the way.
    Blocked,
}

/// The kind of a failure. The command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The job's supervisor died before the job ended.
    Lost,
    /// The agent ended without a complete answer.
    Incomplete,
    /// The directory, the agent CLI or the session does not exist.
    NotFound,
    /// The agent was not allowed to do what the task needs.
    Permission,
    /// The spend cap was reached.
    Budget,
    /// The account's usage limit was reached, or requests are rate limited.
    UsageLimit,
    /// The API is overloaded or out of reach.
    Overloaded,
    /// Dispatches are nested too deep.
    Recursion,
    /// Not logged in, a bad key, no credit.
    Auth,
    /// The time limit passed.
    Timeout,
    /// The agent wrote more output than it may.
    OutputLimit,
    /// A caller stopped the job.
    Cancelled,
    /// The agent CLI failed in a way that has no kind of its own, or in one this version does not know.
    #[serde(other)]
    CliError,
}

impl Outcome {
    /// The word of the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Blocked => "blocked",
        }
    }
}

impl ErrorType {
    /// The word of the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Incomplete => "incomplete",
            Self::NotFound => "not_found",
            Self::Permission => "permission",
            Self::Budget => "budget",
            Self::UsageLimit => "usage_limit",
            Self::Overloaded => "overloaded",
            Self::Recursion => "recursion",
            Self::Auth => "auth",
            Self::Timeout => "timeout",
            Self::OutputLimit => "output_limit",
            Self::Cancelled => "cancelled",
            Self::CliError => "cli_error",
        }
    }
}

impl JobResult {
    /// The same with what would help.
    #[must_use]
    pub fn with_remedy(self, remedy: Option<Remedy>) -> Self {
        Self { remedy: remedy.map(RecordedRemedy::from), ..self }
    }

    /// What would help, if this version knows it.
    pub fn known_remedy(&self) -> Option<&Remedy> {
        match &self.remedy {
            Some(RecordedRemedy::Known(remedy)) => Some(remedy),
            Some(RecordedRemedy::Other(_)) | None => None,
        }
    }

    /// What to do next and what else is worth knowing, in words; `tell` puts the remedy into words. What this version
    /// does not know is told as the record has it.
    pub fn advice(&self, tell: impl Fn(&Remedy) -> String) -> Option<String> {
        let remedy = self.known_remedy();
        if remedy.is_none() && self.hint.is_some() {
            return self.hint.clone();
        }
        let parts: Vec<String> = remedy.map(tell).into_iter().chain(self.notes.iter().cloned()).collect();
        (!parts.is_empty()).then(|| redact(&parts.join("; ")))
    }

    /// The result of a run that came to nothing.
    pub fn failure(job_id: JobId, agent: &str, error_type: ErrorType, error: impl Into<String>) -> Self {
        Self {
            error: Some(redact(&error.into())),
            error_type: Some(error_type),
            ..Self::blank(job_id, agent, false)
        }
    }

    /// The result of a run that brought an answer.
    pub fn answer(job_id: JobId, agent: &str, result: impl Into<String>) -> Self {
        Self { result: result.into(), ..Self::blank(job_id, agent, true) }
    }

    /// What several of them cost together, in US dollars, without what binary fractions leave in a sum: no price is as
    /// fine as a billionth. `None` when none is known.
    pub fn total_usd(costs: impl IntoIterator<Item = f64>) -> Option<f64> {
        let sum = costs.into_iter().reduce(|sum, cost| sum + cost)?;
        Some((sum * 1e9).round() / 1e9)
    }

    fn blank(job_id: JobId, agent: &str, success: bool) -> Self {
        Self {
            job_id,
            agent: agent.to_owned(),
            success,
            result: String::new(),
            answer_file: None,
            outcome: None,
            error: None,
            error_type: None,
            remedy: None,
            notes: Vec::new(),
            hint: None,
            session_id: None,
            cost_usd: None,
            duration_ms: None,
            num_turns: None,
            model: None,
            usage: None,
            parsed_result: None,
            denied_tools: Vec::new(),
            budget_exceeded: false,
            unfinished: Vec::new(),
        }
    }
}
