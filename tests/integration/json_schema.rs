//! `--json-schema`: answers as data.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::dispatch::{AGENT, with_agent};
use crate::support::{Output, TestEnvironment};

fn schema(environment: &TestEnvironment, content: &str) -> PathBuf {
    let path = environment.root().join("schema.json");
    fs::write(&path, content).expect("a file");
    path
}

fn run(environment: &TestEnvironment, options: &[&str], task: &str) -> Output {
    let content = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;
    let path = schema(environment, content);
    environment
        .command(["run", AGENT, "--json-schema", path.to_str().expect("a path"), task])
        .args(options)
        .run()
}

#[test]
fn the_data_is_printed_instead_of_the_text() {
    let environment = with_agent();
    let output = run(&environment, &[], "fake: structured {\"n\": 7}").expect_code(0);
    assert_eq!(output.stdout, "{\"n\":7}\n");
    let result = run(&environment, &["--json"], "fake: structured {\"n\": 7}").expect_code(0).json();
    assert_eq!(result["parsed_result"], json!({"n": 7}));
    let again = environment.command(["result", "latest"]).run().expect_code(0);
    assert_eq!(again.stdout, "{\"n\":7}\n");
}

#[test]
fn the_schema_reaches_the_agent_in_one_argument() {
    let environment = with_agent();
    let task = "fake: structured {\"n\": 1}\nfake: echo-args";
    let result = run(&environment, &["--json"], task).expect_code(0).json();
    let answer = result["result"].as_str().unwrap();
    let argument = answer.lines().find_map(|line| line.strip_prefix("--json-schema=")).expect("a schema");
    assert_eq!(serde_json::from_str::<serde_json::Value>(argument).unwrap()["required"], json!(["n"]));
}

#[test]
fn the_data_of_an_earlier_result_is_kept() {
    let environment = with_agent();
    let output = run(&environment, &[], "fake: structured {\"n\": 7}\nfake: results 2").expect_code(0);
    assert_eq!(output.stdout, "{\"n\":7}\n");
}

#[test]
fn data_is_found_in_a_text_as_well() {
    let environment = with_agent();
    let task = "fake: answer Here:\\n```json\\n{\"n\": 8}\\n```\nfake: status done";
    assert_eq!(run(&environment, &[], task).expect_code(0).stdout, "{\"n\":8}\n");
}

#[test]
fn an_answer_against_the_schema_is_a_failure_that_keeps_the_text() {
    let environment = with_agent();
    let output = run(&environment, &["--json"], "fake: structured {\"n\": \"many\"}").expect_code(1);
    let result = output.json();
    assert_eq!(result["error_type"], "incomplete");
    let error = result["error"].as_str().unwrap();
    assert!(error.starts_with("the answer does not satisfy the response schema: at /n: "), "{error}");
    assert_eq!(result["result"], "{\"n\": \"many\"}");
    assert_eq!(result.get("parsed_result"), None);

    let text = run(&environment, &[], "fake: answer I would rather not").expect_code(1);
    assert_eq!(text.stdout, "I would rather not\n");
    let expected = "error: infra: the answer is not JSON, but a response schema was given\n";
    assert!(text.stderr.contains(expected), "{}", text.stderr);
}

#[test]
fn a_schema_that_is_none_is_refused_before_there_is_a_job() {
    let environment = with_agent();
    for (content, complaint) in [
        ("{\"type\": \"objekt\"}", "error: the JSON Schema for the answer is not valid: "),
        ("[1]", "error: the JSON Schema for the answer is not valid: it is not a JSON object\n"),
        (
            "{\"$ref\": \"https://example.com/a.json\"}",
            ": it refers to https://example.com/a.json, and nothing is fetched: put that under $defs",
        ),
        ("{\"type\": ", "schema.json is not JSON: "),
        ("", "schema.json is not JSON: "),
    ] {
        let path = schema(&environment, content);
        let output = environment.command(["run", AGENT, "--json-schema", path.to_str().unwrap(), "x"]).run();
        let output = output.expect_code(2);
        assert!(output.stderr.contains(complaint), "{content}: {}", output.stderr);
    }
    let missing =
        environment.command(["run", AGENT, "--json-schema", "missing.json", "x"]).run().expect_code(3);
    assert!(missing.stderr.starts_with("error: failed to open missing.json: "), "{}", missing.stderr);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn a_schema_that_no_argument_can_hold_is_refused() {
    let environment = with_agent();
    let path = schema(&environment, &json!({"description": "x".repeat(200_000)}).to_string());
    let output = environment.command(["run", AGENT, "--json-schema", path.to_str().unwrap(), "x"]).run();
    let output = output.expect_code(2);
    assert!(output.stderr.contains("the response schema has "), "{}", output.stderr);
    assert!(environment.job_ids().is_empty());
}
