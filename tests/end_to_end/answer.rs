//! A task that is simply answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;
use test_support::{PATIENCE, wait_until};

#[test]
fn the_answer_is_all_there_is_on_stdout() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("Forty-two.\n\nSTATUS: done")]);
        let output = scene.run(["what is it?"]).run().expect_code(0);
        assert_eq!(output.stdout, "Forty-two.\n\nSTATUS: done\n");
        assert!(scene.last_told().contains("user: "), "{}", scene.last_told());
        assert!(scene.last_told().contains("what is it?"));
        assert_eq!(scene.api.turns().len(), 1);

        let record = scene.environment.only_record();
        assert_eq!((&record["status"], &record["task"]), (&json!("done"), &json!("what is it?")));
        assert_eq!(record["directory"], scene.project.to_str().unwrap());
        assert_eq!(record["result"]["outcome"], "done");
        assert!(!record.to_string().contains("sk-fake"), "the key is in the record");
    });
}

#[test]
fn the_result_tells_cost_session_model_turns_and_duration() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("yes").usage(1_000, 1_000)]);
        let result = scene.run(["is it so?", "--json"]).run().expect_code(0).json();
        assert_eq!((&result["success"], &result["result"]), (&json!(true), &json!("yes")));
        assert!(result["cost_usd"].as_f64().unwrap() > 0.0, "{result}");
        assert!(result["duration_ms"].as_u64().unwrap() > 0, "{result}");
        assert_eq!((&result["num_turns"], &result["usage"]["output_tokens"]), (&json!(1), &json!(1_000)));
        assert_eq!(result["model"], scene.api.turns()[0].body["model"]);
        let record = scene.environment.only_record();
        assert_eq!((&result["session_id"], &result["job_id"]), (&record["session_id"], &record["id"]));
    });
}

#[test]
fn the_agent_knows_its_own_projects_instructions() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("ok")]);
        std::fs::write(scene.project.join("CLAUDE.md"), "The deploy key lives in vault-seventeen.").unwrap();
        scene.run(["where is the key?"]).run().expect_code(0);
        assert!(scene.last_told().contains("vault-seventeen"));
        assert!(scene.last_told().contains(scene.project.to_str().unwrap()), "the working directory");
    });
}

#[test]
fn two_agents_work_in_one_directory_at_once() {
    in_namespace(|| {
        let asked = AtomicUsize::new(0);
        let scene = Scene::scripted("", move |request| {
            // Nobody is answered before both have asked.
            asked.fetch_add(1, Ordering::SeqCst);
            wait_until(PATIENCE, "the other agent asks", || asked.load(Ordering::SeqCst) >= 2);
            let told = request.conversation();
            Reply::text(if told.contains("task number one") { "one" } else { "two" })
        });
        let first = scene.run(["task number one"]).spawn();
        let second = scene.run(["task number two"]).spawn();
        assert_eq!(first.wait().expect_code(0).stdout, "one\n");
        assert_eq!(second.wait().expect_code(0).stdout, "two\n");
        let ids = scene.environment.job_ids();
        let session = |id: &String| scene.environment.record(id)["session_id"].clone();
        assert_ne!(session(&ids[0]), session(&ids[1]));
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn a_background_command_is_waited_for_and_its_outcome_reported() {
    in_namespace(|| {
        let background = json!({"command": "sleep 0.5", "description": "Wait", "run_in_background": true});
        let scene = Scene::new(
            "allowed_tools: [Bash]",
            [
                Reply::tool("Bash", background).usage(1_000, 1_000),
                Reply::text("It runs.").usage(1_000, 1_000),
                Reply::text("It has finished.").usage(1_000, 1_000),
            ],
        );
        let result = scene.run(["wait", "--json"]).run().expect_code(0).json();
        assert_eq!(result["result"], "It has finished.");
        assert_eq!(result["num_turns"], 3);
        let each = result["cost_usd"].as_f64().unwrap() / 3.0;
        let again = scene.run(["once more", "--json"]).run().expect_code(0).json();
        let one = again["cost_usd"].as_f64().unwrap();
        assert!((each - one).abs() < 1e-9, "three turns cost {}, one costs {one}", each * 3.0);
        Scene::within(Duration::from_secs(5), || scene.environment.assert_nothing_running());
    });
}
