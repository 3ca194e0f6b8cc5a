//! Agents to dispatch to, and short ways to say what they shall do.

use serde_json::{Value, json};

use test_support::mcp::McpClient;
use test_support::{PATIENCE, TestEnvironment, wait_until};

/// The agent of most tests; its project has the same name.
pub(crate) const AGENT: &str = "infra";

/// A task that goes on until somebody ends it.
pub(crate) const ENDLESS: &str = "fake: text working\nfake: hang";

/// An environment with one agent.
pub(crate) fn with_agent() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project(AGENT);
    environment
}

/// The arguments of a dispatch.
pub(crate) fn task(text: &str) -> Value {
    json!({"agent": AGENT, "task": text})
}

/// The same with more arguments.
#[expect(clippy::needless_pass_by_value, reason = "what is said is written where it is said: `json!({…})`")]
pub(crate) fn task_with(text: &str, more: Value) -> Value {
    let mut arguments = task(text);
    let fields = arguments.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    arguments
}

/// Starts a job and does not wait for it; returns its id.
#[track_caller]
pub(crate) fn start(client: &mut McpClient, text: &str) -> String {
    client.call("dispatch", task_with(text, json!({"background": true}))).expect_success().job()
}

/// The same, and waits until its agent runs.
#[track_caller]
pub(crate) fn start_endless(environment: &TestEnvironment, client: &mut McpClient) -> String {
    let id = start(client, ENDLESS);
    wait_for_status(environment, &id, "running");
    id
}

/// Waits until the job's record has this status.
#[track_caller]
pub(crate) fn wait_for_status(environment: &TestEnvironment, id: &str, status: &str) {
    wait_until(PATIENCE, &format!("job {id} is {status}"), || environment.record(id)["status"] == status);
}

/// Waits until a job of this agent has this status.
#[track_caller]
pub(crate) fn wait_for_agent(environment: &TestEnvironment, agent: &str, status: &str) {
    let has_it = |record: &Value| record["agent"] == agent && record["status"] == status;
    let one_has_it = || environment.job_ids().iter().any(|id| has_it(&environment.record(id)));
    wait_until(PATIENCE, &format!("a job of {agent} is {status}"), one_has_it);
}

/// Stops a job from the shell.
#[track_caller]
pub(crate) fn cancel(environment: &TestEnvironment, id: &str) {
    environment.command(["cancel", id]).run().expect_code(0);
}
