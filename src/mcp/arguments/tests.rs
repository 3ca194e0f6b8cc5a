use super::*;
use serde_json::json;

fn arguments(fields: Value) -> Arguments {
    let Value::Object(fields) = fields else { panic!("an object") };
    Arguments::new("dispatch", fields)
}

fn refusal(fields: Value) -> String {
    let mut arguments = arguments(fields);
    let read =
        request(&mut arguments).and_then(|_| Manner::read(&mut arguments)).and_then(|_| arguments.end());
    read.expect_err("it is refused").message().to_owned()
}

#[test]
fn an_unknown_argument_is_named_with_the_one_that_was_meant() {
    let text = refusal(json!({"agent": "infra", "task": "look", "timeout": 5}));
    assert!(
        text.starts_with("dispatch: there is no argument timeout; did you mean timeout_seconds?"),
        "{text}"
    );
    let text = refusal(json!({"agent": "infra", "task": "look", "xyz": 5}));
    assert!(
        text.contains("there is no argument xyz. The arguments are agent, task, response_schema"),
        "{text}"
    );
}

#[test]
fn a_wrong_value_is_named_with_what_it_must_be() {
    for (fields, message) in [
        (json!({"task": "x"}), "dispatch: agent is missing"),
        (json!({"agnt": "a"}), "dispatch: there is no argument agnt; did you mean agent?"),
        (json!({"agent": "a", "task": ["x"]}), "dispatch: task must be a string, not [\"x\"]"),
        (json!({"agent": "a", "task": " "}), "dispatch: the task is empty"),
        (
            json!({"agent": "a", "task": "x", "timeout_seconds": "5"}),
            "dispatch: timeout_seconds must be a number, not \"5\"",
        ),
        (
            json!({"agent": "a", "task": "x", "timeout_seconds": -1}),
            "dispatch: timeout_seconds: '-1' is not a time limit: it must be above zero",
        ),
        (
            json!({"agent": "a", "task": "x", "wait_seconds": -1}),
            "dispatch: wait_seconds must be a number from 0 to 86400",
        ),
        (
            json!({"agent": "a", "task": "x", "response_schema": true}),
            "dispatch: response_schema must be a JSON Schema object, not true",
        ),
    ] {
        assert_eq!(refusal(fields), message);
    }
}

#[test]
fn null_is_as_good_as_nothing() {
    let mut arguments = arguments(json!({"agent": "a", "task": "x", "context": null, "wait_seconds": null}));
    let request = request(&mut arguments).expect("a request");
    assert_eq!(request.context, None);
    assert!(!Manner::read(&mut arguments).expect("a manner").background);
    arguments.end().expect("nothing is left");
}
