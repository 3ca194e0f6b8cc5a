//! How deep the data in a record may nest: what is written must be read again, and a reader of JSON gives up at 128
//! levels to spare its stack.

use serde_json::Value;

/// How many levels the data of others may have that goes into a record: the schema of an answer, an answer as data, the
/// counts of an agent CLI. The record, and what shows it to a program, puts a few around them.
pub const DEEPEST_DATA: usize = 100;

/// Whether a value has more levels than a record may have of it.
pub fn is_too_deep(value: &Value) -> bool {
    exceeds(value, DEEPEST_DATA)
}

/// Looks no further down than it must: what is too deep costs no stack.
fn exceeds(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return matches!(value, Value::Array(_) | Value::Object(_));
    };
    match value {
        Value::Array(items) => items.iter().any(|item| exceeds(item, below)),
        Value::Object(fields) => fields.values().any(|field| exceeds(field, below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;
    use crate::store::{Finished, JobResult, Record, State, Verdict};

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::from(1), |inner, level| {
            if level % 2 == 0 { Value::from(vec![inner]) } else { serde_json::json!({ "a": inner }) }
        })
    }

    #[test]
    fn what_is_as_deep_as_it_may_be_is_read_from_a_record_again() {
        assert!(!is_too_deep(&nested(DEEPEST_DATA)) && is_too_deep(&nested(DEEPEST_DATA + 1)));
        assert!(!is_too_deep(&Value::Null));
        let mut record = Record::pending(JobId::generate(), "infra", "look", 1.0);
        record.launch.response_schema = Some(nested(DEEPEST_DATA));
        let mut result = JobResult::answer(record.id, "infra", "");
        (result.usage, result.parsed_result) = (Some(nested(DEEPEST_DATA)), Some(nested(DEEPEST_DATA)));
        record.state = State::Finished(Box::new(Finished {
            started_at: None,
            completed_at: 2.0,
            verdict: Verdict::Done,
            result: Some(result),
            error: None,
        }));
        assert_eq!(Record::from_json(&record.to_json()).expect("it can be read"), record);
    }
}
