//! Whatever lies in the place of a record: it is read or refused, and what was read is written back the same.

use agent_dispatch::store::Record;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};

const ID: &str = "0190163d8694739baea5966c26f8ad91";

/// The fields a record knows, and one it does not.
const FIELDS: [&str; 29] = [
    "format",
    "id",
    "agent",
    "task",
    "context",
    "caller",
    "goal",
    "status",
    "created_at",
    "started_at",
    "completed_at",
    "result",
    "error",
    "progress",
    "progress_updated_at",
    "parent",
    "root",
    "depth",
    "group",
    "directory",
    "backend",
    "session_id",
    "resumed",
    "timeout_seconds",
    "max_budget_usd",
    "response_schema",
    "after",
    "command",
    "something_new",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from(ID)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A value that often fits the field.
fn fitting(field: &'static str) -> BoxedStrategy<Value> {
    let fits: BoxedStrategy<Value> = match field {
        "format" => (0..4_u32).prop_map(Value::from).boxed(),
        "id" | "parent" | "root" => Just(Value::from(ID)).boxed(),
        "status" => prop::sample::select(vec!["pending", "running", "done", "failed", "cancelled"])
            .prop_map(Value::from)
            .boxed(),
        "created_at" | "started_at" | "completed_at" | "timeout_seconds" | "max_budget_usd" => {
            (0.0..2e9_f64).prop_map(Value::from).boxed()
        }
        "depth" => any::<u32>().prop_map(Value::from).boxed(),
        "resumed" => any::<bool>().prop_map(Value::from).boxed(),
        "after" => vec(Just(ID), 0..3).prop_map(Value::from).boxed(),
        "command" => vec(".{0,6}", 0..3).prop_map(Value::from).boxed(),
        "result" => result().boxed(),
        "response_schema" | "something_new" | "progress_updated_at" => any_json().boxed(),
        _ => ".{0,20}".prop_map(Value::from).boxed(),
    };
    prop_oneof![30 => fits, 1 => any_json()].boxed()
}

fn result() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "job_id",
        "agent",
        "success",
        "result",
        "outcome",
        "error",
        "error_type",
        "hint",
        "session_id",
        "cost_usd",
        "duration_ms",
        "num_turns",
        "model",
        "usage",
        "parsed_result",
        "denied_tools",
        "budget_exceeded",
        "new",
    ]);
    let value = prop_oneof![
        any_json(),
        Just(Value::from("done")),
        Just(Value::from("lost")),
        Just(Value::from(true)),
        any::<u32>().prop_map(Value::from),
    ];
    let required = |map: Map<String, Value>| {
        let mut whole = serde_json::json!({"job_id": ID, "agent": "infra", "success": true});
        whole.as_object_mut().expect("an object").extend(map);
        whole
    };
    prop::collection::vec((keys, value), 0..5).prop_map(move |pairs| {
        required(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

fn record() -> impl Strategy<Value = Value> {
    let required = (fitting("id"), fitting("agent"), fitting("status"), fitting("created_at"));
    let others = prop::sample::subsequence(FIELDS.to_vec(), 0..FIELDS.len()).prop_flat_map(|fields| {
        fields.into_iter().map(|field| (Just(field), fitting(field))).collect::<Vec<_>>()
    });
    (required, others).prop_map(|((id, agent, status, created_at), others)| {
        let mut map: Map<String, Value> =
            [("id", id), ("agent", agent), ("status", status), ("created_at", created_at)]
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
        map.extend(others.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Value::Object(map)
    })
}

/// Reading, and what must hold when it succeeds. Says whether it did.
fn read(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let Ok(read) = Record::from_json(bytes) else { return Ok(false) };
    let written = read.to_json();
    let again = Record::from_json(&written);
    let again = again.map_err(|error| TestCaseError::fail(format!("{error}: {read:?}")))?;
    prop_assert_eq!(&again, &read);
    prop_assert_eq!(again.to_json(), written);
    prop_assert_eq!(read.finished().is_some(), !matches!(read.status().name(), "pending" | "running"));
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes)?;
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        read(value.to_string().as_bytes())?;
    }

    #[test]
    fn what_looks_like_a_record_is_read_or_refused_and_written_back_the_same(value in record()) {
        read(value.to_string().as_bytes())?;
    }

    #[test]
    fn a_record_that_was_cut_or_hit_by_a_flipped_bit_is_read_or_refused(
        value in record(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
        cut in any::<bool>(),
    ) {
        let mut bytes = value.to_string().into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
            prop_assert!(!read(&bytes)?, "the closing brace is missing");
        } else {
            bytes[at] ^= 1 << bit;
            read(&bytes)?;
        }
    }
}
