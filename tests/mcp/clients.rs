//! Clients of others: the Python and TypeScript SDKs in both of their lines, and the Inspector.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::with_agent;
use test_support::{Invocation, TestEnvironment, programs, skip};

/// Interpreters start slowly, and these start several at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where `tests/install-mcp-clients` put them; where it did not, the calling test says so and ends.
fn clients() -> Option<PathBuf> {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mcp-clients");
    if clients.join("stamp").exists() {
        return Some(clients);
    }
    skip("the MCP clients are not installed: run tests/install-mcp-clients");
    None
}

/// A client of ours on an SDK, told how to start the server.
fn client(environment: &TestEnvironment, clients: &Path, script: &str, words: &[&str]) -> Invocation {
    let interpreter = clients.join(if script.ends_with(".py") { "python" } else { "node" });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp-clients").join(script);
    let mut arguments: Vec<&OsStr> = vec![script.as_os_str()];
    arguments.extend(words.iter().map(OsStr::new));
    arguments.extend([programs::agent_dispatch().as_os_str(), OsStr::new("serve-mcp")]);
    let invocation = environment.program(&interpreter, arguments).deadline(PATIENCE);
    invocation.env("MCP_CLIENTS", clients).env("PYTHONDONTWRITEBYTECODE", "1")
}

/// Runs it and looks at what it found.
#[track_caller]
fn check(environment: &TestEnvironment, client: Invocation, revision: Option<&str>) {
    let output = client.run().expect_code(0);
    let found = output.json();
    if let Some(revision) = revision {
        assert_eq!(found["revision"], revision, "{found}");
    }
    assert_eq!(found["server"], "agent-dispatch");
    let tools = found["tools"].as_array().expect("tools");
    assert!(tools.len() == 8 && tools[0] == "dispatch", "{found}");
    assert_eq!(found["agents"]["agents"][0]["name"], "infra");
    assert_eq!((&found["answer"]["result"], &found["answer"]["success"]), (&json!("hello"), &json!(true)));
    let progress = found["progress"].as_array().expect("progress");
    assert!(!progress.is_empty() && progress.iter().all(Value::is_string), "{found}");
    assert!(found["refused"].as_str().is_some_and(|text| text.contains("'nobody'")), "{found}");
    assert_eq!((&found["unknown"], &found["cancelled"]), (&json!(-32602), &json!("cancelled")), "{found}");
    environment.assert_nothing_running();
}

#[test]
fn the_python_sdk_1_works() {
    let Some(clients) = clients() else { return };
    let environment = with_agent();
    let client =
        client(&environment, &clients, "python_1.py", &[]).env("PYTHONPATH", clients.join("python-1"));
    check(&environment, client, Some("2025-11-25"));
}

#[test]
fn the_python_sdk_2_works_with_and_without_sessions() {
    let Some(clients) = clients() else { return };
    for (mode, revision) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let environment = with_agent();
        let client = client(&environment, &clients, "python_2.py", &[mode]);
        check(&environment, client.env("PYTHONPATH", clients.join("python-2")), Some(revision));
    }
}

#[test]
fn the_typescript_sdk_1_works() {
    let Some(clients) = clients() else { return };
    let environment = with_agent();
    check(&environment, client(&environment, &clients, "typescript.mjs", &["1", "legacy"]), None);
}

#[test]
fn the_typescript_sdk_2_works_with_and_without_sessions() {
    let Some(clients) = clients() else { return };
    for (mode, revision) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let environment = with_agent();
        let client = client(&environment, &clients, "typescript.mjs", &["2", mode]);
        check(&environment, client, Some(revision));
    }
}

/// The Inspector on the command line, in one era.
fn inspect(environment: &TestEnvironment, clients: &Path, era: &str, words: &[&str]) -> Value {
    let inspector =
        clients.join("npm/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");
    let mut arguments: Vec<&OsStr> = vec![inspector.as_os_str(), OsStr::new("--cli")];
    arguments.push(programs::agent_dispatch().as_os_str());
    arguments.extend(["serve-mcp", "--protocol-era", era, "--format", "json"].map(OsStr::new));
    arguments.extend(words.iter().map(OsStr::new));
    let output =
        environment.program(&clients.join("node"), arguments).deadline(PATIENCE).run().expect_code(0);
    assert!(!output.stderr.to_lowercase().contains("warn"), "{era} {words:?}: {}", output.stderr);
    output.json()
}

#[test]
fn the_inspector_has_nothing_to_complain_about() {
    let Some(clients) = clients() else { return };
    let environment = with_agent();
    for era in ["legacy", "modern"] {
        let listed = inspect(&environment, &clients, era, &["--method", "tools/list", "--strict"]);
        assert!(listed.to_string().contains("dispatch_result"), "{listed}");
        let call = ["--method", "tools/call", "--tool-name", "dispatch", "--tool-args-json"];
        let arguments = json!({"agent": "infra", "task": "fake: answer inspected"}).to_string();
        let called = inspect(&environment, &clients, era, &[&call[..], &[arguments.as_str()]].concat());
        assert!(called.to_string().contains("inspected"), "{called}");
    }
    environment.assert_nothing_running();
}
