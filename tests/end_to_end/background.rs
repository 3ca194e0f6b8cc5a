//! Jobs that nobody watches.

use serde_json::json;

use crate::scene::{AGENT, HELD, Scene};
use crate::support::messages_api::Reply;
use crate::support::namespace::in_namespace;
use crate::support::programs;

#[test]
fn a_submitted_job_is_seen_followed_waited_for_and_read_by_others() {
    in_namespace(|| {
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(HELD), Reply::text("It is released.")]);
        let id = scene.submit(["hold on"]);
        scene.wait_for_file("began");
        let status = scene.status(&id);
        assert_eq!(status["status"], "running");
        assert!(status["progress"].as_str().unwrap().starts_with("Bash touch began"), "{status}");
        scene.environment.command(["result", &id]).run().expect_code(1);
        let follower = scene.environment.command(["logs", &id, "-f"]).spawn();
        follower.wait_for_stdout("→ Bash");
        let waiter = scene.environment.command(["wait", &id]).spawn();

        std::fs::write(scene.project.join("go"), "").unwrap();
        waiter.wait().expect_code(0);
        let log = follower.wait().expect_code(0).stdout;
        for line in
            ["started with", "→ Bash touch began", "← released", "It is released.", "turn over: success"]
        {
            assert!(log.contains(line), "{line} is missing in\n{log}");
        }
        assert_eq!(
            scene.environment.command(["result", &id]).run().expect_code(0).stdout,
            "It is released.\n"
        );
        let done = scene.status(&id);
        assert_eq!((&done["status"], done.get("progress")), (&json!("done"), None));
        let raw = scene.environment.command(["logs", &id, "--raw"]).run().expect_code(0);
        assert_eq!(raw.last_result()["result"], "It is released.");
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn a_submitted_job_outlives_the_group_it_was_submitted_from() {
    in_namespace(|| {
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(HELD), Reply::text("still here")]);
        let script =
            format!("'{}' submit {AGENT} 'hold on'; exec sleep 300", programs::agent_dispatch().display());
        let shell = scene.environment.program("/usr/bin/setsid".as_ref(), ["/bin/sh", "-c", &script]).spawn();
        scene.wait_for_file("began");
        scene.kill_group(shell.pid());
        let output = shell.wait();
        assert_eq!(output.signal, Some(libc::SIGKILL));
        let id = output.stdout.trim_end();
        assert_eq!(scene.status(id)["status"], "running");
        std::fs::write(scene.project.join("go"), "").unwrap();
        let result = scene.environment.command(["result", id, "--wait"]).run().expect_code(0);
        assert_eq!(result.stdout, "still here\n");
    });
}

#[test]
fn what_an_agent_leaves_running_ends_with_its_job() {
    in_namespace(|| {
        let command = "setsid sleep 300 > /dev/null 2>&1 & touch began";
        let scene = Scene::new("allowed_tools: [Bash]", [Reply::bash(command), Reply::text("It runs.")]);
        assert_eq!(scene.run(["start it"]).run().expect_code(0).stdout, "It runs.\n");
        assert!(scene.project.join("began").exists());
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn an_answer_counts_though_a_background_command_outlives_the_time() {
    in_namespace(|| {
        // Claude waits ten minutes for it; the model is not asked again.
        let server = json!({"command": "sleep 300", "description": "Serve", "run_in_background": true});
        let replies = [Reply::tool("Bash", server), Reply::text("It serves.")];
        let scene = Scene::new("allowed_tools: [Bash]\ntimeout: 8", replies);
        let output = scene.run(["serve"]).run().expect_code(0);
        assert_eq!(output.stdout, "It serves.\n");
        assert!(output.stderr.contains("the answer was complete"), "{}", output.stderr);
        assert_eq!(scene.api.turns().len(), 2);
        scene.environment.assert_nothing_running();
    });
}
