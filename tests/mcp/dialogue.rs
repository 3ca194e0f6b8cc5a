//! `dispatch_dialogue`: two agents in turns, as one job.

use serde_json::json;

use crate::scene;
use test_support::TestEnvironment;
use test_support::mcp::McpClient;

/// Two agents of whom the second settles the matter in its first turn.
fn with_two() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.project("web");
    environment.script("infra", "answer who owns port 8080?");
    environment.script("web", "answer we do\\n[RESOLVED]");
    environment
}

#[test]
fn a_dialogue_is_one_job_whose_answer_is_the_last_word() {
    let environment = with_two();
    let mut client = McpClient::connect(&environment);
    let arguments = json!({"requester": "infra", "responder": "web", "topic": "the port"});
    let called = client.call("dispatch_dialogue", arguments).expect_success();
    let answer = called.structured["result"].as_str().expect("an answer");
    assert!(answer.contains("we do"), "{called:?}");
    assert_eq!(called.structured["status"], "done");
    assert_eq!((&called.structured["resolved"], &called.structured["rounds"]), (&json!(true), &json!(1)));
    assert!(
        called.text.contains("resolved after 1 round") && !called.text.contains("not resolved"),
        "{called:?}"
    );
    // The dialogue and its two turns.
    assert_eq!(environment.job_ids().len(), 3);
}

#[test]
fn a_dialogue_without_a_result_says_so_and_how_to_go_on() {
    let environment = with_two();
    environment.script("web", "answer we do not know");
    let mut client = McpClient::connect(&environment);
    let arguments = json!({"requester": "infra", "responder": "web", "topic": "the port", "max_rounds": 2});
    let called = client.call("dispatch_dialogue", arguments).expect_success();
    assert_eq!((&called.structured["resolved"], &called.structured["rounds"]), (&json!(false), &json!(2)));
    assert!(called.text.contains("not resolved after 2 rounds"), "{called:?}");
    let records = environment.job_ids().into_iter().map(|id| environment.record(&id));
    let sessions: Vec<_> = records
        .filter(|record| record["result"]["session_id"].is_string())
        .map(|record| {
            format!("dispatch for {} with session_id {}", record["agent"], record["result"]["session_id"])
        })
        .map(|way| way.replace('"', ""))
        .collect();
    assert_eq!(sessions.len(), 4);
    for way in sessions.iter().map(String::as_str).chain(["dispatch_dialogue again with max_rounds above 2"])
    {
        assert!(called.field("hint").contains(way) && called.text.contains(way), "{way}: {called:?}");
    }
    let mut looking = McpClient::connect_with(&environment, ["--read-only"]);
    let looked = looking.call("dispatch_result", json!({"job_id": called.job()})).expect_success();
    assert!(looked.text.contains("not resolved after 2 rounds"), "{looked:?}");
    assert!(!looked.text.contains("session_id ") || !looked.text.contains("dispatch for"), "{looked:?}");
}

#[test]
fn a_turn_that_fails_is_gone_on_with_by_its_own_agent() {
    let environment = with_two();
    environment.script("web", "budget");
    let mut client = McpClient::connect(&environment);
    let arguments = json!({"requester": "infra", "responder": "web", "topic": "the port"});
    let called = client.call("dispatch_dialogue", arguments).expect_error();
    assert!(called.field("hint").contains("call dispatch for web with session_id "), "{called:?}");
}

#[test]
fn a_cancelled_dialogue_takes_its_turn_with_it() {
    let environment = with_two();
    environment.script("web", "hang");
    let mut client = McpClient::connect(&environment);
    let arguments =
        json!({"requester": "infra", "responder": "web", "topic": "the port", "background": true});
    let id = client.call("dispatch_dialogue", arguments).expect_success().job();
    scene::wait_for_agent(&environment, "web", "running");
    client.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    assert_eq!(environment.record(&id)["status"], "cancelled");
    scene::wait_for_agent(&environment, "web", "cancelled");
}

#[test]
fn what_cannot_be_discussed_is_refused_before_a_job_exists() {
    let environment = with_two();
    let mut client = McpClient::connect(&environment);
    for (more, said) in [
        (json!({"responder": "wep"}), "Did you mean web?"),
        (json!({"max_rounds": 0}), "max_rounds must be a whole number from 1 to 100"),
        (json!({"topic": " "}), "the task is empty"),
    ] {
        let mut arguments = json!({"requester": "infra", "responder": "web", "topic": "the port"});
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let text = client.call("dispatch_dialogue", arguments).expect_error().text;
        assert!(text.contains(said), "{text}");
    }
    assert!(environment.job_ids().is_empty());
}
