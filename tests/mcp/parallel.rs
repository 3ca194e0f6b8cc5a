//! `dispatch_parallel`: several tasks, all or none.

use serde_json::{Value, json};

use crate::scene::{self, with_agent};
use test_support::mcp::{Called, McpClient};
use test_support::{PATIENCE, TestEnvironment, quoted, wait_until};

/// An environment with these agents.
fn with_agents(names: &[&str]) -> TestEnvironment {
    let environment = TestEnvironment::new();
    for name in names {
        environment.project(name);
    }
    environment
}

fn dispatches(items: &[(&str, &str)]) -> Value {
    items.iter().map(|(agent, task)| json!({"agent": agent, "task": task})).collect()
}

/// A field of every job, in order.
#[track_caller]
fn of_each(called: &Called, field: &str) -> Vec<Value> {
    let jobs = called.structured["jobs"].as_array().unwrap_or_else(|| panic!("no jobs: {called:?}"));
    jobs.iter().map(|job| job[field].clone()).collect()
}

#[test]
fn the_answers_come_in_the_order_of_the_tasks() {
    let environment = with_agents(&["a", "b", "c"]);
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[
        ("c", "fake: sleep 300ms\nfake: answer first"),
        ("a", "fake: answer second"),
        ("b", "fake: answer third"),
        ("a", "fake: answer fourth"),
    ]);
    let called = client.call("dispatch_parallel", json!({"dispatches": items})).expect_success();
    assert_eq!(of_each(&called, "result"), ["first", "second", "third", "fourth"]);
    assert_eq!(of_each(&called, "agent"), ["c", "a", "b", "a"]);
    assert_eq!(called.structured.get("unfinished"), None);
    let blocks = [
        "dispatches[0], by c:\nfirst",
        "dispatches[1], by a:\nsecond",
        "dispatches[2], by b:\nthird",
        "dispatches[3], by a:\nfourth",
    ];
    let places: Vec<_> = blocks.map(|block| called.text.find(block)).into();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{called:?}");
}

#[test]
fn nothing_starts_unless_all_are_valid_and_every_problem_is_named() {
    let environment = with_agents(&["a", "b"]);
    let mut client = McpClient::connect(&environment);
    let called = client.call(
        "dispatch_parallel",
        json!({"dispatches": [
            {"agent": "a", "task": "fake: answer x"},
            {"agent": "zzz", "task": "x"},
            {"agent": "b", "task": "x", "session_id": "--help"},
            {"agent": "b", "task": "x", "response_schema": {"type": 5}},
        ]}),
    );
    let text = called.expect_error().text;
    for problem in ["dispatches[1]: ", "dispatches[2]: ", "dispatches[3]: "] {
        assert!(text.contains(problem), "{problem}: {text}");
    }
    assert!(
        text.contains("'zzz'") && text.contains("list_agents") && !text.contains("dispatches[0]"),
        "{text}"
    );
    let called = client.call(
        "dispatch_parallel",
        json!({"dispatches": [
            {"agent": "a", "task": "fake: answer x"},
            {"agent": "a"},
            {"task": "x"},
            {"agent": "a", "task": "x", "timeout": 5},
            {"agent": "a", "task": " "},
            {"agent": "a", "task": "x", "background": true},
        ]}),
    );
    let text = called.expect_error().text;
    for problem in [
        "dispatches[1]: task is missing",
        "dispatches[2]: agent is missing",
        "dispatches[3]: there is no argument timeout; did you mean timeout_seconds?",
        "dispatches[4]: the task is empty",
        "dispatches[5]: there is no argument background",
    ] {
        assert!(text.contains(problem), "{problem}: {text}");
    }
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn mistakes_of_all_kinds_are_told_at_once() {
    let environment = with_agents(&["a", "b"]);
    for options in [&[][..], &["--agents", "a,b"]] {
        let mut client = McpClient::connect_with(&environment, options);
        let called = client.call(
            "dispatch_parallel",
            json!({"aggregate": "sum", "dispatches": [
                {"agent": "zzz", "task": "x", "timeout": 5},
                {"agent": "b"},
                {"agent": "b", "task": "x", "group": "none", "session_id": "--help", "response_schema": {"type": 5}},
            ]}),
        );
        let text = called.expect_error().text;
        for problem in [
            "dispatches[0]: there is no argument timeout",
            "dispatches[0]: there is no agent 'zzz'",
            "dispatches[1]: task is missing",
            "dispatches[2]: there is no group 'none'",
            "dispatches[2]: the JSON Schema",
            "aggregate: there is no agent 'sum'",
        ] {
            assert!(text.contains(problem), "{problem}: {text}");
        }
        assert!(
            text.lines().any(|line| line.starts_with("dispatches[2]: ") && line.contains("--help")),
            "{text}"
        );
    }
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn one_that_fails_does_not_hide_the_answers_of_the_others() {
    let environment = with_agents(&["a", "b"]);
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[("a", "fake: answer good"), ("b", "fake: exit 3"), ("a", "fake: answer well")]);
    let called = client.call("dispatch_parallel", json!({"dispatches": items})).expect_success();
    assert_eq!(of_each(&called, "success"), [true, false, true]);
    assert_eq!(of_each(&called, "error_type"), [Value::Null, "cli_error".into(), Value::Null]);
    for words in ["good", "well", "b failed (cli_error)"] {
        assert!(called.text.contains(words), "{words}: {called:?}");
    }
    let items = dispatches(&[("a", "fake: exit 3"), ("b", "fake: exit 3")]);
    client.call("dispatch_parallel", json!({"dispatches": items})).expect_error();
}

#[test]
fn the_agents_run_at_once_as_far_as_the_limit_allows() {
    let environment = with_agents(&["a", "b", "c"]);
    environment.configure("settings:\n  max_concurrency: 3\n");
    let mut client = McpClient::connect(&environment);
    // Each waits until all have begun, so that one after the other they would never end.
    let meet = |agent: &str| {
        let root = quoted(environment.root());
        format!(
            "fake: shell touch {root}/{agent}; until [ -e {root}/a -a -e {root}/b -a -e {root}/c ]; do sleep 0.01; done"
        )
    };
    let items = dispatches(&[("a", &meet("a")), ("b", &meet("b")), ("c", &meet("c"))]);
    let called = client.call("dispatch_parallel", json!({"dispatches": items})).expect_success();
    assert_eq!(of_each(&called, "success"), [true, true, true]);
}

#[test]
fn in_the_background_all_are_told_at_once_and_waited_for_together() {
    let environment = with_agents(&["a", "b"]);
    let mut client = McpClient::connect(&environment);
    let hold = format!("fake: shell until [ -e {}/go ]; do sleep 0.01; done", quoted(environment.root()));
    let items = dispatches(&[("a", &hold), ("b", &hold)]);
    let called =
        client.call("dispatch_parallel", json!({"dispatches": items, "background": true})).expect_success();
    assert_eq!(called.structured["unfinished"], 2);
    assert!(called.field("next").contains("dispatch_result"), "{called:?}");
    let ids = of_each(&called, "job_id");
    for id in &ids {
        assert!(called.text.contains(id.as_str().expect("an id")), "{called:?}");
    }
    let waits: Vec<u64> =
        ids.iter().map(|id| client.request_call("dispatch_result", json!({"job_id": id}))).collect();
    std::fs::write(environment.root().join("go"), "").expect("the gate");
    for wait in waits {
        assert_eq!(client.called(wait).expect_success().field("status"), "done");
    }
}

#[test]
fn what_is_not_over_in_time_is_told_apart_from_what_is() {
    let environment = with_agents(&["a", "b"]);
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[("a", "fake: answer quick"), ("b", scene::ENDLESS)]);
    let called =
        client.call("dispatch_parallel", json!({"dispatches": items, "wait_seconds": 1})).expect_success();
    assert_eq!(called.structured["unfinished"], 1);
    assert_eq!(called.structured["jobs"][0]["result"], "quick");
    let slow = &called.structured["jobs"][1];
    assert!(slow["next"].is_string() && slow.get("result").is_none(), "{called:?}");
    scene::cancel(&environment, slow["job_id"].as_str().expect("an id"));
}

#[test]
fn long_answers_share_what_fits_into_one_result() {
    let environment = with_agents(&["a"]);
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[("a", "fake: answer-bytes 100000"); 4]);
    let called = client.call("dispatch_parallel", json!({"dispatches": items})).expect_success();
    assert!(called.text.len() < 40_000, "{}", called.text.len());
    assert_eq!(of_each(&called, "total_chars"), [100_000; 4]);
    assert_eq!(of_each(&called, "next_offset"), [7_500; 4]);
}

#[test]
fn a_cancelled_call_stops_all_of_its_jobs() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[(scene::AGENT, scene::ENDLESS); 3]);
    let call = client.request_call("dispatch_parallel", json!({"dispatches": items}));
    let status = |status: &str| {
        let ids = environment.job_ids();
        ids.len() == 3 && ids.iter().all(|id| environment.record(id)["status"] == status)
    };
    wait_until(PATIENCE, "all run", || status("running"));
    client.notify("notifications/cancelled", json!({"requestId": call}));
    wait_until(PATIENCE, "all are stopped", || status("cancelled"));
    client.ask("ping", json!({}));
    assert_eq!(client.reply_so_far(call), None);
}

#[test]
fn an_agent_gets_all_answers_and_puts_them_together() {
    let environment = with_agents(&["a", "b", "sum"]);
    environment.script("sum", "echo-prompt");
    let mut client = McpClient::connect(&environment);
    let items = dispatches(&[("a", "fake: answer forty"), ("b", "fake: exit 3")]);
    let called =
        client.call("dispatch_parallel", json!({"dispatches": items, "aggregate": "sum"})).expect_success();
    assert_eq!(of_each(&called, "status"), ["done", "failed"]);
    let aggregate = called.structured["aggregate"]["result"].as_str().expect("an answer");
    for told in ["forty", "failed (cli_error)"] {
        assert!(aggregate.contains(told) && called.text.contains(told), "{told} is missing: {called:?}");
    }

    assert!(called.text.contains("\n\naggregate, by sum:\n"), "{called:?}");

    let refused = client.call("dispatch_parallel", json!({"dispatches": items, "aggregate": "sun"}));
    let text = refused.expect_error().text;
    assert!(text.contains("aggregate: there is no agent 'sun'. Did you mean sum?"), "{text}");
    assert_eq!(environment.job_ids().len(), 3);
}
