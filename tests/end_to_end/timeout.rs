//! A run that takes too long.

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn a_run_beyond_its_time_is_stopped_and_can_be_resumed() {
    in_namespace(|| {
        let scene = Scene::scripted("", |request| {
            let told = request.conversation();
            if told.contains("go on") { Reply::text("Finished.") } else { Reply::stall() }
        });
        let result = scene.run(["a long task", "--timeout", "6s", "--json"]).run().expect_code(124).json();
        assert_eq!((&result["error_type"], &result["success"]), (&json!("timeout"), &json!(false)));
        scene.environment.assert_nothing_running();
        let session = result["session_id"].as_str().expect("the session is known").to_owned();
        let hint = result["hint"].as_str().unwrap();
        let id = result["job_id"].as_str().unwrap();
        assert!(hint.contains(&format!("agent-dispatch resume {id} --timeout 12s")), "{hint}");

        let resume = scene.environment.command(["resume", id, "go on", "--timeout", "60s", "--json"]);
        let resumed = resume.run().expect_code(0).json();
        assert_eq!((&resumed["result"], &resumed["session_id"]), (&json!("Finished."), &json!(session)));
        assert!(scene.last_told().contains("a long task"), "the earlier conversation");
    });
}
