//! Claude Code as the one who dispatches: what `init` tells it, and the hook that wakes its model.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{AGENT, Scene};
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;
use test_support::{Invocation, PATIENCE, Running, programs, wait_until};

/// An agent that works until `go` exists.
const HELD: &str = "backend: command\ncommand: [sh, -c, \"touch began; until [ -e go ]; do sleep 0.05; done; echo released\"]";

/// The server that claude is given.
fn server() -> Value {
    json!({"command": programs::agent_dispatch(), "args": ["serve-mcp"]})
}

/// A scene whose model dispatches, says so, and has more to say when it is asked again.
fn scene() -> Scene {
    let input = json!({"agent": AGENT, "task": "hold on", "background": true});
    let replies = [
        Reply::tool("mcp__agent-dispatch__dispatch", input),
        Reply::text("It is on its way."),
        Reply::text("It is done."),
    ];
    Scene::new(HELD, replies)
}

/// The claude of the scene, which goes on until its standard input ends, after the model's second reply.
fn session(scene: &Scene) -> Running {
    scene.environment.command(["init", "--with-hook", "--no-register"]).run().expect_code(0);
    let servers = scene.environment.root().join("servers.json");
    let document = json!({"mcpServers": {"agent-dispatch": server()}});
    fs::write(&servers, document.to_string()).expect("a file with the server");
    let mut claude = claude(scene, &["-p", "--verbose", "--input-format=stream-json"])
        .args(["--output-format=stream-json", "--allowed-tools=mcp__agent-dispatch__dispatch"])
        .arg(format!("--mcp-config={}", servers.display()))
        .stdin_open()
        .spawn();
    let message = json!({"type": "user", "message": {"role": "user", "content": "dispatch it"}});
    claude.write(&format!("{message}\n"));
    claude.wait_for_stdout("It is on its way.");
    scene.wait_for_file("began");
    claude
}

fn claude(scene: &Scene, arguments: &[&str]) -> Invocation {
    let program = programs::claude().expect("in_namespace made sure of it");
    scene.environment.program(&program, arguments)
}

fn hooks(scene: &Scene) -> usize {
    scene.environment.processes().iter().filter(|line| line.ends_with("hook claude-code")).count()
}

#[test]
fn the_hook_wakes_the_model_when_the_job_is_over() {
    in_namespace(|| {
        let scene = scene();
        let mut claude = session(&scene);
        wait_until(PATIENCE, "the hook runs", || hooks(&scene) > 0);
        assert_eq!(scene.api.turns().len(), 2, "nobody waits for the hook");
        fs::write(scene.project.join("go"), "").unwrap();
        scene.wait_for_turns(3);
        let record = scene.environment.only_record();
        let told = scene.last_told();
        let line = format!(
            "From agent-dispatch: A job you dispatched has finished. {AGENT} (job {}): done in ",
            record["id"].as_str().unwrap()
        );
        assert!(told.contains(&line), "{line} is missing in\n{told}");
        assert!(told.contains("Call dispatch_result with this job_id to read the answer."), "{told}");
        claude.wait_for_stdout("It is done.");
        claude.close_stdin();
        claude.wait().expect_code(0);
    });
}

#[test]
fn the_hook_ends_with_its_claude_and_the_job_goes_on() {
    in_namespace(|| {
        for signal in [libc::SIGTERM, libc::SIGKILL] {
            let scene = scene();
            let claude = session(&scene);
            wait_until(PATIENCE, "the hook runs", || hooks(&scene) > 0);
            claude.signal(signal);
            claude.wait();
            wait_until(PATIENCE, "the hook ends", || hooks(&scene) == 0);
            let id = scene.environment.job_ids().remove(0);
            assert_eq!(scene.status(&id)["status"], "running");
            fs::write(scene.project.join("go"), "").unwrap();
            scene.environment.command(["wait", &id]).run().expect_code(0);
        }
    });
}

#[test]
fn init_makes_the_tool_known_to_the_real_claude_and_keeps_its_files() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("hello")]);
        scene.environment.link("agent-dispatch", programs::agent_dispatch());
        let directory = scene.environment.home().join(".claude");
        fs::create_dir(&directory).unwrap();
        let settings = directory.join("settings.json");
        let before = "{\n  \"cleanupPeriodDays\": 1.0e2,\n  \"env\": {\"SEEN\": \"yes\"}\n}\n";
        fs::write(&settings, before).unwrap();

        for expected in ["registered the MCP server", "already registered"] {
            let output = scene.environment.command(["init", "--with-hook"]).run().expect_code(0);
            assert!(output.stdout.contains(expected), "{}", output.stdout);
        }
        assert_shown(&scene, &scene.environment.bin().join("agent-dispatch"), "serve-mcp");
        let after = fs::read_to_string(&settings).unwrap();
        assert!(after.starts_with(before.strip_suffix("\n}\n").unwrap()), "{after}");

        // Claude Code reads what became of its settings.
        let list = claude(&scene, &["mcp", "list"]).run().expect_code(0);
        assert!(list.stdout.contains("agent-dispatch: "), "{}", list.stdout);
        let output = claude(&scene, &["-p", "--output-format=json"]).stdin("hi").run().expect_code(0);
        assert_eq!(output.json()["result"], "hello");
        assert_eq!(output.stderr, "");

        let moved = scene.environment.command(["--jobs-dir", "jobs", "init"]).run().expect_code(0);
        assert!(moved.stdout.contains("replaced the MCP server"), "{}", moved.stdout);
        let arguments = format!("--jobs-dir {} serve-mcp", scene.environment.root().join("jobs").display());
        assert_shown(&scene, &scene.environment.bin().join("agent-dispatch"), &arguments);
    });
}

/// What `claude mcp get` says about our server.
#[track_caller]
fn assert_shown(scene: &Scene, command: &Path, arguments: &str) {
    let shown = claude(scene, &["mcp", "get", "agent-dispatch"]).run().expect_code(0).stdout;
    for line in
        ["Scope: User config", &format!("Command: {}", command.display()), &format!("Args: {arguments}")]
    {
        assert!(shown.contains(line), "{line} is missing in\n{shown}");
    }
}
