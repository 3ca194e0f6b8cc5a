//! What goes on beside the agent's own work: commands in the background, other agents.
//!
//! As 2.1.197 and 2.1.332 have it: `task_started` names a task and its kind; `task_updated` and `task_notification` tell its
//! end (`completed`, `failed`, `killed`, `stopped`); 2.1.332 also lists what goes on in the background whenever that
//! changes. A command in the foreground is told of, too, when it takes longer than 3 s. What Claude Code stops at its own
//! end it tells with the same words as what the agent stops by a tool: only what comes before and after tells them apart.

use serde_json::Value;

use super::stream::string;
use crate::backend::events::{EventKind, Task, TaskState};
use crate::store::{Unfinished, UnfinishedState, WorkKind};
use crate::text::{one_line, redact};

/// How long an id or a description may become, in characters.
const TEXT: usize = 200;

/// How many tasks are kept in mind at once: an agent that starts more has other troubles.
const TASKS_LIMIT: usize = 1_000;

/// How many unfinished ones a result names.
const TOLD_LIMIT: usize = 50;

/// What an event tells about one task; `None` for news that change nothing.
pub(super) fn task(subtype: &str, event: &Value) -> Option<Task> {
    let state = match subtype {
        "task_started" => TaskState::Running,
        "task_updated" => state_of(&string(event.get("patch")?, "status")?)?,
        _ => state_of(&string(event, "status")?)?,
    };
    described(event, state)
}

/// All that goes on in the background.
pub(super) fn background(event: &Value) -> EventKind {
    let tasks = event.get("tasks").and_then(Value::as_array).into_iter().flatten();
    let tasks = tasks.take(TASKS_LIMIT).filter_map(|task| described(task, TaskState::Running));
    EventKind::Background { tasks: tasks.collect() }
}

fn described(event: &Value, state: TaskState) -> Option<Task> {
    let kind = string(event, "task_type").map(|kind| {
        // `local_agent`, `remote_agent`, `in_process_teammate`, `local_workflow`; and `local_bash`, `monitor`, ….
        let is_agent = ["agent", "teammate", "workflow"].iter().any(|word| kind.contains(word));
        if is_agent { WorkKind::Agent } else { WorkKind::Command }
    });
    let what = string(event, "description").map(|what| redact(&one_line(&what, TEXT)));
    Some(Task { id: one_line(&string(event, "task_id")?, TEXT), kind, what, state })
}

fn state_of(status: &str) -> Option<TaskState> {
    Some(match status {
        "killed" | "stopped" => TaskState::Stopped,
        "running" | "pending" => TaskState::Running,
        "completed" | "failed" => TaskState::Ended,
        _ => return None,
    })
}

/// The tasks of a run that have not come to their end.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    open: Vec<Open>,
    /// Whether the agent is at work on a turn.
    in_turn: bool,
}

#[derive(Debug, Clone)]
struct Open {
    id: String,
    kind: WorkKind,
    what: String,
    state: OpenState,
    /// Whether it was on the last list of what goes on in the background.
    listed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenState {
    Running,
    /// Stopped while the agent was at work: if it goes on working, it knows, and most likely wanted it.
    StoppedInTurn,
    /// Stopped when the agent had nothing more to say.
    CutOff,
}

impl Tasks {
    /// The agent itself did something.
    pub(super) fn agent_acts(&mut self) {
        self.in_turn = true;
        self.open.retain(|task| task.state != OpenState::StoppedInTurn);
    }

    /// The agent has ended a turn.
    pub(super) fn turn_ends(&mut self) {
        self.in_turn = false;
        for task in &mut self.open {
            if task.state == OpenState::StoppedInTurn {
                task.state = OpenState::CutOff;
            }
        }
    }

    /// There is news of a task.
    pub(super) fn observe(&mut self, news: Task) {
        let stopped = if self.in_turn { OpenState::StoppedInTurn } else { OpenState::CutOff };
        let state = match news.state {
            TaskState::Ended => return self.open.retain(|task| task.id != news.id),
            TaskState::Running => OpenState::Running,
            TaskState::Stopped => stopped,
        };
        let is_room = self.open.len() < TASKS_LIMIT;
        match self.open.iter_mut().find(|task| task.id == news.id) {
            // The second time it is told that it was stopped, the agent may have ended its turn.
            Some(task) if state != OpenState::Running && task.state != OpenState::Running => {}
            Some(task) => task.state = state,
            // Of a stop whose task is gone already, only the agent itself can have been the cause.
            None if news.kind.is_none() && news.what.is_none() => {}
            None if is_room => self.open.push(Open {
                id: news.id,
                kind: news.kind.unwrap_or(WorkKind::Command),
                what: news.what.unwrap_or_default(),
                state,
                listed: false,
            }),
            None => {}
        }
    }

    /// This, and nothing else, goes on in the background.
    pub(super) fn listed(&mut self, tasks: Vec<Task>) {
        self.open.retain(|task| {
            let is_gone = task.listed && !tasks.iter().any(|listed| listed.id == task.id);
            !(is_gone && task.state == OpenState::Running)
        });
        for task in tasks {
            let id = task.id.clone();
            self.observe(task);
            if let Some(open) = self.open.iter_mut().find(|open| open.id == id) {
                open.listed = true;
            }
        }
    }

    /// What the end of the run cut off.
    pub(super) fn unfinished(&self) -> Vec<Unfinished> {
        let told = self.open.iter().map(|task| Unfinished {
            kind: task.kind,
            what: task.what.clone(),
            state: match task.state {
                OpenState::Running => UnfinishedState::Running,
                OpenState::StoppedInTurn | OpenState::CutOff => UnfinishedState::Stopped,
            },
        });
        told.take(TOLD_LIMIT).collect()
    }
}

#[cfg(test)]
mod tests;
