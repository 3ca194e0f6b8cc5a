//! The real claude by itself: what the tool builds on, and proof that the test support holds.

use serde_json::json;

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
fn a_plain_answer_comes_back_as_stream_json() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::text("forty-two")]);
        let mut environment = environment();
        let output = claude(&mut environment, &api, &[]).stdin("what is it?").run().expect_code(0);
        assert_eq!(output.events()[0]["subtype"], "init");
        let result = output.last_result();
        assert_eq!(result["result"], "forty-two");
        assert_eq!(result["is_error"], false);
        assert_eq!(api.turns().len(), 1);
        assert!(api.turns()[0].conversation().contains("what is it?"));
    });
}

#[test]
fn a_prompt_in_a_regular_file_is_read_as_from_a_pipe() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::text("read")]);
        let mut environment = environment();
        let prompt = environment.root().join("prompt.md");
        std::fs::write(&prompt, "the question in the file\n").unwrap();
        let output = claude(&mut environment, &api, &[]).stdin_file(prompt).run().expect_code(0);
        assert_eq!(output.last_result()["result"], "read");
        assert!(api.turns()[0].conversation().contains("the question in the file"));
    });
}

#[test]
fn a_tool_call_is_carried_out_and_its_output_sent_back() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::bash("echo from-the-tool"), Reply::text("seen")]);
        let mut environment = environment();
        let output =
            claude(&mut environment, &api, &["--allowed-tools=Bash"]).stdin("look").run().expect_code(0);
        assert_eq!(output.last_result()["result"], "seen");
        assert!(api.turns()[1].conversation().contains("from-the-tool"));
    });
}

#[test]
fn a_structured_answer_comes_back_beside_the_text() {
    in_namespace(|| {
        let answer = json!({"count": 3});
        let api =
            MessagesApi::replying([Reply::tool("StructuredOutput", answer.clone()), Reply::text("done")]);
        let mut environment = environment();
        let schema =
            json!({"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]});
        let schema = format!("--json-schema={schema}");
        let output = claude(&mut environment, &api, &[&schema]).stdin("count").run().expect_code(0);
        assert_eq!(output.last_result()["structured_output"], answer);
        assert!(api.turns()[0].tools().contains(&"StructuredOutput"));
    });
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
        assert!(second["total_cost_usd"].as_f64() > first["total_cost_usd"].as_f64());
    });
}

#[test]
fn a_budget_stop_is_an_error_of_its_own() {
    in_namespace(|| {
        let api = MessagesApi::replying([Reply::bash("true").usage(1_000_000, 100_000), Reply::text("late")]);
        let mut environment = environment();
        let arguments = ["--max-budget-usd=0.5", "--allowed-tools=Bash"];
        let output = claude(&mut environment, &api, &arguments).stdin("spend").run().expect_code(1);
        assert_eq!(output.last_result()["subtype"], "error_max_budget_usd");
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
