//! `--json-schema`: answers as data.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use test_support::dispatch::{AGENT, with_agent};
use test_support::{Output, TestEnvironment};

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

#[test]
fn an_answer_that_nests_deeper_than_a_record_can_is_told_and_its_record_stays_whole() {
    let environment = TestEnvironment::new();
    let any = schema(&environment, "{}");
    for levels in [100, 101, 126, 127, 128, 5_000] {
        let answer = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let file = environment.root().join(format!("{levels}.json"));
        fs::write(&file, &answer).expect("a file");
        let name = format!("deep-{levels}");
        let path = file.to_str().expect("a path");
        environment.project_with(&name, &format!("backend: command\ncommand: [cat, \"{path}\"]"));
        let code = i32::from(levels > 100);
        let run = environment.command(["run", &name, "x", "--json", "--json-schema"]).arg(&any);
        let result = run.run().expect_code(code).json();
        if levels > 100 {
            let error = result["error"].as_str().expect("an error");
            assert!(error.contains("nests more than 100 levels deep"), "{levels}: {error}");
        }
        assert_eq!(result["result"], answer.as_str());
        let again = environment.command(["result", "latest", "--json"]).run().expect_code(code).json();
        assert_eq!(again["result"], answer.as_str());
    }
    let deep = format!("{{\"const\":{}{}}}", "[".repeat(125), "]".repeat(125));
    let run = environment.command(["run", "deep-100", "x", "--json-schema"]).arg(schema(&environment, &deep));
    let refused = run.run().expect_code(2);
    assert!(refused.stderr.contains("it nests more than 100 levels deep"), "{}", refused.stderr);
}

/// A schema of 2 KB whose check takes 2^30 steps.
fn schema_that_multiplies() -> String {
    let mut definitions = serde_json::Map::new();
    for number in 0..30 {
        let next = serde_json::json!({"$ref": format!("#/$defs/d{}", number + 1)});
        definitions.insert(format!("d{number}"), serde_json::json!({"allOf": [next, next]}));
    }
    definitions.insert("d30".to_owned(), serde_json::json!({"type": "string"}));
    serde_json::json!({"$defs": definitions, "$ref": "#/$defs/d0"}).to_string()
}

#[test]
fn a_schema_whose_references_multiply_is_refused_before_the_run() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let schema = schema(&environment, &schema_that_multiplies());
    let run = environment.command(["run", "infra", "x", "--json-schema"]).arg(&schema).run().expect_code(2);
    assert!(run.stderr.contains("unfold"), "{}", run.stderr);
    assert!(environment.job_ids().is_empty());
}

/// A pattern that backtracks for years on the answer it is given.
const SLOW_PATTERN: &str = r#"{"type": "string", "pattern": "^(?=(a+)+$)(a|a)*\\1b$"}"#;

/// A recursive schema that doubles its work with each level of the answer, which a look at the schema cannot tell.
const DOUBLING: &str = r##"{"$defs": {"d": {"properties": {"a": {"allOf": [{"$ref": "#/$defs/d"}, {"$ref": "#/$defs/d"}]}}}},
    "$ref": "#/$defs/d"}"##;

#[test]
fn a_check_that_would_take_for_ever_ends_as_incomplete_with_the_answer_kept() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let started = std::time::Instant::now();
    let task = format!("fake: answer {deep}");
    let run = environment.command(["run", "infra", &task, "--json", "--json-schema"]);
    let run = run.arg(schema(&environment, DOUBLING));
    let result = run.run().expect_code(1).json();
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(result["error_type"], "incomplete", "{result}");
    assert!(result["error"].as_str().is_some_and(|error| error.contains("more than 2 s")), "{result}");
    assert_eq!(result["result"], deep.as_str());
}

#[test]
fn a_pattern_that_backtracks_ends_as_incomplete() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let task = format!("fake: answer \"{}\"", "a".repeat(5_000));
    let run = environment.command(["run", "infra", &task, "--json", "--json-schema"]);
    let run = run.arg(schema(&environment, SLOW_PATTERN));
    let result = run.run().expect_code(1).json();
    assert_eq!(result["error_type"], "incomplete", "{result}");
}

#[test]
fn recovery_bounds_the_check_as_well_and_nobody_who_looks_is_held_up() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let task = format!("fake: result-then-hang\nfake: answer {deep}");
    let submit =
        environment.command(["submit", "infra", &task, "--json-schema"]).arg(schema(&environment, DOUBLING));
    let id = submit.run().expect_code(0).stdout;
    let output = environment.jobs_directory().join(id.trim()).join("stdout.jsonl");
    test_support::wait_until(std::time::Duration::from_secs(30), "the answer is there", || {
        std::fs::read_to_string(&output).is_ok_and(|output| output.contains("\"result\""))
    });
    environment.kill_supervisor(id.trim());
    let started = std::time::Instant::now();
    environment.command(["wait", id.trim()]).run().expect_code(1);
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    let record = environment.only_record();
    assert_eq!(record["status"], "failed");
    assert_eq!(record["result"]["error_type"], "incomplete", "{record}");
}
