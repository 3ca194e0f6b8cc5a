//! `run --json` and `--jsonl`: what programs read.

use serde_json::{Value, json};

use test_support::dispatch::{self, AGENT, with_agent};

fn assert_no_nulls(value: &Value) {
    match value {
        Value::Null => panic!("a null"),
        Value::Array(values) => values.iter().for_each(assert_no_nulls),
        Value::Object(fields) => fields.values().for_each(assert_no_nulls),
        _ => {}
    }
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_success_has_these_fields_and_no_others() {
    let environment = with_agent();
    let output = dispatch::run_json(&environment, "fake: answer hi\nfake: status partial").expect_code(0);
    let result = output.json();
    let expected = [
        "job_id",
        "agent",
        "success",
        "result",
        "outcome",
        "session_id",
        "cost_usd",
        "duration_ms",
        "num_turns",
        "model",
        "usage",
    ];
    assert_eq!(fields(&result), expected);
    assert_no_nulls(&result);
    let record = environment.only_record();
    assert_eq!(result["job_id"], record["id"]);
    assert_eq!(result["session_id"], record["session_id"]);
    assert_eq!(result["result"], "hi\nSTATUS: partial");
    for (field, value) in [
        ("agent", json!("infra")),
        ("success", json!(true)),
        ("outcome", json!("partial")),
        ("cost_usd", json!(0.0125)),
        ("num_turns", json!(1)),
        ("model", json!("claude-fake-1")),
    ] {
        assert_eq!(result[field], value, "{field}");
    }
    assert_eq!(output.stdout.lines().count(), 1, "one document, one line");
    assert_eq!(record["result"], result, "the record says the same");
}

#[test]
fn a_failure_says_what_kind_it_is_and_what_to_do() {
    let environment = with_agent();
    let output = dispatch::run_json(&environment, "fake: is-error 401 Invalid API key").expect_code(8);
    let result = output.json();
    assert_no_nulls(&result);
    assert_eq!((&result["success"], &result["error_type"]), (&json!(false), &json!("auth")));
    assert_eq!(result["result"], "");
    for field in ["error", "hint"] {
        let text = result[field].as_str().unwrap();
        assert!(!text.is_empty());
        assert!(output.stderr.contains(text), "{field} is on stderr as well: {}", output.stderr);
    }
    assert!(output.stderr.contains("error: infra: the API refused the credentials: Invalid API key\n"));
}

#[test]
fn denied_tools_and_a_spent_budget_are_fields_of_their_own() {
    let environment = with_agent();
    let denied = dispatch::run_json(&environment, "fake: denied Bash,Write").expect_code(0).json();
    assert_eq!(denied["denied_tools"], json!(["Bash", "Write"]));
    assert_eq!(denied["success"], true);
    let spent = environment.command(["run", AGENT, "--json", "--max-budget-usd=0.01", "fake: budget"]);
    let spent = spent.run().expect_code(5).json();
    assert_eq!((&spent["budget_exceeded"], &spent["error_type"]), (&json!(true), &json!("budget")));
}

#[test]
fn a_denied_tool_is_one_word_of_the_proposed_command_whatever_its_name() {
    let environment = with_agent();
    let denied = dispatch::run_json(&environment, "fake: denied Bash,x;id").expect_code(0).json();
    let command = format!("`agent-dispatch agents update {AGENT} --allowed-tools 'Bash,x;id'`");
    assert!(denied["hint"].as_str().is_some_and(|hint| hint.contains(&command)), "{denied}");
}

#[test]
fn a_stream_of_lines_ends_with_the_result() {
    let environment = with_agent();
    let task =
        "fake: text thinking aloud\nfake: tool Bash ls\nfake: retry server_error 500 1\nfake: answer hi";
    let output = environment.command(["run", AGENT, "--jsonl", task]).run().expect_code(0);
    let events: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.iter().for_each(assert_no_nulls);
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["started", "text", "tool_call", "tool_result", "retry", "text", "result", "finished"]);
    assert_eq!((&events[2]["name"], &events[2]["summary"]), (&json!("Bash"), &json!("ls")));
    let finished = events.last().unwrap();
    assert_eq!(finished["result"], environment.only_record()["result"]);
}

#[test]
fn the_stream_is_live() {
    let environment = with_agent();
    let running = dispatch::run_endless(&environment, &["--jsonl"]);
    running.wait_for_stdout("\"working\"");
    assert!(!running.stdout().contains("finished"));
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    let last = output.events().pop().unwrap();
    assert_eq!((&last["event"], &last["result"]["error_type"]), (&json!("finished"), &json!("cancelled")));
}

#[test]
fn a_failed_stream_ends_with_the_result_too() {
    let environment = with_agent();
    let output = environment.command(["run", AGENT, "--jsonl", "fake: nothing"]).run().expect_code(1);
    let events = output.events();
    assert_eq!(events.len(), 1, "{}", output.stdout);
    assert_eq!(events[0]["event"], "finished");
    assert_eq!(events[0]["result"]["error_type"], "incomplete");
}
