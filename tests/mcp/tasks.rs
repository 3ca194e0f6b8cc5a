//! MCP's tasks: a dispatch as a task whose id is the job's, for requests that say they can take one.

use serde_json::{Value, json};

use crate::scene::{self, ENDLESS, task, task_with, with_agent};
use test_support::mcp::{Called, Era, McpClient};
use test_support::{PATIENCE, TestEnvironment, quoted, wait_until};

fn capabilities() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/tasks": {}}})
}

/// A client whose requests all declare it.
fn with_tasks(environment: &TestEnvironment) -> McpClient {
    let mut client = McpClient::spawn(environment, [""; 0]);
    client.be_stateless("test", capabilities());
    client
}

fn get(client: &mut McpClient, id: &str) -> Value {
    client.ask("tasks/get", json!({"taskId": id}))
}

#[test]
fn a_dispatch_is_a_task_whose_id_is_the_jobs_and_ends_with_the_calls_result() {
    let environment = with_agent();
    let mut client = with_tasks(&environment);
    let gate = environment.root().join("go");
    let steps = format!("fake: shell until [ -e {} ]; do sleep 0.01; done; echo through", quoted(&gate));
    let created = client.ask("tools/call", json!({"name": "dispatch", "arguments": task(&steps)}));
    assert_eq!(created["resultType"], "task", "{created}");
    let id = created["taskId"].as_str().expect("an id").to_owned();
    assert_eq!(environment.job_ids(), [id.as_str()]);
    assert_eq!(created["status"], "working");
    assert!(created["pollIntervalMs"].as_u64().is_some_and(|millis| millis <= 5_000), "{created}");
    assert!(created["createdAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{created}");

    let working = get(&mut client, &id);
    assert_eq!((&working["taskId"], &working["status"]), (&json!(id), &json!("working")));
    std::fs::write(gate, "").expect("the gate");
    let mut completed = Value::Null;
    wait_until(PATIENCE, "the task is completed", || {
        completed = get(&mut client, &id);
        completed["status"] == "completed"
    });
    let called = Called::read(&completed["result"]).expect_success();
    assert!(called.field("result").starts_with("through"), "{completed}");
    // The same as a call that waits for it.
    assert_eq!(client.call("dispatch_result", json!({"job_id": id})), called);
}

#[test]
fn a_run_that_failed_is_a_completed_task_with_an_error_as_its_result() {
    let environment = with_agent();
    let mut client = with_tasks(&environment);
    let created = client.ask("tools/call", json!({"name": "dispatch", "arguments": task("fake: exit 3")}));
    let id = created["taskId"].as_str().expect("an id").to_owned();
    let mut completed = Value::Null;
    wait_until(PATIENCE, "the task is completed", || {
        completed = get(&mut client, &id);
        completed["status"] == "completed"
    });
    let called = Called::read(&completed["result"]).expect_error();
    assert_eq!(called.field("error_type"), "cli_error");
}

#[test]
fn a_cancelled_task_is_a_stopped_job() {
    let environment = with_agent();
    let mut client = with_tasks(&environment);
    let created = client.ask("tools/call", json!({"name": "dispatch", "arguments": task(ENDLESS)}));
    let id = created["taskId"].as_str().expect("an id").to_owned();
    scene::wait_for_status(&environment, &id, "running");
    client.ask("tasks/cancel", json!({"taskId": id}));
    scene::wait_for_status(&environment, &id, "cancelled");
    assert_eq!(get(&mut client, &id)["status"], "cancelled");
    environment.assert_nothing_running_but(&[client.pid()]);
    // It has finished: to cancel it again changes nothing.
    client.ask("tasks/cancel", json!({"taskId": id}));
    assert_eq!(environment.record(&id)["status"], "cancelled");
}

#[test]
fn a_task_outlives_its_server() {
    let environment = with_agent();
    let mut first = with_tasks(&environment);
    let created = first.ask("tools/call", json!({"name": "dispatch", "arguments": task(ENDLESS)}));
    let id = created["taskId"].as_str().expect("an id").to_owned();
    drop(first);
    let mut second = with_tasks(&environment);
    assert_eq!(get(&mut second, &id)["status"], "working");
    second.ask("tasks/cancel", json!({"taskId": id}));
    scene::wait_for_status(&environment, &id, "cancelled");
}

#[test]
fn only_the_request_itself_can_ask_for_a_task() {
    let environment = with_agent();
    // What a session declared in general is not enough: there are clients that cannot read what they declare.
    for revision in ["2025-06-18", "2025-11-25"] {
        let mut client = McpClient::spawn(&environment, [""; 0]);
        client.initialize(revision, "test", capabilities());
        let called = client.call("dispatch", task("fake: answer plain")).expect_success();
        assert_eq!(called.field("result"), "plain");
    }
    let mut client = McpClient::connect_as(&environment, [""; 0], Era::Stateless, "test");
    let called = client.call("dispatch", task("fake: answer plain")).expect_success();
    assert_eq!(called.field("result"), "plain");
}

#[test]
fn a_background_dispatch_and_a_look_are_no_tasks() {
    let environment = with_agent();
    let mut client = with_tasks(&environment);
    let called = client.call("dispatch", task_with(ENDLESS, json!({"background": true}))).expect_success();
    let id = called.job();
    client.call("list_agents", json!({})).expect_success();
    client.call("dispatch_result", json!({"job_id": id, "wait_seconds": 0})).expect_success();
    scene::cancel(&environment, &id);
}

#[test]
fn a_task_that_is_none_is_refused() {
    let environment = with_agent();
    let mut client = with_tasks(&environment);
    let unknown = "0190".to_owned() + &"0".repeat(28);
    for id in ["latest", "", "../../etc/passwd", "0190", unknown.as_str()] {
        for method in ["tasks/get", "tasks/cancel"] {
            let (code, message) = client.ask_in_vain(method, json!({"taskId": id}));
            assert_eq!(code, -32602, "{method} {id}: {message}");
            assert!(message.contains("job"), "{method} {id}: {message}");
        }
    }
    for (method, params) in [("tasks/get", json!({})), ("tasks/cancel", json!({"taskId": 5}))] {
        let (code, message) = client.ask_in_vain(method, params);
        assert_eq!(code, -32602, "{method}: {message}");
    }
    let (code, message) = client.ask_in_vain("tasks/list", json!({}));
    assert_eq!(code, -32601, "{message}");
}

#[test]
fn a_client_that_did_not_declare_tasks_is_told_so() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let (code, message) = client.ask_in_vain("tasks/get", json!({"taskId": "0190"}));
    assert_eq!(code, -32021, "{message}");
}
