//! Jobs that nobody watches.

use serde_json::json;

use crate::scene::{AGENT, HELD, Scene};
use test_support::messages_api::{Reply, Request};
use test_support::namespace::in_namespace;
use test_support::programs;

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
            ["started with", "→ Bash touch began", "← released", "It is released.", "turn finished: success"]
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
        for claude in programs::claudes() {
            // 2.1.332 waits ten minutes for it, 2.1.197 five seconds; the model is not asked again.
            let server = json!({"command": "sleep 300", "description": "Serve", "run_in_background": true});
            let replies = [Reply::tool("Bash", server), Reply::text("It serves.")];
            let scene = Scene::with(&claude, "allowed_tools: [Bash]\ntimeout: 30", replies);
            let output = scene.run(["serve"]).run().expect_code(0);
            assert_eq!(output.stdout, "It serves.\n");
            assert!(
                output.stderr.contains("what it had left running was stopped: 'Serve'"),
                "{}",
                output.stderr
            );
            let result = &scene.environment.only_record()["result"];
            assert_eq!(
                (&result["success"], result["unfinished"][0]["kind"].as_str()),
                (&json!(true), Some("command"))
            );
            scene.environment.command(["result", "latest", "--strict"]).run().expect_code(9);
            assert_eq!(scene.api.turns().len(), 2);
            scene.environment.assert_nothing_running();
        }
    });
}

/// A call of another agent, which works in the background.
fn agent(prompt: &str) -> Reply {
    let input = json!({"description": "look deeper", "prompt": prompt, "subagent_type": "general-purpose",
        "run_in_background": true});
    Reply::tool("Agent", input)
}

/// What the agents say: the one that was called does what `below` says.
fn with_a_second_agent(below: Reply) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| {
        let told = request.conversation();
        match (told.contains("go deep"), told.contains("launched successfully")) {
            (true, false) => below.clone(),
            (_, true) => Reply::text("That is all."),
            _ => agent("go deep"),
        }
    }
}

#[test]
fn an_answer_without_an_agent_that_was_stopped_is_incomplete() {
    in_namespace(|| {
        for claude in programs::claudes() {
            let below = Reply::bash("for i in $(seq 600); do sleep 0.5; done");
            let mut scene = Scene::scripted_with(
                &claude,
                "allowed_tools: [Bash]\ntimeout: 120",
                with_a_second_agent(below),
            );
            scene.environment.variable("CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS", "2000");
            let result = scene.run(["look", "--json"]).run().expect_code(1).json();
            assert_eq!(
                (&result["error_type"], &result["result"]),
                (&json!("incomplete"), &json!("That is all."))
            );
            assert_eq!(
                result["unfinished"][0],
                json!({"kind": "agent", "what": "look deeper", "state": "stopped"}),
                "{result}"
            );
            scene.environment.assert_nothing_running();
        }
    });
}

#[test]
fn background_work_that_came_to_its_end_is_no_word_worth() {
    in_namespace(|| {
        for claude in programs::claudes() {
            let short =
                json!({"command": "sleep 1; echo built", "description": "Build", "run_in_background": true});
            let stays = json!({"command": "sleep 300", "description": "Serve", "run_in_background": true});
            let long = "for i in $(seq 8); do sleep 0.5; done; exit 3";
            // In the background, in the foreground for longer than 3 s, and stopped by the agent itself.
            let script = move |request: &Request| {
                let told = request.conversation();
                match request.body.to_string().matches("tool_use_id").count() {
                    0 => Reply::tool("Bash", short.clone()),
                    1 => Reply::bash(long),
                    2 => Reply::tool("Bash", stays.clone()),
                    3 => {
                        let id = told.rsplit("ID: ").next().unwrap_or_default();
                        let id: String = id.chars().take_while(char::is_ascii_alphanumeric).collect();
                        Reply::tool("TaskStop", json!({"task_id": id}))
                    }
                    _ => Reply::text("All done."),
                }
            };
            let scene = Scene::scripted_with(&claude, "allowed_tools: [Bash]\ntimeout: 120", script);
            let result = scene.run(["work", "--json", "--strict"]).run().expect_code(0).json();
            assert_eq!(result.get("unfinished"), None, "{result}");
            let second = with_a_second_agent(Reply::text("It is deep."));
            let scene = Scene::scripted_with(&claude, "timeout: 120", second);
            let result = scene.run(["look", "--json", "--strict"]).run().expect_code(0).json();
            assert_eq!(result.get("unfinished"), None, "{result}");
        }
    });
}
