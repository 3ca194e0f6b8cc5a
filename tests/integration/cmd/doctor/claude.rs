//! Claude Code itself, its login, and this tool as its MCP server.

use super::*;

#[test]
fn what_is_wrong_with_claude_is_told() {
    const INSTALL: &str = "npm install -g @anthropic-ai/claude-code";
    check(&[
        (
            |environment| fs::remove_file(environment.bin().join("claude")).unwrap(),
            &[("claude-found", "error", INSTALL)],
        ),
        (
            |environment| replace_claude(environment, "echo 'Cannot find module' >&2; exit 1"),
            &[("claude-version", "error", INSTALL)],
        ),
        (
            |environment| replace_claude(environment, "echo '1.0.0 (Claude Code)'"),
            &[("claude-options", "error", "claude update")],
        ),
        (
            |environment| fs::remove_file(environment.home().join(".claude/.credentials.json")).unwrap(),
            &[("claude-login", "error", "claude auth login")],
        ),
        (
            |environment| fs::write(environment.home().join(".claude/settings.json"), "{").unwrap(),
            &[("claude-files", "warning", "${EDITOR:-vi} HOME/.claude/settings.json")],
        ),
    ]);
}

#[test]
fn a_key_that_is_billed_instead_of_the_subscription_is_told() {
    let mut environment = healthy();
    environment.variable("ANTHROPIC_API_KEY", "sk-not-shown");
    let fix = "unset ANTHROPIC_API_KEY".to_owned();
    assert_eq!(problems(&environment), [("claude-login".to_owned(), "note".to_owned(), fix)]);
    let output = environment.command(["doctor"]).run().expect_code(0);
    assert!(output.stdout.contains("which bills the API"), "{}", output.stdout);
    assert!(!output.stdout.contains("sk-not-shown"));
}

#[test]
fn without_an_agent_that_needs_it_claude_may_be_missing() {
    let environment = TestEnvironment::without_claude();
    environment.project_with("tool", "backend: command\ncommand: [cat]");
    let levels: Vec<(String, String)> =
        problems(&environment).into_iter().map(|(id, level, _)| (id, level)).collect();
    let note = |id: &str| (id.to_owned(), "note".to_owned());
    assert_eq!(levels, [note("claude-found"), note("claude-login"), note("mcp-registered")]);
}

#[test]
fn what_is_wrong_with_the_mcp_server_is_told() {
    const AGAIN: &str = "claude mcp remove agent-dispatch -s user && agent-dispatch init";
    check(&[
        (
            |environment| fs::remove_file(state(environment)).unwrap(),
            &[("mcp-registered", "note", "agent-dispatch init")],
        ),
        (
            |environment| write(&state(environment), &registered(Path::new("/missing/agent-dispatch"))),
            &[("mcp-command", "error", AGAIN)],
        ),
        (
            |environment| {
                let mut state_now = registered(programs::agent_dispatch());
                state_now["mcpServers"]["agent-dispatch"]["args"] = json!([]);
                write(&state(environment), &state_now);
            },
            &[("mcp-command", "error", AGAIN)],
        ),
        (
            |environment| fs::write(state(environment), "{\n  oops\n}").unwrap(),
            &[("claude-files", "warning", "${EDITOR:-vi} HOME/.claude.json"), ("mcp-registered", "note", "")],
        ),
        (
            |environment| {
                let broken = environment.root().join("agent-dispatch");
                fs::write(&broken, "#!/bin/sh\necho no >&2\nexit 1\n").unwrap();
                set_mode(&broken, 0o755);
                write(&state(environment), &registered(&broken));
            },
            &[("mcp-binary", "note", AGAIN), ("mcp-server", "error", AGAIN)],
        ),
        (
            |environment| {
                let old = environment.root().join("agent-dispatch");
                let answer =
                    r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"x","version":"0.0.1"}}}"#;
                fs::write(&old, format!("#!/bin/sh\nread request\necho '{answer}'\nread end\n")).unwrap();
                set_mode(&old, 0o755);
                write(&state(environment), &registered(&old));
            },
            &[("mcp-binary", "warning", AGAIN)],
        ),
    ]);
}

#[test]
fn nothing_of_what_a_registration_says_reaches_the_server() {
    let environment = healthy();
    let evil = environment.root().join("evil");
    let other = environment.root().join("other-jobs");
    let serve = |arguments: Value, environment: Value| {
        json!({"mcpServers": {"mine": {
            "command": programs::agent_dispatch(), "args": arguments, "env": environment,
        }}})
    };
    let project = environment.root().join("projects/api");
    for file in [
        serve(json!(["agents", "update", "api", "--description", "serve-mcp"]), json!({})),
        serve(json!(["--jobs-dir", other, "run", "api", "serve-mcp"]), json!({})),
        serve(json!(["--jobs-dir", other, "serve-mcp"]), json!({"AGENT_DISPATCH_CONFIG": evil})),
        // With which glibc's loader leaves a file for each process.
        serve(json!(["serve-mcp"]), json!({"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": evil})),
    ] {
        write(&project.join(".mcp.json"), &file);
        let before = fs::read_to_string(environment.config()).unwrap();
        let output = environment.command(["doctor"]).directory(&project).run();
        assert!(output.stdout.contains("'mine' in "), "{}", output.stdout);
        let files = fs::read_dir(environment.root()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!files.into_iter().any(|name| name.to_string_lossy().starts_with("evil")));
        assert_eq!(fs::read_to_string(environment.config()).unwrap(), before);
        assert!(!other.exists() && !environment.jobs_directory().join(".run").exists());
    }
}

#[test]
fn a_program_that_a_project_names_is_not_started() {
    let environment = healthy();
    let planted = environment.root().join("agent-dispatch");
    fs::write(&planted, "#!/bin/sh\ntouch \"$HOME/started\"\n").unwrap();
    set_mode(&planted, 0o755);
    write(&environment.root().join(".mcp.json"), &registered(&planted));
    assert_eq!(problems(&environment), [("mcp-command".to_owned(), "note".to_owned(), String::new())]);
    assert!(!environment.home().join("started").exists());
}

#[test]
fn a_server_with_another_config_or_other_jobs_is_told_with_both() {
    const AGAIN: &str = "claude mcp remove agent-dispatch -s user && agent-dispatch";
    let environment = healthy();
    let serve = |words: &[&str]| {
        let mut state_now = registered(programs::agent_dispatch());
        state_now["mcpServers"]["agent-dispatch"]["args"] = json!(words);
        write(&state(&environment), &state_now);
    };
    let team = environment.root().join("team/agents.yaml");
    let config = environment.config();
    let note = |options: &[&str]| {
        let document = environment.command(["doctor", "--json"]).args(options).run().json();
        let note =
            document["findings"].as_array().unwrap().iter().find(|note| note["id"] == "mcp-places").cloned();
        note.map(|note| {
            (note["found"].as_str().unwrap().to_owned(), note["fix"].as_str().unwrap().to_owned())
        })
    };
    serve(&["--config", team.to_str().unwrap(), "serve-mcp"]);
    let (found, fix) = note(&[]).expect("a note");
    let end = format!("serves the config {}, and this is a look at {}", team.display(), config.display());
    assert!(found.ends_with(&end), "{found}");
    assert_eq!(fix, format!("{AGAIN} init"));
    assert_eq!(note(&["--config", team.to_str().unwrap()]), None);

    serve(&["serve-mcp", &format!("--jobs-dir={}", environment.root().join("other").display())]);
    assert!(note(&[]).expect("a note").0.contains("/other, and this is a look at "));
    serve(&["serve-mcp"]);
    assert_eq!(note(&[]), None);
    let (_, fix) = note(&["--config", team.to_str().unwrap()]).expect("a note");
    assert_eq!(fix, format!("{AGAIN} --config {} init", quoted(&team)));
}
