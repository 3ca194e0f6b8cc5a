//! What a client that gave a progress token hears while it waits.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::{self, AGENT, ENDLESS, start, task, with_agent};
use test_support::mcp::{Era, McpClient, Notification, SESSION};

/// A call with a token.
fn call_with_token(client: &mut McpClient, token: &Value, tool: &str, arguments: &Value) -> u64 {
    let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": token}});
    client.request("tools/call", params)
}

/// Panics unless all of it is progress of this call, ever further, one line each and not too often.
#[track_caller]
fn check(news: &[Notification], token: &Value) {
    assert!(!news.is_empty());
    for one in news {
        assert_eq!((one.method.as_str(), &one.params["progressToken"]), ("notifications/progress", token));
        let message = one.params["message"].as_str().expect("a message");
        assert!(!message.is_empty() && !message.contains('\n') && message.chars().count() < 300, "{message}");
    }
    for pair in news.windows(2) {
        let [before, after] = pair else { unreachable!("two at a time") };
        let number = |one: &Notification| one.params["progress"].as_f64().expect("a number");
        assert!(number(before) < number(after), "{news:?}");
        assert_ne!(before.params["message"], after.params["message"], "only what changed is told");
        // The pipe and this reader add a little to each, and may add less to the second.
        let apart = after.at - before.at;
        assert!(apart > Duration::from_millis(2_500), "{apart:?}: {news:?}");
    }
}

#[test]
fn a_client_with_a_token_hears_what_the_agent_does_now() {
    let environment = with_agent();
    for (era, token) in [(SESSION, json!("a token")), (Era::Stateless, json!(7))] {
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        let steps = "fake: tool Read src/lib.rs\nfake: sleep 200ms\nfake: tool Grep needle\nfake: sleep 1s\n\
                     fake: tool Edit src/main.rs\nfake: sleep 2800ms\nfake: answer done";
        let call = call_with_token(&mut client, &token, "dispatch", &task(steps));
        assert_eq!(client.called(call).expect_success().field("result"), "done");
        let news = client.notifications();
        check(&news, &token);
        assert!((2..=3).contains(&news.len()), "{news:?}");
        let all: String = news.iter().filter_map(|one| one.params["message"].as_str()).collect();
        assert!(all.contains(&format!("{AGENT}: ")) && all.contains("src/main.rs"), "{all}");
    }
}

#[test]
fn a_wait_for_a_job_of_somebody_else_tells_of_it_too() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start(&mut client, ENDLESS);
    scene::wait_for_status(&environment, &id, "running");
    let token = json!("wait");
    let call = call_with_token(&mut client, &token, "dispatch_result", &json!({"job_id": id}));
    let news = client.wait_for_notifications(1);
    check(&news, &token);
    scene::cancel(&environment, &id);
    client.called(call).expect_error();
}

#[test]
fn jobs_that_run_at_once_are_told_of_on_one_line() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let items = json!([task("fake: text one\nfake: sleep 1s"), task("fake: text two\nfake: sleep 1s")]);
    let token = json!("both");
    let call = call_with_token(&mut client, &token, "dispatch_parallel", &json!({"dispatches": items}));
    client.called(call).expect_success();
    let news = client.notifications();
    check(&news, &token);
    assert!(news[0].params["message"].as_str().expect("a message").contains(" | "), "{news:?}");
}

#[test]
fn without_a_token_nothing_is_told() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let steps = "fake: tool Read src/lib.rs\nfake: sleep 300ms\nfake: tool Grep needle\nfake: answer done";
    client.call("dispatch", task(steps)).expect_success();
    assert!(client.notifications().is_empty(), "{:?}", client.notifications());
}

#[test]
fn nothing_is_told_after_the_answer() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let token = json!("quick");
    let call = call_with_token(&mut client, &token, "dispatch", &task("fake: text hello\nfake: sleep 100ms"));
    client.called(call).expect_success();
    let told = client.notifications().len();
    let id = start(&mut client, "fake: sleep 300ms");
    client.call("dispatch_result", json!({"job_id": id})).expect_success();
    assert_eq!(client.notifications().len(), told);
}
