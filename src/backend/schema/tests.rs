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
fn an_answer_without_valid_json_says_why() {
    let not_json = parsed(&schema(), None, "I could not do it {").unwrap_err();
    assert!(not_json.contains("not JSON"), "{not_json}");
    let invalid = parsed(&schema(), None, "{\"n\": \"many\"}").unwrap_err();
    assert!(invalid.contains("at /n") && invalid.contains("integer"), "{invalid}");
    assert!(!invalid.contains("many"), "the value is repeated: {invalid}");
    assert!(parsed(&schema(), None, "").is_err());
}
