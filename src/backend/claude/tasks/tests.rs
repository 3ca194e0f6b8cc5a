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

/// A turn is over.
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
fn what_nobody_has_seen_the_end_of_was_running() {
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
