//! The door: every request that a client can make, with every authority that a server can be given.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{self, ENDLESS, task};
use test_support::TestEnvironment;
use test_support::mcp::McpClient;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing but a connection, or to look.
    Nothing,
    Act,
    Delete,
    Configure,
    /// More than any client has.
    TooMuch,
}

/// What a server can be started with, and what a client of it can do besides looking.
const AUTHORITIES: [(&[&str], &[Need]); 7] = [
    (&[], &[Need::Act, Need::Delete]),
    (&["--allow-configure"], &[Need::Act, Need::Delete, Need::Configure]),
    (&["--read-only"], &[]),
    (&["--agents", "infra"], &[Need::Act]),
    (&["--agents", "infra", "--allow-configure"], &[Need::Act, Need::Configure]),
    (&["--agents", "infra", "--read-only"], &[]),
    (&["--read-only", "--agents", "other"], &[]),
];

/// Every method of the protocol, and some that are none.
fn requests(job: &str) -> Vec<(&'static str, Value, Need)> {
    let call = |tool: &str, arguments: Value| json!({"name": tool, "arguments": arguments});
    let parallel = json!({"dispatches": [task("fake: answer x")]});
    let dialogue = json!({"requester": "infra", "responder": "infra", "topic": "fake: answer [RESOLVED]"});
    let change = json!({"action": "update", "name": "infra", "model": "haiku"});
    vec![
        (
            "initialize",
            json!({"protocolVersion": "2025-11-25", "clientInfo": {"name": "t", "version": "1"},
                              "capabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}),
            Need::Nothing,
        ),
        ("ping", json!({}), Need::Nothing),
        ("server/discover", json!({}), Need::Nothing),
        ("tools/list", json!({}), Need::Nothing),
        ("tools/call", call("list_agents", json!({})), Need::Nothing),
        ("tools/call", call("dispatch_jobs", json!({})), Need::Nothing),
        ("tools/call", call("dispatch_result", json!({"job_id": job, "wait_seconds": 0})), Need::Nothing),
        ("tools/call", call("dispatch", task("fake: answer x")), Need::Act),
        ("tools/call", call("dispatch_parallel", parallel), Need::Act),
        ("tools/call", call("dispatch_dialogue", dialogue), Need::Act),
        ("tools/call", call("dispatch_gc", json!({"max_age_days": 30})), Need::Delete),
        ("tools/call", call("configure_agent", change), Need::Configure),
        ("tools/call", call("no_such_tool", json!({})), Need::TooMuch),
        ("tools/call", call("tasks/cancel", json!({"job_id": job})), Need::TooMuch),
        ("tasks/get", json!({"taskId": job}), Need::Nothing),
        ("tasks/update", json!({"taskId": job, "inputResponses": {}}), Need::TooMuch),
        ("tasks/list", json!({}), Need::TooMuch),
        ("tasks/result", json!({"taskId": job}), Need::TooMuch),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "x"},
                                       "argument": {"name": "x", "value": "y"}}),
            Need::TooMuch,
        ),
        ("logging/setLevel", json!({"level": "debug"}), Need::TooMuch),
        ("prompts/list", json!({}), Need::TooMuch),
        ("prompts/get", json!({"name": "x"}), Need::TooMuch),
        ("resources/list", json!({}), Need::TooMuch),
        ("resources/templates/list", json!({}), Need::TooMuch),
        ("resources/read", json!({"uri": "file:///etc/passwd"}), Need::TooMuch),
        ("resources/directory/read", json!({"uri": "file:///etc"}), Need::TooMuch),
        ("resources/subscribe", json!({"uri": "file:///etc/passwd"}), Need::TooMuch),
        ("resources/unsubscribe", json!({"uri": "file:///etc/passwd"}), Need::TooMuch),
        ("subscriptions/listen", json!({"notifications": {}}), Need::TooMuch),
        ("skills/list", json!({}), Need::TooMuch),
        ("skills/get", json!({"uri": "skill://x/SKILL.md"}), Need::TooMuch),
        ("sampling/createMessage", json!({"messages": [], "maxTokens": 1}), Need::TooMuch),
        ("elicitation/create", json!({"message": "x"}), Need::TooMuch),
        ("roots/list", json!({}), Need::TooMuch),
        ("notifications/cancelled", json!({"requestId": 1}), Need::TooMuch),
        ("dispatch_cancel", json!({"job_id": job}), Need::TooMuch),
        ("", json!({}), Need::TooMuch),
        // Last: they stop the job.
        ("tasks/cancel", json!({"taskId": job}), Need::Act),
        ("tools/call", call("dispatch_cancel", json!({"job_id": job})), Need::Act),
    ]
}

/// What needs no answer, whatever it looks like.
fn notifications(job: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("notifications/initialized", json!({})),
        ("notifications/cancelled", json!({"requestId": 1})),
        ("notifications/cancelled", json!({"requestId": job})),
        ("notifications/progress", json!({"progressToken": 1, "progress": 1})),
        ("notifications/roots/list_changed", json!({})),
        ("notifications/tasks/cancel", json!({"taskId": job})),
        ("tasks/cancel", json!({"taskId": job})),
        ("tools/call", json!({"name": "dispatch_cancel", "arguments": {"job_id": job}})),
        ("tools/call", json!({"name": "dispatch", "arguments": task("x")})),
    ]
}

fn connect(environment: &TestEnvironment, arguments: &[&str]) -> McpClient {
    let mut client = McpClient::spawn(environment, arguments);
    let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    client.initialize("2025-11-25", "test", tasks);
    client
}

/// Whether the door let the request in, whatever became of it then.
fn is_let_in(client: &mut McpClient, method: &str, params: &Value) -> bool {
    let id = client.request(method, params.clone());
    let error = client.reply(id)["error"].clone();
    let message = error["message"].as_str().unwrap_or_default();
    match method {
        "tools/call" => !message.starts_with("there is no tool "),
        _ => error["code"] != -32601,
    }
}

#[test]
fn every_request_is_let_in_by_the_servers_authority_and_by_nothing_else() {
    for (arguments, granted) in AUTHORITIES {
        let environment = TestEnvironment::new();
        for agent in ["infra", "other"] {
            environment.project(agent);
        }
        let id = environment.command(["submit", "infra", ENDLESS]).run().expect_code(0).stdout;
        let id = id.trim();
        scene::wait_for_status(&environment, id, "running");
        let config = fs::read(environment.config()).expect("the config");
        let mut client = connect(&environment, arguments);
        for (method, params) in notifications(id) {
            client.notify(method, params);
        }
        for (method, params, need) in requests(id) {
            let expected = need == Need::Nothing || granted.contains(&need);
            let is_let_in = is_let_in(&mut client, method, &params);
            assert_eq!(is_let_in, expected, "{arguments:?}: {method} {params}");
            // Wrong parameters are no way around it.
            for params in [json!({"taskId": 5, "name": 5}), json!({})] {
                if method == "tools/call" || !expected {
                    let (code, message) = client.ask_in_vain(method, params.clone());
                    let code_expected = if method == "tools/call" { -32602 } else { -32601 };
                    assert_eq!(code, code_expected, "{arguments:?}: {method} {params}: {message}");
                }
            }
            if !granted.contains(&Need::Act) {
                assert_eq!(environment.record(id)["status"], "running", "{arguments:?}: {method} {params}");
            }
        }
        let stopped = if granted.contains(&Need::Act) { "cancelled" } else { "running" };
        assert_eq!(environment.record(id)["status"], stopped, "{arguments:?}");
        if !granted.contains(&Need::Act) {
            assert_eq!(environment.job_ids(), [id], "{arguments:?}");
        }
        if !granted.contains(&Need::Configure) {
            assert_eq!(fs::read(environment.config()).expect("the config"), config, "{arguments:?}");
        }
        environment.command(["cancel", id]).run();
        drop(client);
    }
}

#[test]
fn a_client_that_may_only_look_cannot_stop_a_job_as_a_task() {
    let environment = scene::with_agent();
    let id = environment.command(["submit", "infra", ENDLESS]).run().expect_code(0).stdout;
    let id = id.trim();
    scene::wait_for_status(&environment, id, "running");
    let mut client = connect(&environment, &["--read-only"]);
    let (code, message) = client.ask_in_vain("tasks/cancel", json!({"taskId": id}));
    assert_eq!(code, -32601, "{message}");
    assert!(message.contains("--read-only"), "{message}");
    // It sees the job all the same.
    assert_eq!(client.ask("tasks/get", json!({"taskId": id}))["status"], "working");
    assert_eq!(environment.record(id)["status"], "running");
    scene::cancel(&environment, id);
}
