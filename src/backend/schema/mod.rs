//! Answers as data: the check of a schema before a run, and of the answer after it.
//!
//! How long a check takes is up to the schema, which any caller can give, and to the answer, which the agent gives: a
//! pattern can backtrack for years, and a schema of 2 KB can ask for 2^30 steps. So `unfolding` refuses what
//! multiplies by its references, and `confined` runs the check in a process of its own with a limit on time and memory.

mod check;
mod confined;
mod unfolding;

use serde_json::Value;

use check::too_deep;
pub use confined::{CHECK_ENTRY, confine_checks, run_check};
use confined::{Question, ask};

use crate::store::{DEEPEST_DATA, is_too_deep};

/// Whether a response schema can be used at all.
///
/// Claude Code silently ignores an invalid schema, and the run is paid for by then, so this comes before it.
///
/// # Errors
///
/// What is wrong with the schema, as a fragment that fits after "the response schema is not valid: ".
pub fn check_schema(schema: &Value) -> Result<(), String> {
    if !schema.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    if is_too_deep(schema) {
        return Err(format!("it nests more than {DEEPEST_DATA} levels deep"));
    }
    unfolding::check(schema)?;
    ask(&Question::Schema { schema: schema.clone() })?.map(drop)
}

/// The answer as data that satisfies the schema: what the CLI returned as structured output, or else what the
/// text holds as JSON.
///
/// # Errors
///
/// Why there is no such data, as a sentence without a full stop.
pub(super) fn parsed(schema: &Value, structured: Option<Value>, text: &str) -> Result<Value, String> {
    if structured.as_ref().is_some_and(is_too_deep) {
        return Err(too_deep());
    }
    let question = Question::Answer { schema: schema.clone(), structured, text: text.to_owned() };
    let checked = ask(&question)
        .map_err(|why| format!("the answer could not be checked by the response schema: {why}"))?;
    checked?.ok_or_else(|| "the answer could not be checked by the response schema".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
    }

    #[test]
    fn a_schema_is_checked_before_the_run() {
        assert_eq!(check_schema(&schema()), Ok(()));
        assert_eq!(check_schema(&json!({})), Ok(()));
        for bad in [
            json!(true),
            json!([]),
            json!("object"),
            json!({"type": "objekt"}),
            json!({"properties": []}),
            json!({"pattern": "("}),
            json!({"$ref": "#/$defs/missing"}),
            json!({"$ref": "https://example.invalid/schema.json"}),
        ] {
            let error = check_schema(&bad).expect_err(&bad.to_string());
            assert!(!error.is_empty() && error.len() < 500, "{error}");
        }
    }

    #[test]
    fn structured_output_comes_before_the_text() {
        assert_eq!(parsed(&schema(), Some(json!({"n": 1})), "{\"n\": 2}"), Ok(json!({"n": 1})));
        assert_eq!(parsed(&schema(), Some(json!({"n": "x"})), "{\"n\": 2}"), Ok(json!({"n": 2})));
    }

    #[test]
    fn json_is_found_in_a_text() {
        for text in [
            "{\"n\": 7}",
            "\n {\"n\": 7}\n",
            "Here it is:\n```json\n{\"n\": 7}\n```\nSTATUS: done",
            "```\n{\"n\": 7}\n```",
            "First ```{\"m\": 1}``` then\n```json\n{\"n\": 7}\n```",
            "The answer is {\"n\": 7}.\nSTATUS: done",
        ] {
            assert_eq!(parsed(&schema(), None, text), Ok(json!({"n": 7})), "{text}");
        }
        assert_eq!(parsed(&json!({"type": "array"}), None, "so: [1, 2]"), Ok(json!([1, 2])));
    }

    #[test]
    fn what_nests_too_deep_for_a_record_is_refused_for_that_reason() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let value = |levels| serde_json::from_str::<Value>(&nested(levels)).unwrap();
        assert_eq!(parsed(&json!({}), None, &nested(DEEPEST_DATA)), Ok(value(DEEPEST_DATA)));
        for levels in [101, 124, 126, 127, 128, 200, 100_000] {
            let text = format!("Here it is:\n```json\n{}\n```", nested(levels));
            for text in [&nested(levels), &text] {
                let error = parsed(&json!({}), None, text).unwrap_err();
                assert!(error.contains("more than 100 levels deep"), "{levels}: {error}");
            }
        }
        for levels in [101, 126] {
            let error = parsed(&json!({}), Some(value(levels)), "{}").unwrap_err();
            assert!(error.contains("more than 100 levels deep"), "{levels}: {error}");
            let error = check_schema(&json!({ "const": value(levels - 1) })).unwrap_err();
            assert!(error.contains("more than 100 levels deep"), "{levels}: {error}");
        }
        // Brackets in a text are no data.
        let error = parsed(&json!({}), None, &"[".repeat(1_000)).unwrap_err();
        assert!(error.contains("not JSON"), "{error}");
    }

    #[test]
    fn an_answer_without_valid_json_says_why() {
        let not_json = parsed(&schema(), None, "I could not do it {").unwrap_err();
        assert!(not_json.contains("not JSON"), "{not_json}");
        let invalid = parsed(&schema(), None, "{\"n\": \"many\"}").unwrap_err();
        assert!(invalid.contains("at /n") && invalid.contains("integer"), "{invalid}");
        assert!(!invalid.contains("many"), "the value is repeated: {invalid}");
        assert!(parsed(&schema(), None, "").is_err());
    }
}
