//! The real claude as an MCP client, and as the agent it dispatches to.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::scene::{AGENT, HELD, Scene};
use crate::support::messages_api::{Reply, Request};
use crate::support::namespace::in_namespace;
use crate::support::{Invocation, PATIENCE, programs, wait_until};

/// What begins the prompt of the claude that dispatches; no task of the other contains it.
const OUTER: &str = "You are the outer one.";

/// A claude that dispatches and one that works. Each reply is asked for with the number of the turn, from zero.
fn scene(
    outer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    worker: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
) -> Scene {
    let scene = Scene::scripted("allowed_tools: [Bash]", move |request| {
        let messages = request.body["messages"].as_array().expect("messages");
        let turn = messages.iter().filter(|message| message["role"] == "assistant").count();
        let is_outer = request.conversation().contains(OUTER);
        if is_outer { outer(turn, request) } else { worker(turn, request) }
    });
    let definition = json!({"command": programs::agent_dispatch(), "args": ["serve-mcp"]}).to_string();
    let add = ["mcp", "add-json", "agent-dispatch", &definition, "-s", "user"];
    scene.environment.program(&claude(), add).run().expect_code(0);
    scene
}

fn claude() -> std::path::PathBuf {
    programs::claude().expect("in_namespace made sure of it")
}

/// A tool of the server, as claude calls it.
fn tool(name: &str) -> String {
    format!("mcp__agent-dispatch__{name}")
}

/// The claude that dispatches, in a directory of its own.
fn outer(scene: &Scene) -> Invocation {
    let directory = scene.environment.root().join("outer");
    fs::create_dir_all(&directory).expect("a directory");
    let allowed = ["dispatch", "dispatch_result", "dispatch_parallel", "list_agents"].map(tool).join(",");
    let arguments = ["-p", "--output-format", "stream-json", "--verbose", "--allowedTools", &allowed];
    let prompt = format!("{OUTER} Begin.");
    scene.environment.program(&claude(), arguments).directory(directory).stdin(prompt)
}

/// What the last tool calls of this conversation gave.
fn results(request: &Request) -> String {
    let last = request.body["messages"].as_array().and_then(|messages| messages.last());
    last.map(|message| message["content"].to_string()).unwrap_or_default()
}

#[test]
fn claude_says_that_the_server_is_connected() {
    in_namespace(|| {
        let scene = scene(|_, _| Reply::text("x"), |_, _| Reply::text("x"));
        let listed = scene.environment.program(&claude(), ["mcp", "list"]).run().expect_code(0).stdout;
        let line = listed.lines().find(|line| line.starts_with("agent-dispatch:")).expect("the server");
        assert!(line.contains("Connected"), "{listed}");
    });
}

#[test]
fn claude_looks_who_there_is_and_dispatches_to_another_claude() {
    in_namespace(|| {
        let scene = scene(
            |turn, _| match turn {
                0 => Reply::tool(&tool("list_agents"), json!({})),
                1 => Reply::tool(&tool("dispatch"), json!({"agent": AGENT, "task": "Say who you are."})),
                _ => Reply::text("All is done."),
            },
            |_, _| Reply::text("I am the worker.\n\nSTATUS: done"),
        );
        let output = outer(&scene).run().expect_code(0);
        assert_eq!(output.last_result()["result"], "All is done.");
        let turns = scene.api.turns();
        let told: Vec<String> =
            turns.iter().filter(|turn| turn.conversation().contains(OUTER)).map(results).collect();
        assert!(told[1].contains(AGENT) && told[1].contains("the worker project"), "{}", told[1]);
        assert!(told[2].contains("I am the worker."), "{}", told[2]);
        let record = scene.environment.only_record();
        assert_eq!((&record["status"], &record["agent"]), (&json!("done"), &json!(AGENT)));
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn claude_collects_two_dispatches_that_ran_at_once() {
    in_namespace(|| {
        let dispatch = |task: &str| json!({"agent": AGENT, "task": task, "background": true});
        let scene = scene(
            move |turn, request| match turn {
                0 => Reply::tool(&tool("dispatch"), dispatch("Task one."))
                    .and_tool(&tool("dispatch"), dispatch("Task two.")),
                1 => {
                    let told = results(request);
                    let ids: Vec<&str> =
                        told.split(r#"job_id\":\""#).skip(1).map(|rest| &rest[..32]).collect();
                    assert_eq!(ids.len(), 2, "{told}");
                    let [one, two] = [ids[0], ids[1]].map(|id| json!({"job_id": id}));
                    Reply::tool(&tool("dispatch_result"), one).and_tool(&tool("dispatch_result"), two)
                }
                _ => Reply::text("All is done."),
            },
            |turn, request| match turn {
                // Neither ends before both have begun.
                0 if request.conversation().contains("Task one.") => {
                    Reply::bash("touch one; until [ -e two ]; do sleep 0.05; done")
                }
                0 => Reply::bash("touch two; until [ -e one ]; do sleep 0.05; done"),
                _ if request.conversation().contains("Task one.") => Reply::text("The first answer."),
                _ => Reply::text("The second answer."),
            },
        );
        let output = outer(&scene).run().expect_code(0);
        assert_eq!(output.last_result()["result"], "All is done.");
        let turns = scene.api.turns();
        let last = turns.iter().rfind(|turn| turn.conversation().contains(OUTER)).expect("a turn");
        let told = results(last);
        assert!(told.contains("The first answer.") && told.contains("The second answer."), "{told}");
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn a_claude_that_is_ended_during_a_call_leaves_the_job_and_nothing_else() {
    // claude -p takes nothing back when it is interrupted: it signals the server and goes, or is gone.
    in_namespace(|| {
        for (signal, code) in [(libc::SIGINT, Some(0)), (libc::SIGTERM, Some(143)), (libc::SIGKILL, None)] {
            let scene = scene(
                |turn, _| match turn {
                    0 => Reply::tool(&tool("dispatch"), json!({"agent": AGENT, "task": "Hold on."})),
                    _ => Reply::text("All is done."),
                },
                |turn, _| if turn == 0 { Reply::bash(HELD) } else { Reply::text("The work is kept.") },
            );
            let running = outer(&scene).spawn();
            scene.wait_for_file("began");
            running.signal(signal);
            let output = Scene::within(Duration::from_secs(15), || running.wait());
            assert_eq!(output.code, code, "signal {signal}: {}", output.stderr);
            // The worker is a claude with a server of its own.
            let servers =
                || scene.environment.processes().iter().filter(|line| line.ends_with(" serve-mcp")).count();
            wait_until(PATIENCE, "only the worker's server is left", || servers() == 1);
            let id = scene.environment.job_ids().remove(0);
            assert_eq!(scene.status(&id)["status"], "running", "signal {signal}");
            fs::write(scene.project.join("go"), "").expect("the gate");
            let result = scene.environment.command(["result", &id, "--wait"]).run().expect_code(0);
            assert_eq!(result.stdout, "The work is kept.\n");
            scene.environment.assert_nothing_running();
        }
    });
}
