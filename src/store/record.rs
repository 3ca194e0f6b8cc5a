//! The record of a job: what `jobs/<id>.json` says.
//!
//! On disk a record has the fields of the Python original (`id, agent, task, context, caller, goal, status,
//! created_at, started_at, completed_at, result, error, progress, progress_updated_at`; times are Unix
//! seconds) and the fields this tool adds (`format`, `parent`, `root`, `depth`, `directory`, `backend`,
//! `session_id`, `timeout_seconds`, `command`, …). Unknown fields survive a rewrite.
//!
//! In memory the status and its times are one value, [`State`], so a finished job always has an end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{JobKind, JobResult, RecordedLimit};
use crate::model::{JobId, UnixSeconds};

/// The format this version writes. Records of a newer format are read, never written.
pub const FORMAT: u32 = 2;

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
    /// What runs: an agent of a backend, or a dialogue.
    #[serde(rename = "backend", default, skip_serializing_if = "JobKind::is_unnamed")]
    pub kind: JobKind,
    /// The agent CLI's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whether the session existed before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
    /// The time limit, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<RecordedLimit>,
    /// How long the agent may be silent, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<RecordedLimit>,
    /// The model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The spend cap, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_budget_usd: Option<RecordedLimit>,
    /// The JSON Schema the answer must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// The jobs it waits for: their results complete its task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<JobId>,
    /// The command that is run after the end, as it was given. Only shown: nothing that is read here is ever run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_done: Vec<String>,
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
    Finished(Box<Finished>),
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
    /// Because a caller stopped it.
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
    /// Stopped by a caller.
    Cancelled,
}

impl Status {
    /// The word of the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Record {
    /// A new job's record.
    pub fn pending(id: JobId, agent: &str, task: &str, created_at: UnixSeconds) -> Self {
        Self {
            id,
            agent: agent.to_owned(),
            task: task.to_owned(),
            context: None,
            caller: None,
            goal: None,
            created_at,
            state: State::Pending,
            launch: Launch::default(),
            progress: None,
            format: FORMAT,
            unknown: Map::new(),
        }
    }

    /// The status word.
    pub fn status(&self) -> Status {
        match &self.state {
            State::Pending => Status::Pending,
            State::Running { .. } => Status::Running,
            State::Finished(finished) => match finished.verdict {
                Verdict::Done => Status::Done,
                Verdict::Failed => Status::Failed,
                Verdict::Cancelled => Status::Cancelled,
            },
        }
    }

    /// How the job ended, if it has.
    pub fn finished(&self) -> Option<&Finished> {
        match &self.state {
            State::Finished(finished) => Some(finished),
            _ => None,
        }
    }

    /// When the agent was started, if it was.
    pub fn started_at(&self) -> Option<UnixSeconds> {
        match &self.state {
            State::Pending => None,
            State::Running { started_at } => Some(*started_at),
            State::Finished(finished) => finished.started_at,
        }
    }

    /// The result of a job that has finished; one is made up for records that lack it.
    pub fn conclusion(&self) -> JobResult {
        let finished = self.finished();
        let recorded = finished.and_then(|finished| finished.result.clone());
        recorded.unwrap_or_else(|| JobResult {
            success: finished.is_some_and(|finished| finished.verdict == Verdict::Done),
            error: finished.and_then(|finished| finished.error.clone()),
            ..JobResult::answer(self.id, &self.agent, "")
        })
    }

    /// The agent CLI's session that the job has: one that has finished says whether there is a conversation, one that is not
    /// will have it.
    pub fn session(&self) -> Option<String> {
        match self.finished() {
            Some(finished) => finished.result.as_ref()?.session_id.clone(),
            None => self.launch.session_id.clone(),
        }
    }

    /// Whether the job is a whole dialogue, and no request to one agent.
    pub fn is_dialogue(&self) -> bool {
        self.launch.kind == JobKind::Dialogue
    }

    /// Whether a tool other than this version wrote the record and may still own it: it is only looked at.
    pub fn is_foreign(&self) -> bool {
        self.format != FORMAT
    }

    /// Whether a newer version wrote the record.
    pub fn is_newer(&self) -> bool {
        !(1..=FORMAT).contains(&self.format)
    }

    /// Who wrote the record.
    pub fn author(&self) -> &'static str {
        match self.format {
            FORMAT => "this version of agent-dispatch",
            format if format < FORMAT && format > 0 => "the Python version of this tool",
            _ => "a newer version of agent-dispatch",
        }
    }

    /// Reads what [`Record::to_json`] or the Python original wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let stored: Stored = serde_json::from_slice(bytes)?;
        stored.into_record()
    }

    /// The record as it lies on disk.
    pub fn to_json(&self) -> Vec<u8> {
        let finished = self.finished();
        let stored = StoredRef {
            format: self.format,
            id: &self.id,
            agent: &self.agent,
            task: &self.task,
            context: self.context.as_deref(),
            caller: self.caller.as_deref(),
            goal: self.goal.as_deref(),
            status: self.status(),
            created_at: self.created_at,
            started_at: self.started_at(),
            completed_at: finished.map(|finished| finished.completed_at),
            launch: &self.launch,
            result: finished.and_then(|finished| finished.result.as_ref()),
            error: finished.and_then(|finished| finished.error.as_deref()),
            progress: self.progress.as_deref(),
            unknown: &self.unknown,
        };
        serde_json::to_vec(&stored).expect("a record has string keys and no map that could fail")
    }
}

/// A record as it is written.
#[derive(Serialize)]
struct StoredRef<'a> {
    format: u32,
    id: &'a JobId,
    agent: &'a str,
    task: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<&'a str>,
    status: Status,
    created_at: UnixSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<UnixSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<UnixSeconds>,
    #[serde(flatten)]
    launch: &'a Launch,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a JobResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a str>,
    #[serde(flatten)]
    unknown: &'a Map<String, Value>,
}

/// A record as it is read: whatever of the known fields is there, and the rest.
#[derive(Deserialize)]
struct Stored {
    /// Absent in records of the Python original.
    #[serde(default = "first_format")]
    format: u32,
    id: JobId,
    agent: String,
    #[serde(default)]
    task: String,
    context: Option<String>,
    caller: Option<String>,
    goal: Option<String>,
    status: Status,
    created_at: UnixSeconds,
    started_at: Option<UnixSeconds>,
    completed_at: Option<UnixSeconds>,
    result: Option<Map<String, Value>>,
    error: Option<String>,
    progress: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

fn first_format() -> u32 {
    1
}

impl Stored {
    fn into_record(mut self) -> Result<Record, serde_json::Error> {
        self.rest.retain(|_, value| !value.is_null());
        let launch: Launch = serde_json::from_value(Value::Object(self.rest.clone()))?;
        for known in LAUNCH_FIELDS {
            self.rest.shift_remove(*known);
        }
        let finished = |verdict| -> Result<State, serde_json::Error> {
            Ok(State::Finished(Box::new(Finished {
                started_at: self.started_at,
                completed_at: self.completed_at.or(self.started_at).unwrap_or(self.created_at),
                verdict,
                result: self.result.map(|result| read_result(result, self.id, &self.agent)).transpose()?,
                error: self.error,
            })))
        };
        let state = match self.status {
            Status::Pending => State::Pending,
            Status::Running => State::Running { started_at: self.started_at.unwrap_or(self.created_at) },
            Status::Done => finished(Verdict::Done)?,
            Status::Failed => finished(Verdict::Failed)?,
            Status::Cancelled => finished(Verdict::Cancelled)?,
        };
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Record {
            id: self.id,
            agent: self.agent,
            task: self.task,
            context: given(self.context),
            caller: given(self.caller),
            goal: given(self.goal),
            created_at: self.created_at,
            state,
            launch,
            progress: given(self.progress),
            format: self.format,
            unknown: self.rest,
        })
    }
}

/// The fields of [`Launch`] on disk; a test holds the two together.
const LAUNCH_FIELDS: &[&str] = &[
    "parent",
    "root",
    "depth",
    "group",
    "directory",
    "backend",
    "session_id",
    "resumed",
    "timeout_seconds",
    "idle_timeout_seconds",
    "model",
    "max_budget_usd",
    "response_schema",
    "after",
    "on_done",
    "command",
];

/// Reads a result; the Python original wrote absent fields as null and the job's id and agent not at all.
fn read_result(
    mut fields: Map<String, Value>,
    id: JobId,
    agent: &str,
) -> Result<JobResult, serde_json::Error> {
    fields.retain(|_, value| !value.is_null());
    fields.entry("job_id").or_insert_with(|| Value::String(id.to_string()));
    fields.entry("agent").or_insert_with(|| Value::String(agent.to_owned()));
    serde_json::from_value(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ErrorType;
    use serde_json::json;

    fn full() -> Record {
        let id = JobId::generate();
        let mut record = Record::pending(id, "infra", "look", 1_700_000_000.25);
        record.context = Some("c".into());
        record.launch = Launch {
            parent: Some(JobId::generate()),
            root: Some(JobId::generate()),
            depth: Some(2),
            group: Some("shop".into()),
            directory: Some("/srv/infra".into()),
            kind: JobKind::agent("claude"),
            session_id: Some("s".into()),
            resumed: true,
            timeout_seconds: Some(90.5.into()),
            idle_timeout_seconds: Some(20.0.into()),
            model: Some("opus".into()),
            max_budget_usd: Some(0.5.into()),
            response_schema: Some(json!({"type": "object"})),
            after: vec![JobId::generate()],
            on_done: vec!["notify".into()],
            command: vec!["claude".into(), "-p".into()],
        };
        record
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let mut record = full();
        assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
        record.state = State::Running { started_at: 1_700_000_001.0 };
        assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
        record.state = State::Finished(Box::new(Finished {
            started_at: None,
            completed_at: 1_700_000_002.0,
            verdict: Verdict::Failed,
            result: Some(JobResult::failure(record.id, "infra", ErrorType::Lost, "gone")),
            error: Some("gone".into()),
        }));
        assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
    }

    #[test]
    fn every_launch_field_is_known_by_name() {
        let Value::Object(fields) = serde_json::to_value(full().launch).unwrap() else { panic!() };
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, LAUNCH_FIELDS);
    }

    #[test]
    fn unknown_fields_survive_a_rewrite() {
        let mut record = full();
        let mut stored: Value = serde_json::from_slice(&record.to_json()).unwrap();
        stored["later"] = json!({"a": [1]});
        record = Record::from_json(stored.to_string().as_bytes()).unwrap();
        let again: Value = serde_json::from_slice(&record.to_json()).unwrap();
        assert_eq!(again["later"], json!({"a": [1]}));
    }

    #[test]
    fn a_record_of_the_python_original_is_read() {
        let stored = json!({
            "id": "5f0c9d0e7a3b4c1d8e2f00112233aabb", "agent": "infra", "task": "t", "context": "",
            "caller": null, "goal": "", "status": "done", "created_at": 1.5, "started_at": 2.5,
            "completed_at": 3.5, "error": null, "progress": "Read a.txt", "progress_updated_at": 3.0,
            "result": {"agent": "infra", "success": true, "result": "hi", "session_id": null,
                       "cost_usd": 0.02, "num_turns": 2, "denied_tools": null, "error_type": "something_new"},
        });
        let record = Record::from_json(stored.to_string().as_bytes()).unwrap();
        assert_eq!(record.status(), Status::Done);
        assert!(record.is_foreign());
        let result = record.finished().unwrap().result.as_ref().unwrap();
        assert_eq!((result.result.as_str(), result.cost_usd), ("hi", Some(0.02)));
        assert_eq!(result.error_type, Some(ErrorType::CliError));
        assert_eq!(record.context, None);
    }
}
