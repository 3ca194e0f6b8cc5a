//! A server that an agent uses: its dispatches are the agent's.

use std::fs;

use serde_json::{Value, json};

use test_support::{TestEnvironment, programs, quoted};

/// What the agent `outer` sends to a server of its own, one call that must be answered before it ends.
const REQUESTS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"claude-code","version":"1"}}}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"dispatch","arguments":{"agent":"inner","task":"fake: answer from inside"}}}
"#;

fn with_a_server_inside(settings: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.configure(&format!("settings:\n{settings}"));
    environment.project("outer");
    environment.project("inner");
    let root = quoted(environment.root());
    fs::write(environment.root().join("requests"), REQUESTS).expect("the requests");
    let tool = quoted(programs::agent_dispatch());
    let script = format!(
        "(cat {root}/requests; until grep -q '\"id\":2' {root}/replies; do sleep 0.01; done) | \
         {tool} serve-mcp > {root}/replies; tail -n 1 {root}/replies"
    );
    fs::write(environment.root().join("ask.sh"), script).expect("a script");
    fs::write(environment.root().join("replies"), "").expect("no replies yet");
    environment.script("outer", &format!("shell sh {root}/ask.sh"));
    environment
}

/// What the server inside answered.
fn reply(environment: &TestEnvironment) -> Value {
    let replies = fs::read_to_string(environment.root().join("replies")).expect("the replies");
    let last = replies.lines().last().expect("a reply");
    serde_json::from_str::<Value>(last).expect("JSON")["result"].clone()
}

#[test]
fn an_agent_that_waits_for_its_dispatch_needs_no_second_slot() {
    let environment = with_a_server_inside("  max_concurrency: 1\n  default_timeout: 30\n");
    environment.command(["run", "outer", "go"]).run().expect_code(0);
    let reply = reply(&environment);
    assert_eq!(reply["structuredContent"]["result"], "from inside", "{reply}");
    let inner = environment.record(reply["structuredContent"]["job_id"].as_str().expect("an id"));
    assert_eq!((&inner["depth"], inner["parent"].is_string()), (&json!(2), true));
}

#[test]
fn an_agent_cannot_dispatch_deeper_over_a_server_than_without() {
    let environment = with_a_server_inside("  max_dispatch_depth: 1\n");
    environment.command(["run", "outer", "go"]).run().expect_code(0);
    let reply = reply(&environment);
    assert_eq!(reply["isError"], true);
    let text = reply["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("Answer with what is known here instead of dispatching further"), "{text}");
    assert_eq!(environment.job_ids().len(), 1);
}
