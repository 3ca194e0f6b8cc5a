//! An API that does not answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

/// How long claude may take to start on a busy machine, and to fail.
const SOON: Duration = Duration::from_secs(50);

/// A run against this reply, which must fail with this exit code and error type, soon.
#[track_caller]
fn fails(reply: Reply, exit: i32, error_type: &str) -> Value {
    let scene = Scene::new("", [reply]);
    let output = Scene::within(SOON, || scene.run(["anything", "--json"]).run()).expect_code(exit);
    let result = output.json();
    assert_eq!((&result["error_type"], &result["success"]), (&json!(error_type), &json!(false)), "{result}");
    assert_eq!(result["result"], "", "an error is no answer");
    assert!(result["hint"].is_string() && output.stderr.contains("hint"), "{result}\n{}", output.stderr);
    assert_eq!(scene.environment.only_record()["status"], "failed");
    result
}

#[test]
fn a_refused_key_is_noticed_at_once() {
    in_namespace(|| {
        // Claude itself goes on trying for three minutes.
        let result = fails(Reply::unauthorized(), 8, "auth");
        assert!(result["hint"].as_str().unwrap().contains("ANTHROPIC_API_KEY"), "{result}");
    });
}

#[test]
fn an_account_without_access_is_an_auth_error() {
    in_namespace(|| drop(fails(Reply::forbidden(), 8, "auth")));
}

#[test]
fn an_account_without_credit_is_an_auth_error() {
    in_namespace(|| {
        let result = fails(Reply::no_credit(), 8, "auth");
        assert!(result["error"].as_str().unwrap().contains("no credit"), "{result}");
    });
}

#[test]
fn nobody_logged_in_is_an_auth_error() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("never asked")]);
        let run = scene.run(["anything"]).env_remove("ANTHROPIC_API_KEY");
        let output = Scene::within(SOON, || run.run()).expect_code(8);
        assert!(
            output.stderr.contains("not logged in") && output.stderr.contains("/login"),
            "{}",
            output.stderr
        );
        assert!(scene.api.turns().is_empty());
    });
}

#[test]
fn a_rate_limit_that_lasts_is_a_usage_limit() {
    in_namespace(|| drop(fails(Reply::rate_limited().retry_after(3_600), 6, "usage_limit")));
}

#[test]
fn the_limit_of_a_subscription_ends_the_run_at_once() {
    in_namespace(|| {
        let resets = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3_600;
        let reply = Reply::rate_limited()
            .header("anthropic-ratelimit-unified-status", "rejected")
            .header("anthropic-ratelimit-unified-representative-claim", "five_hour")
            .header("anthropic-ratelimit-unified-reset", &resets.to_string());
        let scene = Scene::new("", [reply]);
        let run = scene.run(["anything", "--json"]).env_remove("ANTHROPIC_API_KEY");
        let run = run.env("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-fake");
        let result = Scene::within(SOON, || run.run()).expect_code(6).json();
        assert_eq!(result["error_type"], "usage_limit", "{result}");
        let error = result["error"].as_str().unwrap();
        assert!(error.contains("You've hit your") && error.contains("resets"), "{result}");
        assert!(result["hint"].as_str().unwrap().contains("after the limit's reset"), "{result}");
        // Asked once, and not again and again until the limit is lifted.
        assert_eq!(scene.api.turns().len(), 1);
        assert_eq!(scene.environment.only_record()["status"], "failed");
    });
}

#[test]
fn an_overloaded_api_is_overloaded() {
    in_namespace(|| drop(fails(Reply::overloaded(), 6, "overloaded")));
}

#[test]
fn a_request_that_is_wrong_is_an_error_of_the_cli() {
    in_namespace(|| {
        let scene =
            Scene::new("", [Reply::error(400, "invalid_request_error", "the frobnicator is missing")]);
        let output = Scene::within(SOON, || scene.run(["anything"]).run()).expect_code(1);
        assert!(output.stderr.contains("the frobnicator is missing"), "{}", output.stderr);
    });
}

#[test]
fn a_model_that_does_not_exist_is_told() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::error(404, "not_found_error", "model: opus-99")]);
        let output =
            Scene::within(SOON, || scene.run(["anything", "--model", "opus-99"]).run()).expect_code(1);
        assert!(output.stderr.contains("agents update worker --model"), "{}", output.stderr);
    });
}

#[test]
fn an_api_out_of_reach_until_the_time_is_over_is_named() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("never asked")]);
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let run = scene.run(["anything", "--timeout", "25s", "--json"]);
        let output = run.env("ANTHROPIC_BASE_URL", format!("http://{nobody}")).run().expect_code(124);
        let result = output.json();
        assert_eq!(result["error_type"], "timeout");
        let error = result["error"].as_str().unwrap();
        assert!(error.contains("timed out after 25s") && error.contains("API"), "{error}");
    });
}
