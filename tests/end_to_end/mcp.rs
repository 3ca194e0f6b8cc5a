//! The real claude as a client of the MCP server, whose dispatches start further real claudes.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scene::{AGENT, HELD, Scene};
use test_support::messages_api::{Reply, Request};
use test_support::namespace::in_namespace;
use test_support::{Invocation, PATIENCE, programs, wait_until};

/// Whether a dispatched claude asks: it was told the rules of a dispatch.
fn is_dispatched(request: &Request) -> bool {
    request.system().contains("Dispatch protocol")
}

/// How often the model has answered in this conversation.
fn step(request: &Request) -> usize {
    let messages = request.body["messages"].as_array().into_iter().flatten();
    messages.filter(|message| message["role"] == "assistant").count()
}

fn call(tool: &str, input: Value) -> Reply {
    Reply::tool(&format!("mcp__agent-dispatch__{tool}"), input)
}

/// The outer claude, which knows the server and may use all of it.
fn outer(scene: &Scene) -> Invocation {
    let servers = scene.environment.root().join("servers.json");
    let server = json!({"command": programs::agent_dispatch(), "args": ["serve-mcp"]});
    fs::write(&servers, json!({"mcpServers": {"agent-dispatch": server}}).to_string()).expect("a file");
    let program = programs::claude().expect("in_namespace made sure of it");
    scene
        .environment
        .program(&program, ["-p", "--verbose", "--output-format=stream-json"])
        .args(["--allowed-tools=mcp__agent-dispatch", &format!("--mcp-config={}", servers.display())])
        .stdin("ask the worker")
}

/// What the outer model was told last.
fn outer_conversation(scene: &Scene) -> String {
    let turns = scene.api.turns();
    turns.iter().rfind(|turn| !is_dispatched(turn)).expect("the outer model was asked").conversation()
}

#[test]
fn the_server_is_connected_when_claude_looks() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("hello")]);
        scene.environment.command(["init"]).run().expect_code(0);
        let program = programs::claude().expect("in_namespace made sure of it");
        let list = scene.environment.program(&program, ["mcp", "list"]).run().expect_code(0);
        assert!(list.stdout.contains("Connected"), "{}", list.stdout);
    });
}

#[test]
fn a_claude_that_lists_the_agents_dispatches_to_a_second_claude() {
    in_namespace(|| {
        let scene = Scene::scripted("", |request| match (is_dispatched(request), step(request)) {
            (true, _) => Reply::text("The port is 8080.\n\nSTATUS: done"),
            (false, 0) => call("list_agents", json!({})),
            (false, 1) => call("dispatch", json!({"agent": AGENT, "task": "Which port?", "caller": "outer"})),
            (false, _) => Reply::text("It is 8080."),
        });
        let output = outer(&scene).run().expect_code(0);
        assert_eq!(output.last_result()["result"], "It is 8080.");
        let conversation = outer_conversation(&scene);
        assert!(conversation.contains("the worker project"), "{conversation}");
        assert!(conversation.contains("The port is 8080."), "{conversation}");
        assert!(conversation.contains("\"outcome\":\"done\""), "{conversation}");
        let record = scene.environment.only_record();
        assert_eq!((&record["status"], &record["caller"]), (&json!("done"), &json!("outer")));
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn two_dispatches_in_the_background_run_at_once_and_are_collected_together() {
    in_namespace(|| {
        let arrived = AtomicUsize::new(0);
        let scene = Scene::scripted("", move |request| {
            if is_dispatched(request) {
                // Neither is answered before both have come.
                arrived.fetch_add(1, Ordering::SeqCst);
                let end = Instant::now() + PATIENCE;
                while arrived.load(Ordering::SeqCst) < 2 && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let which =
                    if request.conversation().contains("first question") { "first" } else { "second" };
                return Reply::text(&format!("The {which} answer."));
            }
            let background = |task: &str| json!({"agent": AGENT, "task": format!("The {task} question"), "background": true});
            let tool = |name: &str| format!("mcp__agent-dispatch__{name}");
            match step(request) {
                0 => call("dispatch", background("first")).and_tool(&tool("dispatch"), background("second")),
                1 => {
                    let ids = job_ids(&request.conversation());
                    call("dispatch_result", json!({"job_id": ids[0]}))
                        .and_tool(&tool("dispatch_result"), json!({"job_id": ids[1]}))
                }
                _ => Reply::text("Both are there."),
            }
        });
        let output = outer(&scene).run().expect_code(0);
        assert_eq!(output.last_result()["result"], "Both are there.");
        let conversation = outer_conversation(&scene);
        for answer in ["The first answer.", "The second answer."] {
            assert!(conversation.contains(answer), "{answer} is missing in\n{conversation}");
        }
        scene.environment.assert_nothing_running();
    });
}

/// The ids of the jobs that results in a conversation name, in order.
fn job_ids(conversation: &str) -> Vec<String> {
    conversation.split("\"job_id\":\"").skip(1).map(|rest| rest.chars().take(32).collect()).collect()
}

/// An outer claude that waits for a dispatch, whose agent works until `go` exists.
fn waiting() -> Scene {
    Scene::scripted("allowed_tools: [Bash]", |request| match is_dispatched(request) {
        true if step(request) == 0 => Reply::bash(HELD),
        true => Reply::text("released"),
        false => call("dispatch", json!({"agent": AGENT, "task": "hold on"})),
    })
}

#[test]
fn an_interrupt_of_the_claude_that_waits_stops_what_it_dispatched() {
    in_namespace(|| {
        let scene = waiting();
        let claude = outer(&scene).spawn();
        scene.wait_for_file("began");
        claude.signal(libc::SIGINT);
        claude.wait();
        let id = scene.environment.job_ids().remove(0);
        wait_until(PATIENCE, "the job is stopped", || scene.status(&id)["status"] == "cancelled");
        scene.environment.assert_nothing_running();
    });
}

#[test]
fn what_a_claude_dispatched_that_was_killed_goes_on() {
    in_namespace(|| {
        let scene = waiting();
        let claude = outer(&scene).spawn();
        scene.wait_for_file("began");
        claude.signal(libc::SIGKILL);
        claude.wait();
        let id = scene.environment.job_ids().remove(0);
        let servers =
            || scene.environment.processes().iter().filter(|line| line.ends_with("serve-mcp")).count();
        wait_until(PATIENCE, "its server is gone", || servers() == 0);
        assert_eq!(scene.status(&id)["status"], "running");
        fs::write(scene.project.join("go"), "").unwrap();
        let result = scene.environment.command(["result", &id, "--wait"]).run().expect_code(0);
        assert_eq!(result.stdout, "released\n");
    });
}
