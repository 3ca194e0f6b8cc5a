//! What a caller asks for.

use serde_json::Value;

use crate::backend::PROMPT_LIMIT_BYTES;
use crate::config::{BudgetUsd, Timeout};
use crate::store::JobId;

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
    #[error("the task has {bytes} bytes; agents take at most {PROMPT_LIMIT_BYTES}")]
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
        } else if text.len() > PROMPT_LIMIT_BYTES {
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

/// A dispatch somebody asks for. What is `None` is taken from the agent's configuration.
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
}

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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_something_in_it_and_is_not_too_long() {
        assert_eq!(Task::new(" \n\t"), Err(TaskError::Empty));
        assert_eq!(Task::new("x").unwrap().as_str(), "x");
        assert!(Task::new("x".repeat(PROMPT_LIMIT_BYTES)).is_ok());
        let bytes = PROMPT_LIMIT_BYTES + 1;
        assert_eq!(Task::new("x".repeat(bytes)), Err(TaskError::TooLong { bytes }));
    }
}
