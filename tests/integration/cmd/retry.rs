//! `retry`: the same request once more.

use serde_json::json;

use test_support::TestEnvironment;
use test_support::dispatch::{AGENT, submit_and_finish, with_agent, with_agent_configured};

#[test]
fn the_same_request_is_made_in_a_new_session() {
    let environment = with_agent();
    environment.configure("groups:\n  shop:\n    shared_context: we sell bread\n    members: [infra]\n");
    let schema = environment.root().join("schema.json");
    std::fs::write(&schema, r#"{"type": "object"}"#).unwrap();
    let first = environment
        .command(["run", AGENT, "fake: echo-prompt\nfake: structured {}", "--json", "--goal", "ship it"])
        .args(["--context", "TypeError", "--caller", "backend", "--group", "shop", "--model", "opus"])
        .args(["--timeout", "90", "--idle-timeout", "80", "--max-budget-usd", "0.5", "--json-schema"])
        .arg(&schema)
        .run()
        .expect_code(0)
        .json();
    let id = first["job_id"].as_str().unwrap();
    let again = environment.command(["retry", id, "--json"]).run().expect_code(0).json();
    assert_ne!(again["job_id"], first["job_id"]);
    let (old, new) = (environment.record(id), environment.record(again["job_id"].as_str().unwrap()));
    assert_ne!(old["session_id"], new["session_id"]);
    for field in [
        "agent",
        "task",
        "context",
        "caller",
        "goal",
        "group",
        "model",
        "timeout_seconds",
        "idle_timeout_seconds",
        "max_budget_usd",
        "response_schema",
    ] {
        assert!(!old[field].is_null() && old[field] == new[field], "{field}: {} {}", old[field], new[field]);
    }
    assert_eq!(first["result"], again["result"], "the agent was told the same");
}

#[test]
fn options_take_the_place_of_what_was_recorded() {
    let environment = with_agent();
    submit_and_finish(&environment, "fake: answer hi");
    let output = environment
        .command(["retry", "latest", "--timeout", "7", "--model", "haiku", "--max-budget-usd", "2"])
        .run()
        .expect_code(0);
    assert_eq!(output.stdout, "hi\n");
    let record = environment.record(&environment.job_ids()[1]);
    assert_eq!(
        (&record["timeout_seconds"], &record["model"], &record["max_budget_usd"]),
        (&json!(7.0), &json!("haiku"), &json!(2.0))
    );
}

#[test]
fn the_exit_code_is_that_of_the_new_job() {
    let environment = with_agent();
    submit_and_finish(&environment, "fake: budget");
    environment.command(["retry", "latest"]).run().expect_code(5);
    environment.command(["retry", "0123"]).run().expect_code(3);
}

#[test]
fn in_the_background_only_the_id_is_printed() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "fake: answer hi");
    let output = environment.command(["retry", &first, "--background"]).run().expect_code(0);
    let id = output.stdout.trim_end();
    assert_eq!(environment.command(["result", id, "--wait"]).run().expect_code(0).stdout, "hi\n");
    environment.command(["retry", &first, "--background", "--detach"]).run().expect_code(2);
}

#[test]
fn a_plain_program_is_not_asked_for_what_it_has_no_use_for() {
    let environment = TestEnvironment::new();
    environment.link("assistant", &test_support::programs::fake_agent());
    environment.project_with("infra", "backend: command\ncommand: [assistant, --plain]\nmax_budget_usd: 1");
    submit_and_finish(&environment, "fake: answer hi");
    let output = environment.command(["retry", "latest"]).run().expect_code(0);
    assert!(!output.stderr.contains("means nothing"), "{}", output.stderr);
}

#[test]
fn a_job_of_the_python_version_is_repeated_with_what_its_record_has() {
    let environment = with_agent_configured("timeout: 50");
    let id = "5f0c9d0e7a3b4c1d8e2f00112233aabb";
    submit_and_finish(&environment, "x");
    let record = json!({"id": id, "agent": AGENT, "task": "fake: answer old", "context": "c", "caller": "",
        "goal": null, "status": "done", "created_at": 1.5, "started_at": 2.5, "completed_at": 3.5,
        "result": {"agent": AGENT, "success": true, "result": "hi"}});
    std::fs::write(environment.jobs_directory().join(format!("{id}.json")), record.to_string()).unwrap();
    assert_eq!(environment.command(["retry", id]).run().expect_code(0).stdout, "old\n");
    let ids = environment.job_ids();
    let new = ids
        .iter()
        .map(|id| environment.record(id))
        .find(|job| job["task"] == "fake: answer old" && job["format"] == 2);
    assert_eq!(new.unwrap()["timeout_seconds"], json!(50.0), "the agent's own limit");
}

#[test]
fn a_dialogue_is_not_repeated_as_a_task_of_one_agent() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "x");
    let mut record = environment.record(&id);
    record["backend"] = json!("dialogue");
    record["command"] = json!([]);
    std::fs::write(environment.jobs_directory().join(format!("{id}.json")), record.to_string()).unwrap();
    let output = environment.command(["retry", &id]).run().expect_code(2);
    assert!(
        output.stderr.contains("hint: have it once more with `agent-dispatch dialogue "),
        "{}",
        output.stderr
    );
    assert_eq!(environment.job_ids().len(), 1);
}
