//! A config as the Python original writes and documents it works unchanged.

use std::fs;

use serde_json::json;

use test_support::TestEnvironment;

/// Every key the original knows.
const ORIGINAL: &str = include_str!("../fixtures/original-agents.yaml");

/// An environment with that config, and the three projects it names in the home directory.
fn environment() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for project in ["infra", "shop", "docs"] {
        fs::create_dir_all(environment.home().join("projects").join(project)).expect("a directory");
    }
    environment.write_config(ORIGINAL);
    environment
}

#[test]
fn every_key_is_known_and_means_what_it_meant() {
    let environment = environment();
    let output = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!(output.stderr, "", "nothing in it is worth a warning");
    let home = environment.home();
    assert_eq!(
        output.json(),
        json!([
            {
                "name": "infra",
                "directory": home.join("projects/infra"),
                "description": "Servers, Docker and deployments",
                "timeout": 600,
                "max_budget_usd": 2.5,
                "model": "sonnet",
                "permission_mode": "acceptEdits",
                "allowed_tools": ["Read", "Grep", "Bash(docker ps:*)"],
                "disallowed_tools": ["Write"],
                "capabilities": ["logs", "deployments"],
                "risky_capabilities": ["restart services"],
                "instructions": "Check the logs first.\nNever restart production.\n",
                "backend": "claude",
                "exists": true,
            },
            {
                "name": "shop",
                "directory": home.join("projects/shop"),
                "description": "The web shop",
                "allowed_tools": [],
                "backend": "claude",
                "exists": true,
            },
            { "name": "docs", "directory": home.join("projects/docs"), "backend": "claude", "exists": true },
        ])
    );
    let effective = |name: &str| {
        let shown = environment.command(["agents", "show", name, "--json"]).run().expect_code(0).json();
        shown["effective"].clone()
    };
    assert_eq!(
        effective("docs"),
        json!({
            "timeout_seconds": 300.0,
            "max_budget_usd": 1.0,
            "permission_mode": "default",
            "allowed_tools": ["Read", "Grep", "Glob"],
            "disallowed_tools": ["Bash(rm:*)"],
        })
    );
    // An empty list is none, not unset.
    assert_eq!(effective("shop")["allowed_tools"], json!([]));
}

#[test]
fn tasks_are_dispatched_with_it() {
    let environment = environment();
    let task = "fake: cwd\nfake: echo-args";
    let output = environment.command(["run", "infra", task]).run().expect_code(0);
    assert!(output.stdout.starts_with(environment.home().join("projects/infra").to_str().unwrap()));
    for argument in ["--model=sonnet", "--permission-mode=acceptEdits", "Bash(docker ps:*)"] {
        assert!(output.stdout.contains(argument), "{argument} is not in {}", output.stdout);
    }
    let output =
        environment.command(["run", "shop", "--group", "platform", "fake: echo-prompt"]).run().expect_code(0);
    assert!(output.stdout.contains("Staging is at staging.example.com."), "{}", output.stdout);
}

#[test]
fn an_edit_changes_what_was_asked_for_and_no_other_byte() {
    let environment = environment();
    let update = ["agents", "update", "infra", "--timeout", "20m"];
    environment.command(update).run().expect_code(0);
    let text = fs::read_to_string(environment.config()).unwrap();
    assert_eq!(text, ORIGINAL.replace("timeout: 600", "timeout: 1200"));
}
