//! The real claude by itself: what the tool builds on and would not notice if it changed.

use serde_json::{Value, json};

use crate::scene::Scene;
use test_support::messages_api::{MessagesApi, Reply};
use test_support::namespace::in_namespace;
use test_support::{Invocation, TestEnvironment, programs};

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
fn what_claude_keeps_while_it_runs_is_where_its_job_says() {
    in_namespace(|| {
        for program in programs::claudes() {
            let look = "echo TMPDIR=$TMPDIR; echo its-place=$CLAUDE_CODE_TMPDIR=; find \"$CLAUDE_CODE_TMPDIR\" -type s";
            let scene =
                Scene::with(&program, "allowed_tools: [Bash]", [Reply::bash(look), Reply::text("done")]);
            scene.run(["look"]).run().expect_code(0);
            let told = scene.last_told();
            let tmp = scene.environment.root().join("tmp");
            assert!(told.contains(&format!("TMPDIR={}", tmp.display())), "the tools keep their own: {told}");
            let record = scene.environment.only_record();
            let id = record["id"].as_str().expect("an id");
            let place =
                told.split("its-place=").nth(1).and_then(|rest| rest.split('=').next()).expect("a place");
            let place = std::path::Path::new(place);
            assert!(place.to_string_lossy().contains(id), "it is this job's: {}", place.display());
            let raw = scene.environment.command(["logs", id, "--raw"]).run().expect_code(0);
            let socket = raw
                .events()
                .iter()
                .find_map(|event| Some(event["messaging_socket_path"].as_str()?.to_owned()));
            // 2.1.197 has none.
            if let Some(socket) = socket {
                assert!(std::path::Path::new(&socket).starts_with(place), "{socket}");
                assert!(told.contains(&socket), "{told}");
            }
            assert!(!place.exists(), "it is gone with the agent");
        }
    });
}

#[test]
fn a_stalled_api_is_left_by_an_interrupt() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::stall()]);
        let mut environment = environment();
        let running = claude(&mut environment, &api, &[]).stdin("wait").spawn();
        test_support::wait_until(test_support::PATIENCE, "claude asks the API", || !api.turns().is_empty());
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
