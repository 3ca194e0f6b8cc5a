//! Ctrl-C on a run that is watched.

use std::time::Duration;

use serde_json::json;

use crate::scene::{HELD, Scene};
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn an_interrupted_run_stops_its_agent_and_can_be_resumed() {
    in_namespace(|| {
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(HELD), Reply::text("resumed")]);
        let run = scene.run(["hold on"]).spawn();
        scene.wait_for_file("began");
        run.signal(libc::SIGINT);
        let output = Scene::within(Duration::from_secs(15), || run.wait()).expect_code(130);
        assert_eq!(output.stdout, "");
        let record = scene.environment.only_record();
        assert_eq!(record["status"], "cancelled");
        scene.environment.assert_nothing_running();

        let session = record["session_id"].as_str().unwrap();
        let resumed = scene.run(["go on", "--session", session, "--json"]).run().expect_code(0).json();
        assert_eq!((&resumed["result"], &resumed["session_id"]), (&json!("resumed"), &json!(session)));
        let told = scene.last_told();
        assert!(told.contains("hold on") && told.contains("go on"), "{told}");
    });
}

#[test]
fn a_run_that_is_killed_takes_its_agent_along() {
    in_namespace(|| {
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(HELD)]);
        let run = scene.run(["hold on"]).spawn();
        scene.wait_for_file("began");
        scene.kill(run.pid());
        assert_eq!(run.wait().signal, Some(libc::SIGKILL));
        let id = &scene.environment.job_ids()[0];
        scene.environment.command(["wait", id]).run().expect_code(130);
        assert!(scene.environment.record(id)["error"].as_str().unwrap().contains("went away"));
        scene.environment.assert_nothing_running();
    });
}
