//! The arguments of the tools as JSON Schemas. A test holds each beside what the tool reads.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::arguments::{MOST_DAYS, MOST_JOBS, settable};
use crate::engine::{RUN_OPTIONS, Request};
use crate::model::Row;

/// A schema of arguments; one that is not in it is refused.
#[expect(clippy::needless_pass_by_value, reason = "a schema is written where it is used")]
fn object(properties: Value, required: &[&str]) -> JsonObject {
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    into_object(schema)
}

pub(super) fn into_object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

pub(super) fn dispatch() -> JsonObject {
    let mut properties = into_object(json!({
        "agent": {"type": "string"},
        "task": {"type": "string", "description": "What to do. The agent sees nothing of this conversation"},
    }));
    for (row, mut schema) in run_options() {
        schema["description"] = row.summary().into();
        properties.insert(row.json.to_owned(), schema);
    }
    properties.append(&mut into_object(json!({
        "background": {"type": "boolean", "description": "Return at once"},
        "wait_seconds": {"type": "number", "minimum": 0, "description": "How long to wait here"},
        "return_ref": {"type": "boolean", "description": "Only the answer's beginning; dispatch_result has the rest"},
        "summary_chars": {"type": "integer", "minimum": 0, "description": "How much of it"},
    })));
    object(properties.into(), &["agent", "task"])
}

pub(super) fn parallel() -> JsonObject {
    let text = || json!({"type": "string"});
    let mut item = into_object(json!({"agent": text(), "task": text()}));
    item.extend(run_options().map(|(row, schema)| (row.json.to_owned(), schema)));
    object(
        json!({
            "dispatches": {"type": "array", "minItems": 1, "items": object(item.into(), &["agent", "task"])},
            "aggregate": text(),
            "background": {"type": "boolean"},
            "wait_seconds": {"type": "number", "minimum": 0},
        }),
        &["dispatches"],
    )
}

/// The options of a run that a client may set, and their schemas.
fn run_options() -> impl Iterator<Item = (&'static Row<Request>, Value)> {
    RUN_OPTIONS.iter().filter(|row| row.mcp).map(|row| (row, row.slot.json_schema()))
}

pub(super) fn dialogue() -> JsonObject {
    object(
        json!({
            "requester": {"type": "string"},
            "responder": {"type": "string"},
            "topic": {"type": "string"},
            "max_rounds": {"type": "integer", "minimum": 1, "maximum": 100},
            "background": {"type": "boolean"},
            "wait_seconds": {"type": "number", "minimum": 0},
        }),
        &["requester", "responder", "topic"],
    )
}

pub(super) fn result() -> JsonObject {
    object(
        json!({
            "job_id": {"type": "string"},
            "wait_seconds": {"type": "number", "minimum": 0, "description": "0: only look"},
            "part": {"enum": ["answer", "log", "stderr"]},
            "offset": {"type": "integer", "minimum": 0},
            "max_chars": {"type": "integer", "minimum": 0},
        }),
        &["job_id"],
    )
}

pub(super) fn jobs() -> JsonObject {
    object(
        json!({
            "status": {"enum": ["pending", "running", "done", "failed", "cancelled"]},
            "agent": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_JOBS},
        }),
        &[],
    )
}

pub(super) fn cancel() -> JsonObject {
    object(json!({"job_id": {"type": "string"}}), &["job_id"])
}

pub(super) fn gc() -> JsonObject {
    object(
        json!({
            "max_age_days": {"type": "number", "minimum": 0, "maximum": MOST_DAYS,
                             "description": "0: all that have finished. Needed unless job_retention_days is set"},
            "dry_run": {"type": "boolean"},
        }),
        &[],
    )
}

pub(super) fn agents() -> JsonObject {
    object(json!({"name": {"type": "string"}, "group": {"type": "string"}}), &[])
}

pub(super) fn configure() -> JsonObject {
    let mut properties = JsonObject::new();
    properties.insert("action".to_owned(), json!({"enum": ["add", "update", "remove"]}));
    properties.insert("name".to_owned(), json!({"type": "string"}));
    properties.extend(settable().map(|row| (row.json.to_owned(), row.slot.json_schema())));
    properties.insert("unset".to_owned(), json!({"type": "array", "items": {"type": "string"}}));
    object(properties.into(), &["action", "name"])
}
