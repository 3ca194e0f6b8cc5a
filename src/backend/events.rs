//! What an agent does while it runs, in terms that do not depend on which program it is.

use serde::Serialize;
use serde_json::Value;

use crate::store::WorkKind;

/// How much of a text that is shown only in passing is kept, in characters.
pub(super) const PASSING_TEXT: usize = 2_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What it was.
    #[serde(flatten)]
    pub kind: EventKind,
    /// Whether a subagent did it, not the agent itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subagent: bool,
    /// The model's message it belongs to: one message makes several events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The model that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The agent is ready to work. One run may start several times.
    Started(Started),
    /// The agent says something.
    Text {
        /// What it says.
        text: String,
    },
    /// The agent CLI put a text in the place where the model's would be: an error, as a rule.
    Synthetic {
        /// The kind of error, in the CLI's words: `authentication_failed`, `rate_limit`, `server_error`, …
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// The message.
        text: String,
    },
    /// The agent thinks.
    Thinking,
    /// The agent uses a tool.
    ToolCall {
        /// The tool's name.
        name: String,
        /// What it is used for, in one short line.
        summary: String,
    },
    /// A tool came back.
    ToolResult {
        /// Whether it failed.
        is_error: bool,
        /// The beginning of what it said.
        text: String,
    },
    /// A request to the API failed and is going to be repeated.
    Retry {
        /// Which attempt failed, from 1.
        attempt: u64,
        /// How many there will be.
        max: u64,
        /// The HTTP status, if there was an answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u64>,
        /// The kind of error, in the CLI's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// The pause before the next attempt, in milliseconds.
        delay_ms: u64,
    },
    /// Something that goes on beside the agent's own work began, or came to its end.
    Task(Task),
    /// All that goes on in the background now: what was there before and is not named has ended.
    Background {
        /// What goes on.
        tasks: Vec<Task>,
    },
    /// A turn has finished.
    Result(Box<TurnResult>),
    /// An event without effect here.
    Other {
        /// Its type, and its subtype after a slash.
        name: String,
    },
    /// Output that is no event.
    Unparsed {
        /// How it begins.
        text: String,
    },
    /// Output longer than a follower reads.
    Oversized {
        /// Where in the output it starts, in bytes.
        offset: u64,
        /// Its length, in bytes.
        bytes: u64,
    },
}

/// What an agent says when it starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Started {
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The permission mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    /// How many tools it has.
    pub tools: usize,
    /// The MCP servers it knows.
    pub mcp_servers: Vec<McpServer>,
    /// The version of the agent CLI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// An MCP server of an agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct McpServer {
    /// Its name.
    pub name: String,
    /// How it is: `connected`, `failed`, `pending`, …
    pub status: String,
}

/// Something that goes on beside the agent's own work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// What kind of thing it is, where that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<WorkKind>,
    /// What it is, in the agent's words, where that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// How far it is.
    pub state: TaskState,
}

/// How far something is that goes on beside the agent's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It goes on.
    Running,
    /// It came to its end, well or badly.
    Ended,
    /// It was stopped: by the agent itself, or by the agent CLI at its own end.
    Stopped,
}

/// How a turn ended, as the agent CLI reports it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TurnResult {
    /// `success`, or the kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// Whether it is an error. This, not the subtype, decides: an API error has subtype `success`.
    pub is_error: bool,
    /// The HTTP status of an API error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_error_status: Option<u64>,
    /// The answer, or an error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The answer as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_output: Option<Value>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What was spent since the result before this one, or since the run began, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// What the session cost so far, in US dollars: also in earlier runs, when it was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_cost_usd: Option<f64>,
    /// How many turns this result stands for; not cumulative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_turns: Option<u64>,
    /// From start to end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Token counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// The tools that were refused, in order, with repetitions. Their input is left out: it can hold secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_tools: Vec<String>,
    /// Error messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Why the run stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_reason: Option<String>,
}

impl From<EventKind> for Event {
    fn from(kind: EventKind) -> Self {
        Self { kind, subagent: false, message_id: None, model: None }
    }
}
