//! What a caller asks for.

use std::str::FromStr;

use serde_json::Value;

use crate::backend::{Backends, LONGEST_TASK_BYTES, Takes, UnknownBackend};
use crate::config::{BudgetUsd, Timeout};
use crate::model::JobId;
use crate::model::{Row, Slot};
use crate::store::{Record, RecordedLimit};

/// A task: text that is not blank and short enough to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task(String);

/// Why a text is no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// There is nothing in it.
    #[error("the task is empty")]
    Empty,
    /// It is longer than an agent takes.
    #[error("the task has {bytes} bytes; agents take at most {LONGEST_TASK_BYTES}")]
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
    },
}

impl Task {
    /// Checks a text.
    pub fn new(text: impl Into<String>) -> Result<Self, TaskError> {
        let text = text.into();
        if text.trim().is_empty() {
            Err(TaskError::Empty)
        } else if text.len() > LONGEST_TASK_BYTES {
            Err(TaskError::TooLong { bytes: text.len() })
        } else {
            Ok(Self(text))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A program and its arguments, to be run when a job has finished. Written as a shell would take it apart, but no shell
/// ever sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDone(Vec<String>);

/// Why a text is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OnDoneError {
    /// There is nothing in it.
    #[error("there is no command in it")]
    Empty,
    /// It cannot be taken apart.
    #[error("a quote is not closed, or it ends with a backslash")]
    Unfinished,
}

impl OnDone {
    /// The program and its arguments; at least the program.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for OnDone {
    type Err = OnDoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = shlex::split(text).ok_or(OnDoneError::Unfinished)?;
        if words.first().is_none_or(String::is_empty) { Err(OnDoneError::Empty) } else { Ok(Self(words)) }
    }
}

/// Why the request of a job cannot be made again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepeatError {
    /// Its task cannot be sent.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// What ran is not known.
    #[error("the request of the job cannot be made again: {0}")]
    Backend(#[from] UnknownBackend),
    /// A limit in its record is none.
    #[error("the job's record has {field}: {value}, which is not a limit")]
    Limit {
        /// The field of the record.
        field: &'static str,
        /// What it has.
        value: String,
    },
}

/// A request for a dispatch. What is `None` is taken from the agent's configuration.
#[derive(Debug, Clone)]
pub struct Request {
    /// The agent's name, as the caller wrote it.
    pub agent: String,
    /// What to do.
    pub task: Task,
    /// Background: error messages, code, what is known.
    pub context: Option<String>,
    /// Who asks.
    pub caller: Option<String>,
    /// What it is for.
    pub goal: Option<String>,
    /// The working set whose shared facts go with the task.
    pub group: Option<String>,
    /// The session to go on with.
    pub session: Option<String>,
    /// The time limit.
    pub timeout: Option<Timeout>,
    /// How long the agent may be silent.
    pub idle_timeout: Option<Timeout>,
    /// Whether to fail rather than to wait when the session or the agent's directory is in use.
    pub fail_if_busy: bool,
    /// The model.
    pub model: Option<String>,
    /// The spend cap.
    pub max_budget_usd: Option<BudgetUsd>,
    /// The JSON Schema the answer must satisfy.
    pub response_schema: Option<Value>,
    /// Jobs to wait for, whose results complete the task.
    pub after: Vec<JobId>,
    /// What to run when the job has finished.
    pub on_done: Option<OnDone>,
}

/// The options of a run: what can be said beside agent and task, on the command line, in a batch and over MCP.
pub static RUN_OPTIONS: &[Row<Request>] = &[
    Row {
        name: "context",
        json: "context",
        doc: "Background for the task: error messages, code, what is known. `--context-file FILE` reads it from a file (`-`: standard input).",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Text(|request, text| request.context = Some(text)),
    },
    Row {
        name: "caller",
        json: "caller",
        doc: "Who asks: your project or role.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Text(|request, text| request.caller = Some(text)),
    },
    Row {
        name: "goal",
        json: "goal",
        doc: "What the task is for.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Text(|request, text| request.goal = Some(text)),
    },
    Row {
        name: "group",
        json: "group",
        doc: "Send the shared facts of this group along. The agent must be a member.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Text(|request, name| request.group = Some(name)),
    },
    Row {
        name: "session",
        json: "session_id",
        doc: "Go on with this session of the agent.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Text(|request, id| request.session = Some(id)),
    },
    Row {
        name: "timeout",
        json: "timeout_seconds",
        doc: "How long the agent may take. Unset: what its config says.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Duration(|request, limit| request.timeout = Some(limit)),
    },
    Row {
        name: "idle_timeout",
        json: "idle_timeout_seconds",
        doc: "How long the agent may be silent. Unset: what its config says.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Duration(|request, limit| request.idle_timeout = Some(limit)),
    },
    Row {
        name: "model",
        json: "model",
        doc: "The model, by the name the agent CLI knows. Unset: what its config says.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Text(|request, model| request.model = Some(model)),
    },
    Row {
        name: "max_budget_usd",
        json: "max_budget_usd",
        doc: "What the run may cost, in US dollars. Unset: what its config says.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Dollars(|request, cap| request.max_budget_usd = Some(cap)),
    },
    Row {
        name: "no_wait",
        json: "no_wait",
        doc: "Fail at once when something the job needs to itself is in use, instead of waiting. That is its session, the directory of an `exclusive` agent, and a place among the jobs of an agent with `max_concurrency`.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Flag(|request, on| request.fail_if_busy = on),
    },
    Row {
        name: "json_schema",
        json: "response_schema",
        doc: "A JSON Schema the answer must satisfy. The answer is then on standard output as JSON, and in `parsed_result`.",
        default: "",
        example: "",
        mcp: true,
        slot: Slot::Object(|request, schema| request.response_schema = Some(schema)),
    },
    Row {
        name: "after",
        json: "",
        doc: "Wait for this job and send its result along. Again for each. Fails when none of them has an answer.",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Other,
    },
    Row {
        name: "on_done",
        json: "",
        doc: "Run this command when the job has finished, however it ends. See [below](#when-a-job-has-finished).",
        default: "",
        example: "",
        mcp: false,
        slot: Slot::Other,
    },
];

impl Request {
    /// The plain request: this agent, this task.
    pub fn new(agent: impl Into<String>, task: Task) -> Self {
        Self {
            agent: agent.into(),
            task,
            context: None,
            caller: None,
            goal: None,
            group: None,
            session: None,
            timeout: None,
            idle_timeout: None,
            fail_if_busy: false,
            model: None,
            max_budget_usd: None,
            response_schema: None,
            after: Vec::new(),
            on_done: None,
        }
    }

    /// The request that a job was made by, for a session of its own, as far as the record tells. What is to be run
    /// after the end is not repeated: a record is data, and nothing in it is executed.
    pub fn again(record: &Record) -> Result<Self, RepeatError> {
        let launch = &record.launch;
        let timeout = |field, limit: &Option<RecordedLimit>| {
            checked(field, limit, |limit| Timeout::new(limit.seconds()?).ok())
        };
        let budget =
            checked("max_budget_usd", &launch.max_budget_usd, |cap| BudgetUsd::new(cap.number()?).ok())?;
        // What its program has no use for was not a condition of the run. A dialogue hands it on to its agents.
        let backend = Backends::of_this_program().of_agent(record)?;
        let takes = backend.map_or(Takes::EVERYTHING, |backend| backend.profile().takes);
        Ok(Self {
            context: record.context.clone(),
            caller: record.caller.clone(),
            goal: record.goal.clone(),
            group: launch.group.clone(),
            timeout: timeout("timeout_seconds", &launch.timeout_seconds)?,
            idle_timeout: timeout("idle_timeout_seconds", &launch.idle_timeout_seconds)?,
            model: launch.model.clone().filter(|_| takes.model),
            max_budget_usd: budget.filter(|_| takes.spend_cap),
            response_schema: launch.response_schema.clone(),
            after: launch.after.clone(),
            ..Self::new(&record.agent, Task::new(&record.task)?)
        })
    }

    /// The request to go on with the conversation of a job under the conditions it was made under. What it was told
    /// then, its agent knows.
    pub fn go_on(record: &Record, session: String, task: Task) -> Result<Self, RepeatError> {
        let (context, goal, group) = (None, None, None);
        let first = Self::again(record)?;
        Ok(Self { task, context, goal, group, session: Some(session), after: Vec::new(), ..first })
    }
}

/// A limit of a record. Where there is one that cannot be, going on without it would be a run without a limit.
fn checked<T>(
    field: &'static str,
    limit: &Option<RecordedLimit>,
    check: impl Fn(&RecordedLimit) -> Option<T>,
) -> Result<Option<T>, RepeatError> {
    let Some(limit) = limit else { return Ok(None) };
    check(limit).map(Some).ok_or_else(|| RepeatError::Limit { field, value: limit.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JobKind;

    #[test]
    fn a_command_is_taken_apart_as_a_shell_would() {
        let words = |text: &str| text.parse::<OnDone>().map(|command| command.words().join("|"));
        assert_eq!(
            words("notify-send 'it is done' \"a b\" c\\ d $HOME;x").unwrap(),
            "notify-send|it is done|a b|c d|$HOME;x"
        );
        assert_eq!(words(" "), Err(OnDoneError::Empty));
        assert_eq!(words("'' x"), Err(OnDoneError::Empty));
        assert_eq!(words("say 'what"), Err(OnDoneError::Unfinished));
    }

    #[test]
    fn a_request_comes_back_from_the_record_it_led_to() {
        let mut record = Record::pending(JobId::generate(), "infra", "look", 1.0);
        record.goal = Some("ship".into());
        record.launch.timeout_seconds = Some(90.5.into());
        record.launch.model = Some("opus".into());
        record.launch.max_budget_usd = Some(0.5.into());
        record.launch.session_id = Some("old".into());
        let request = Request::again(&record).unwrap();
        assert_eq!((request.agent.as_str(), request.task.as_str()), ("infra", "look"));
        assert_eq!(request.timeout.map(Timeout::seconds), Some(90.5));
        assert_eq!((request.goal.as_deref(), request.model.as_deref()), (Some("ship"), Some("opus")));
        assert_eq!(request.session, None);
        let on = Request::go_on(&record, "old".into(), Task::new("more").unwrap()).unwrap();
        assert_eq!((on.session.as_deref(), on.goal, on.task.as_str()), (Some("old"), None, "more"));
        assert_eq!(on.max_budget_usd.map(BudgetUsd::dollars), Some(0.5));
        record.launch.kind = JobKind::agent("command");
        assert_eq!(Request::again(&record).unwrap().max_budget_usd, None);
    }

    #[test]
    fn a_task_has_something_in_it_and_is_not_too_long() {
        assert_eq!(Task::new(" \n\t"), Err(TaskError::Empty));
        assert_eq!(Task::new("x").unwrap().as_str(), "x");
        assert!(Task::new("x".repeat(LONGEST_TASK_BYTES)).is_ok());
        let bytes = LONGEST_TASK_BYTES + 1;
        assert_eq!(Task::new("x".repeat(bytes)), Err(TaskError::TooLong { bytes }));
    }
}
