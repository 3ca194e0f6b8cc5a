//! Stopping a job in the middle of its work.

use std::time::Duration;

use serde_json::json;

use crate::scene::{HELD, Scene};
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn nothing_a_cancelled_agent_started_goes_on() {
    in_namespace(|| {
        // In a session of its own, in the background, and in the foreground.
        let command = format!("setsid sleep 300 & sleep 301 & (setsid sleep 302 &) ; {HELD}");
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(&command), Reply::text("never said")]);
        let id = scene.submit(["start everything"]);
        scene.wait_for_file("began");
        let running = scene.environment.processes().join("\n");
        for sleep in ["sleep 300", "sleep 301", "sleep 302"] {
            assert!(running.contains(sleep), "{sleep} is not running:\n{running}");
        }
        let cancel = scene.environment.command(["cancel", &id, "--json"]);
        let told = Scene::within(Duration::from_secs(15), || cancel.run().expect_code(0)).json();
        assert_eq!(told[0]["status"], "cancelled");
        scene.environment.assert_nothing_running();
        let record = scene.environment.record(&id);
        assert_eq!(
            (&record["status"], &record["result"]["error_type"]),
            (&json!("cancelled"), &json!("cancelled"))
        );
        assert!(record["result"]["hint"].as_str().unwrap().contains(&format!("resume {id}")));
        scene.environment.command(["wait", &id]).run().expect_code(130);
    });
}

#[test]
fn a_job_whose_api_says_nothing_is_cancelled_as_quickly() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::stall()]);
        let id = scene.submit(["wait for nothing"]);
        scene.wait_for_turns(1);
        let cancel = scene.environment.command(["cancel", &id]);
        Scene::within(Duration::from_secs(15), || cancel.run().expect_code(0));
        assert_eq!(scene.environment.record(&id)["status"], "cancelled");
        scene.environment.assert_nothing_running();
    });
}
