//! `agents show`: one agent in full.

use std::fs;

use serde_json::{Value, json};

use test_support::TestEnvironment;

#[test]
fn people_get_yaml_without_what_says_nothing() {
    let environment = TestEnvironment::new();
    let infra = environment.project_with("infra", "timeout: 90\nallowed_tools: [Read]");
    fs::write(infra.join("Cargo.toml"), "").unwrap();
    let output = environment.command(["agents", "show", "infra"]).run().expect_code(0);
    assert_eq!(
        output.stdout,
        format!(
            "name: infra\ndirectory: {}\ndescription: the infra project\ntimeout: 90\nallowed_tools:\n- Read\n\
             backend: claude\neffective:\n  timeout_seconds: 90.0\n  allowed_tools:\n  - Read\nexists: true\n\
             has_claude_md: false\nstacks:\n- Rust\n",
            infra.display()
        )
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn json_tells_the_configured_from_the_effective() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    environment.configure(
        "groups:\n  ops:\n    members: [infra]\nsettings:\n  default_timeout: 10m\n  \
         default_max_budget_usd: 2\n  default_allowed_tools: [Read]\n  default_permission_mode: plan\n",
    );
    fs::write(infra.join("CLAUDE.md"), "x\n").unwrap();
    fs::write(infra.join(".mcp.json"), r#"{"mcpServers": {"github": {}}}"#).unwrap();
    fs::write(infra.join("alembic.ini"), "").unwrap();
    let shown = environment.command(["agents", "show", "infra", "--json"]).run().expect_code(0).json();
    assert_eq!(shown.get("timeout"), None);
    assert_eq!(
        shown["effective"],
        json!({
            "timeout_seconds": 600.0,
            "max_budget_usd": 2.0,
            "permission_mode": "plan",
            "allowed_tools": ["Read"],
            "disallowed_tools": [],
        })
    );
    assert_eq!(shown["groups"], json!(["ops"]));
    assert_eq!(shown["mcp_servers"], json!(["github"]));
    assert_eq!(shown["databases"], json!(["Alembic"]));
    assert_eq!((&shown["exists"], &shown["has_claude_md"]), (&Value::Bool(true), &Value::Bool(true)));

    fs::remove_dir_all(infra).unwrap();
    let shown = environment.command(["agents", "show", "infra", "--json"]).run().expect_code(0).json();
    assert_eq!((&shown["exists"], &shown["has_claude_md"]), (&Value::Bool(false), &Value::Bool(false)));
}

#[test]
fn nobody_of_that_name_is_not_found_and_the_nearest_is_named() {
    let environment = TestEnvironment::new();
    environment.project("frontend");
    for wrong in ["fronted", "FRONTEND", "front", "../frontend"] {
        for json in [&[][..], &["--json"]] {
            let output = environment.command(["agents", "show", wrong]).args(json).run().expect_code(3);
            assert_eq!(output.stdout, "");
            assert!(output.stderr.contains(&format!("there is no agent '{wrong}'")), "{}", output.stderr);
            assert!(output.stderr.contains("hint: did you mean 'frontend'?"), "{}", output.stderr);
        }
    }
    for wrong in ["zzz", "../zzz", ""] {
        let output = environment.command(["agents", "show", wrong]).run().expect_code(3);
        assert!(!output.stderr.contains("did you mean"), "{}", output.stderr);
        assert!(output.stderr.contains("agent-dispatch agents list"), "{}", output.stderr);
    }
}

#[test]
fn an_empty_list_of_tools_is_told_from_none() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "allowed_tools: []");
    environment.configure("settings:\n  default_allowed_tools: [Read]\n");
    let shown = environment.command(["agents", "show", "infra"]).run().expect_code(0).stdout;
    assert!(
        shown.contains("\nallowed_tools: none\n") && shown.contains("\n  allowed_tools: none\n"),
        "{shown}"
    );
    assert!(!shown.contains("disallowed_tools"), "{shown}");
    let json = environment.command(["agents", "show", "infra", "--json"]).run().expect_code(0).json();
    assert_eq!((&json["allowed_tools"], &json["effective"]["allowed_tools"]), (&json!([]), &json!([])));
}
