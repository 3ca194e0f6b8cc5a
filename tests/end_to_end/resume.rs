//! Going on with a session.

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;
use test_support::programs;

#[test]
fn a_resumed_session_knows_what_was_said_and_costs_only_its_own_turns() {
    in_namespace(|| {
        for claude in programs::claudes() {
            let replies = ["I am Ann.", "You asked my name.", "Nothing else."];
            let scene = Scene::with(&claude, "", replies.map(|text| Reply::text(text).usage(100_000, 10)));
            let first = scene.run(["what is your name?", "--json"]).run().expect_code(0).json();
            let session = first["session_id"].as_str().unwrap();
            assert_eq!(scene.environment.only_record()["session_id"], session, "the one that was chosen");
            let cost = first["cost_usd"].as_f64().unwrap();
            let cap = (cost * 1.5).to_string();
            for task in ["what did I ask?", "what else?"] {
                let arguments = [task, "--session", session, "--max-budget-usd", &cap, "--json"];
                let next = scene.run(arguments).run().expect_code(0).json();
                assert_eq!((&next["session_id"], next.get("hint")), (&first["session_id"], None));
                let difference = next["cost_usd"].as_f64().unwrap() - cost;
                assert!(difference.abs() < 1e-9, "the first run cost {cost}, this one {}", next["cost_usd"]);
                assert_eq!(next.get("budget_exceeded"), None, "earlier runs do not count");
            }
            let told = scene.last_told();
            for text in
                ["what is your name?", "I am Ann.", "what did I ask?", "You asked my name.", "what else?"]
            {
                assert!(told.contains(text), "{text}");
            }
        }
    });
}

#[test]
fn a_session_that_does_not_exist_is_not_found() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("never asked")]);
        let unknown = uuid::Uuid::new_v4().to_string();
        let result = scene.run(["go on", "--session", &unknown, "--json"]).run().expect_code(3).json();
        assert_eq!((&result["error_type"], result.get("session_id")), (&json!("not_found"), None));
        assert!(result["hint"].as_str().unwrap().contains("without `--session`"), "{result}");
        assert!(scene.api.turns().is_empty());
        // Once claude keeps a session, its files tell which others it does not have.
        scene.run(["begin"]).run().expect_code(0);
        let jobs = scene.environment.job_ids().len();
        let refused = scene.run(["go on", "--session", &unknown]).run().expect_code(3);
        assert!(refused.stderr.contains("Claude Code has no session"), "{}", refused.stderr);
        assert_eq!(scene.environment.job_ids().len(), jobs, "no job was made");
    });
}
