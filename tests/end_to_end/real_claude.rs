//! The real claude by itself: what the tool builds on and would not notice if it changed.

use serde_json::{Value, json};

use crate::support::messages_api::{MessagesApi, Reply};
use crate::support::namespace::in_namespace;
use crate::support::{Invocation, TestEnvironment, programs};

const STREAM: [&str; 4] = ["-p", "--output-format", "stream-json", "--verbose"];

/// An environment with the real claude and this API, and one run of claude in a project.
fn claude(environment: &mut TestEnvironment, api: &MessagesApi, arguments: &[&str]) -> Invocation {
    let program = programs::claude().expect("in_namespace made sure of it");
    environment.messages_api(api).program(&program, STREAM).args(arguments)
}

fn environment() -> TestEnvironment {
    TestEnvironment::with_claude(&programs::claude().expect("in_namespace made sure of it"))
}

#[test]
fn a_session_is_resumed_with_its_history_and_its_cost_adds_up() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::text("the first answer"), Reply::text("the second answer")]);
        let mut environment = environment();
        let id = uuid::Uuid::new_v4().to_string();
        let new = format!("--session-id={id}");
        let resume = format!("--resume={id}");
        let first = claude(&mut environment, &api, &[&new]).stdin("one").run().expect_code(0).last_result();
        let second =
            claude(&mut environment, &api, &[&resume]).stdin("two").run().expect_code(0).last_result();
        assert_eq!(second["session_id"], id.as_str());
        assert!(api.turns()[1].conversation().contains("the first answer"));
        let own = |result: &Value| result["model_usage_since_last_result"].as_object().unwrap().clone();
        assert_eq!(own(&second), own(&first), "each result also tells its own costs");
        assert!(second["total_cost_usd"].as_f64() > first["total_cost_usd"].as_f64());
    });
}

#[test]
fn a_resumed_run_names_the_session_that_was_asked_for() {
    in_namespace(|| {
        for program in programs::claudes() {
            let api = MessagesApi::replying([Reply::text("one"), Reply::text("two")]);
            let mut environment = TestEnvironment::with_claude(&program);
            environment.messages_api(&api);
            let id = uuid::Uuid::new_v4().to_string();
            let run = |option: String| environment.program(&program, STREAM).arg(option).stdin("x").run();
            for option in ["--session-id", "--resume"] {
                let output = run(format!("{option}={id}")).expect_code(0);
                let named: Vec<Value> =
                    output.events().iter().filter_map(|event| event.get("session_id").cloned()).collect();
                assert!(named.len() > 2 && named.iter().all(|named| *named == id.as_str()), "{named:?}");
            }
            // Another spelling is another session, and any file is one.
            let upper = id.to_uppercase();
            let unknown = run(format!("--resume={upper}")).expect_code(1);
            assert!(unknown.stderr.contains(&format!("session ID: {upper}")), "{}", unknown.stderr);
        }
    });
}

#[test]
fn a_stalled_api_is_left_by_an_interrupt() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::stall()]);
        let mut environment = environment();
        let running = claude(&mut environment, &api, &[]).stdin("wait").spawn();
        crate::support::wait_until(crate::support::PATIENCE, "claude asks the API", || {
            !api.turns().is_empty()
        });
        running.signal(libc::SIGINT);
        let output = running.wait();
        assert_eq!(output.signal, None, "claude handles the signal itself");
    });
}

#[test]
fn a_refused_request_is_an_error_that_calls_itself_a_success() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::forbidden()]);
        let mut environment = environment();
        let result = claude(&mut environment, &api, &[]).stdin("hello").run().expect_code(1).last_result();
        assert_eq!((&result["subtype"], &result["is_error"]), (&json!("success"), &json!(true)));
        assert_eq!(result["api_error_status"], 403);
    });
}
