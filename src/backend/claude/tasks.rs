//! What goes on beside the agent's own work: commands in the background, other agents.
//!
//! As 2.1.197 and 2.1.332 have it: `task_started` names a task and its kind; `task_updated` and `task_notification` tell its
//! end (`completed`, `failed`, `killed`, `stopped`); 2.1.332 also lists what goes on in the background whenever that
//! changes. A command in the foreground is told of, too, when it takes longer than 3 s. What Claude Code stops at its own
//! end it tells with the same words as what the agent stops by a tool: only what comes before and after tells them apart.

use serde_json::Value;

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

/// A field that holds a text which is not empty.
pub(super) fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn started(id: &str, kind: &str) -> Value {
        json!({"subtype": "task_started", "task_id": id, "task_type": kind, "description": format!("what {id} does")})
    }

    fn updated(id: &str, status: &str) -> Value {
        json!({"subtype": "task_updated", "task_id": id, "patch": {"status": status, "end_time": 1}})
    }

    fn notified(id: &str, status: &str) -> Value {
        json!({"subtype": "task_notification", "task_id": id, "status": status, "summary": "x"})
    }

    fn listed(tasks: &[&str]) -> Value {
        let tasks: Vec<Value> = tasks.iter().map(|id| started(id, "local_bash")).collect();
        json!({"subtype": "background_tasks_changed", "tasks": tasks})
    }

    /// The agent says something.
    fn acts() -> Value {
        json!("acts")
    }

    /// A turn has finished.
    fn result() -> Value {
        json!("result")
    }

    /// What is unfinished after these events, as `id state`.
    fn unfinished(events: &[Value]) -> Vec<String> {
        let mut tasks = Tasks::default();
        for event in events {
            match (event.as_str(), event["subtype"].as_str()) {
                (Some("acts"), _) => tasks.agent_acts(),
                (Some(_), _) => tasks.turn_ends(),
                (None, Some("background_tasks_changed")) => match background(event) {
                    EventKind::Background { tasks: now } => tasks.listed(now),
                    other => panic!("{other:?}"),
                },
                (None, subtype) => tasks.observe(task(subtype.unwrap(), event).expect("news")),
            }
        }
        let told = tasks.unfinished().into_iter();
        told.map(|task| format!("{} {:?} {:?}", task.what, task.kind, task.state)).collect()
    }

    #[test]
    fn what_has_ended_is_not_unfinished_whichever_way_that_is_told() {
        for status in ["completed", "failed"] {
            let told = [acts(), started("b", "local_bash"), notified("b", status), acts(), result()];
            assert_eq!(unfinished(&told), [""; 0], "a command in the foreground");
            let told = [acts(), started("b", "local_bash"), acts(), result(), updated("b", status)];
            assert_eq!(unfinished(&told), [""; 0], "2.1.197 tells it after the result");
        }
        let told = [acts(), listed(&["b"]), started("b", "local_bash"), acts(), result(), listed(&[])];
        assert_eq!(unfinished(&told), [""; 0], "2.1.332 lists what goes on");
    }

    #[test]
    fn what_is_stopped_after_the_agents_last_word_is_unfinished() {
        let both = [updated("b", "killed"), notified("b", "stopped"), listed(&[])];
        let stopped = ["what b does Command Stopped"];
        let before = [acts(), listed(&["b"]), started("b", "local_bash"), acts()];
        let after_result = [&before[..], &[result()], &both].concat();
        assert_eq!(unfinished(&after_result), stopped);
        // 2.1.332 stops agents before it prints the result that it held back.
        let before_result = [&before[..], &both, &[result()]].concat();
        assert_eq!(unfinished(&before_result), stopped);
        // At its own limit of ten minutes it stops a command and asks the model once more.
        let and_another_turn = [&after_result[..], &[acts(), result()]].concat();
        assert_eq!(unfinished(&and_another_turn), stopped);
        let agent = [acts(), started("a", "local_agent"), acts(), notified("a", "stopped"), result()];
        assert_eq!(unfinished(&agent), ["what a does Agent Stopped"]);
    }

    #[test]
    fn what_the_agent_itself_stops_is_finished() {
        let told = [
            acts(),
            listed(&["b"]),
            started("b", "local_bash"),
            acts(),
            updated("b", "killed"),
            notified("b", "stopped"),
            listed(&[]),
            acts(),
            result(),
        ];
        assert_eq!(unfinished(&told), [""; 0]);
    }

    #[test]
    fn what_has_no_end_in_the_stream_was_running() {
        let told = [acts(), started("a", "local_agent"), started("b", "local_bash"), acts(), result()];
        let running = ["what a does Agent Running", "what b does Command Running"];
        assert_eq!(unfinished(&told), running);
        // One that begins again goes on.
        let again = [&told[..], &[notified("a", "completed"), started("a", "local_agent"), acts()]].concat();
        assert_eq!(unfinished(&again).len(), 2);
    }

    #[test]
    fn news_without_a_meaning_are_none() {
        for (subtype, event) in [
            ("task_updated", json!({"task_id": "b", "patch": {"is_backgrounded": true}})),
            ("task_updated", json!({"task_id": "b", "patch": 5})),
            ("task_notification", json!({"task_id": "b", "status": "dreaming"})),
            ("task_started", json!({"task_id": 5})),
        ] {
            assert_eq!(task(subtype, &event), None, "{event}");
        }
        assert_eq!(unfinished(&[notified("b", "stopped")]), [""; 0]);
        assert_eq!(background(&json!({"tasks": "none"})), EventKind::Background { tasks: Vec::new() });
    }
}
