//! An answer of any length passes whole, and nobody holds it in memory as a whole.

use std::time::Duration;

use serde_json::Value;

use test_support::TestEnvironment;

/// Longer than what stands in a record.
const BYTES: usize = 12_000_000;

/// What the fake agent answers when asked for `answer-bytes`: checked by length and ends.
fn check(answer: &str) {
    assert_eq!(answer.trim_end().len(), BYTES);
}

#[test]
fn a_long_answer_passes_whole_by_every_way_out() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let task = format!("fake: answer-bytes {BYTES}");
    let run = environment.command(["run", "infra", &task]).deadline(Duration::from_secs(120)).run();
    check(&run.expect_code(0).stdout);
    let record = environment.only_record();
    assert_eq!(record["result"]["result"], "");
    let id = record["id"].as_str().expect("an id");
    let json = environment.command(["result", id, "--json"]).run().expect_code(0).json();
    check(json["result"].as_str().expect("a text"));
    assert_eq!(json.get("answer_file"), None);
    let waited = environment.command(["wait", id, "--json"]).run().expect_code(0).json();
    check(waited[0]["result"].as_str().expect("a text"));
    let offset = (BYTES - 5).to_string();
    let end = environment.command(["result", id, "--offset", &offset]).run().expect_code(0);
    assert_eq!(end.stdout.trim_end().len(), 5);
}

#[test]
fn a_plain_programs_long_answer_passes_whole() {
    let environment = TestEnvironment::new();
    environment.project_with("plain", "backend: command\ncommand: [head, -c, '12000000', /dev/zero]");
    let output = environment.command(["run", "plain", "go", "--json"]).run().expect_code(0);
    let result: Value = output.json();
    assert_eq!(result["result"].as_str().expect("a text").len(), BYTES);
}

#[test]
fn an_agent_that_puts_a_fifo_in_the_place_of_its_output_only_loses_its_answer() {
    let environment = TestEnvironment::new();
    let script =
        "cd \"$AGENT_DISPATCH_JOBS_DIR/$AGENT_DISPATCH_JOB\" && rm -f stdout.jsonl && mkfifo stdout.jsonl";
    environment.project_with("plain", &format!("backend: command\ncommand: [sh, -c, '{script}']"));
    let output = environment.command(["run", "plain", "go"]).run().expect_code(1);
    assert!(output.stderr.contains("could not be read"), "{}", output.stderr);
}
