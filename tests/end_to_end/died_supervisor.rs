//! A supervisor that is killed.

use serde_json::json;

use crate::scene::{HELD, Scene};
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;
use test_support::{PATIENCE, wait_until};

#[test]
fn a_killed_supervisor_leaves_a_lost_job_and_no_process() {
    in_namespace(|| {
        let command = format!("setsid sleep 300 & {HELD}");
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(&command), Reply::text("resumed")]);
        let id = scene.submit(["hold on"]);
        scene.wait_for_file("began");
        let processes = scene.environment.processes();
        let supervisor =
            processes.iter().find(|process| process.contains("__supervise")).expect("a supervisor");
        let claude = processes.iter().find(|process| process.contains("--output-format")).expect("a claude");
        let pid = |process: &String| process.split(':').next().unwrap().parse::<i32>().unwrap();
        scene.kill(pid(supervisor));
        let proc = format!("/proc/{}/cmdline", pid(claude));
        wait_until(PATIENCE, "claude dies with its supervisor", || {
            std::fs::read(&proc).is_ok_and(|line| line.is_empty()) || std::fs::metadata(&proc).is_err()
        });

        let status = scene.status(&id);
        assert_eq!((&status["status"], &status["result"]["error_type"]), (&json!("failed"), &json!("lost")));
        let session = status["session_id"].as_str().unwrap();
        assert!(status["result"]["hint"].as_str().unwrap().contains(&format!("resume {id}")), "{status}");
        scene.environment.assert_nothing_running();

        std::fs::remove_file(scene.project.join("began")).unwrap();
        let resumed = scene.run(["go on", "--session", session]).run().expect_code(0);
        assert_eq!(resumed.stdout, "resumed\n");
        assert!(scene.last_told().contains("hold on"));
    });
}
