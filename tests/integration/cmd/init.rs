//! `init` creates a config, registers the MCP server with `claude`, puts the hook into Claude Code's settings, and
//! leaves alone what is there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use test_support::{Invocation, TestEnvironment, programs, quoted};

/// An environment where the tool is on the `PATH`, and a `claude` that writes down how it was called.
fn installed() -> TestEnvironment {
    let environment = TestEnvironment::without_claude();
    environment.link("agent-dispatch", programs::agent_dispatch());
    let log = environment.root().join("calls");
    claude(
        &environment,
        &format!(
            "printf '%s\\n' \"$*\" >> '{}'; exec '{}' \"$@\"",
            log.display(),
            programs::fake_agent().display()
        ),
    );
    environment
}

/// Makes this shell script the `claude` of the environment. Another process writes it: a program that this one has
/// open for writing, or a fork of it, cannot be run.
fn claude(environment: &TestEnvironment, script: &str) {
    let program = environment.bin().join("claude");
    let write = ["-c".as_ref(), "cat > \"$0\" && chmod 755 \"$0\"".as_ref(), program.as_os_str()];
    let writer = environment.program("/bin/sh".as_ref(), write);
    writer.stdin(format!("#!/bin/sh\n{script}\n")).run().expect_code(0);
}

/// How `claude` was called so far.
fn calls(environment: &TestEnvironment) -> Vec<String> {
    let log = fs::read_to_string(environment.root().join("calls")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

fn init(environment: &TestEnvironment, options: &[&str]) -> Invocation {
    environment.command(["init"]).args(options)
}

/// What Claude Code has under our name.
fn registered(environment: &TestEnvironment) -> Value {
    let state = fs::read(environment.home().join(".claude.json")).expect("the state of claude");
    let mut state: Value = serde_json::from_slice(&state).expect("JSON");
    state["mcpServers"]["agent-dispatch"].take()
}

fn tool(environment: &TestEnvironment) -> PathBuf {
    environment.bin().join("agent-dispatch")
}

fn settings(environment: &TestEnvironment) -> PathBuf {
    let directory = environment.home().join(".claude");
    fs::create_dir_all(&directory).expect("a directory");
    directory.join("settings.json")
}

#[test]
fn the_config_it_creates_is_good_and_its_examples_are_too() {
    let environment = installed();
    let output = init(&environment, &["--no-register"]).run().expect_code(0);
    assert_eq!(output.stderr, "");
    assert_eq!(calls(&environment), [""; 0]);
    let next = "next:\n  agent-dispatch agents add NAME DIR\n  agent-dispatch run NAME \"…\"\n";
    assert!(output.stdout.ends_with(next), "{}", output.stdout);
    assert_eq!(environment.config().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(environment.config()).unwrap();
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!((listed.json(), listed.stderr.as_str()), (json!([]), ""));

    let examples: Vec<&str> = text
        .lines()
        .map(|line| if line.starts_with("##") { line } else { line.strip_prefix('#').unwrap_or(line) })
        .collect();
    environment.write_config(&examples.join("\n"));
    for directory in ["infra", "shop"] {
        fs::create_dir_all(environment.home().join("projects").join(directory)).unwrap();
    }
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!((listed.json().as_array().unwrap().len(), listed.stderr.as_str()), (2, ""));

    environment.write_config(&text);
    environment.command(["agents", "add", "here", "."]).run().expect_code(0);
    let edited = fs::read_to_string(environment.config()).unwrap();
    assert!(text.lines().all(|line| edited.contains(line)), "{edited}");
}

#[test]
fn a_config_that_is_there_stays_as_it_is() {
    let environment = installed();
    environment.project("infra");
    let text = fs::read(environment.config()).unwrap();
    let output = init(&environment, &[]).run().expect_code(0);
    assert_eq!(fs::read(environment.config()).unwrap(), text);
    let next = "next:\n  agent-dispatch agents list\n  agent-dispatch run infra \"…\"\n";
    assert!(output.stdout.ends_with(next), "{}", output.stdout);
    environment.write_config("agents: [");
    init(&environment, &[]).run().expect_code(2);
    assert_eq!(fs::read(environment.config()).unwrap(), b"agents: [");
}

#[test]
fn the_server_is_registered_once_by_the_path_a_user_calls_it_by() {
    let environment = installed();
    init(&environment, &[]).run().expect_code(0);
    let program = tool(&environment);
    let definition = json!({"type": "stdio", "command": program, "args": ["serve-mcp"]});
    assert_eq!(calls(&environment), [format!("mcp add-json agent-dispatch {definition} -s user")]);
    assert_eq!(registered(&environment), definition);
    let again = init(&environment, &[]).run().expect_code(0);
    assert!(again.stdout.contains("already registered"), "{}", again.stdout);
    assert_eq!(calls(&environment).len(), 1);
}

#[test]
fn a_server_with_another_command_is_replaced_and_keeps_what_the_user_gave_it() {
    let environment = installed();
    let state = environment.home().join(".claude.json");
    let old = json!({"command": "/old/agent-dispatch", "args": ["serve"], "env": {"A": "b"}});
    fs::write(&state, json!({"mcpServers": {"other": {}, "agent-dispatch": old}}).to_string()).unwrap();
    let output = init(&environment, &[]).run().expect_code(0);
    assert!(output.stdout.contains("replaced the MCP server"), "{}", output.stdout);
    assert!(output.stdout.contains("\n  it was: /old/agent-dispatch serve\n"), "{}", output.stdout);
    let calls = calls(&environment);
    assert_eq!(calls[0], "mcp remove agent-dispatch -s user");
    assert!(calls[1].starts_with("mcp add-json agent-dispatch {"), "{calls:?}");
    let program = tool(&environment);
    assert_eq!(
        registered(&environment),
        json!({"type": "stdio", "command": program, "args": ["serve-mcp"], "env": {"A": "b"}})
    );
}

#[test]
fn places_that_init_was_given_are_given_to_the_server_and_the_hook() {
    let environment = installed();
    let options = ["--config", "its own/a.yaml", "--jobs-dir", "jobs", "--with-hook", "--json"];
    let document = init(&environment, &options).run().expect_code(0).json();
    let config = environment.root().join("its own/a.yaml");
    let jobs = environment.root().join("jobs");
    assert!(config.exists() && !jobs.exists());
    assert_eq!(
        registered(&environment)["args"],
        json!(["--config", config, "--jobs-dir", jobs, "serve-mcp"])
    );
    let places = format!("--config {} --jobs-dir {}", quoted(&config), quoted(&jobs));
    let hook = format!("{} {places} hook claude-code", quoted(&tool(&environment)));
    assert_eq!(document["hook"]["command"], hook.as_str());
    assert_eq!(document["next"][0], format!("agent-dispatch {places} agents add NAME DIR"));
}

#[test]
fn what_was_done_is_told_as_json() {
    let environment = TestEnvironment::without_claude();
    let claude = Path::new("/bin/true");
    environment.link("claude", claude);
    let output = init(&environment, &["--json", "--with-hook"]).run().expect_code(0);
    assert_eq!(output.stderr, "");
    let program = programs::agent_dispatch().canonicalize().unwrap();
    let expected = json!({
        "config": {"action": "created", "path": environment.config()},
        "mcp_server": {
            "action": "registered", "name": "agent-dispatch", "command": program, "args": ["serve-mcp"],
        },
        "hook": {
            "action": "installed", "path": environment.home().join(".claude/settings.json"),
            "command": format!("{} hook claude-code", quoted(&program)),
        },
        "next": ["agent-dispatch agents add NAME DIR", "agent-dispatch run NAME \"…\""],
    });
    assert_eq!(output.json(), expected);
}

#[test]
fn without_claude_it_says_what_to_do_later_and_succeeds() {
    let environment = TestEnvironment::without_claude();
    let output = init(&environment, &[]).run().expect_code(0);
    assert!(environment.config().exists());
    assert!(output.stdout.contains("did not register"), "{}", output.stdout);
    let hint =
        "npm install -g @anthropic-ai/claude-code`, then `claude` to log in, then `agent-dispatch init`\n";
    assert!(output.stderr.ends_with(hint), "{}", output.stderr);
    let document = init(&environment, &["--json"]).run().expect_code(0).json();
    assert_eq!(document["mcp_server"]["action"], "no_claude");
}

#[test]
fn a_claude_that_fails_is_quoted_with_the_command_to_run_by_hand() {
    let environment = installed();
    claude(&environment, "echo 'no room for servers' >&2; exit 7");
    let output = init(&environment, &[]).run().expect_code(1);
    assert!(
        output.stderr.contains("error: `claude mcp add-json` failed: no room for servers\n"),
        "{}",
        output.stderr
    );
    let definition = json!({"type": "stdio", "command": tool(&environment), "args": ["serve-mcp"]});
    let by_hand = format!("claude mcp add-json agent-dispatch '{definition}' -s user\n");
    assert!(output.stderr.ends_with(&by_hand), "{}", output.stderr);
    claude(&environment, "exit 7");
    let output = init(&environment, &[]).run().expect_code(1);
    assert!(output.stderr.contains("failed: it said nothing (exit status: 7)"), "{}", output.stderr);
}

#[test]
fn a_claude_that_hangs_is_given_up() {
    let environment = installed();
    claude(&environment, "sleep 300 & wait");
    let output = init(&environment, &[]).run().expect_code(1);
    let said = "error: `claude mcp add-json` failed: it did not answer within 20 s\n";
    assert!(output.stderr.contains(said), "{}", output.stderr);
    environment.assert_nothing_running();
}

#[test]
fn the_hook_goes_into_the_settings_and_nothing_else_there_changes() {
    let environment = installed();
    let path = settings(&environment);
    let dotfiles = environment.home().join("dotfiles.json");
    let before = "{\n\t\"model\": \"opus\",\n\t\"env\": {\"A\": \"\\u00e9\", \"B\": \"1\"}\n}\n";
    fs::write(&dotfiles, before).unwrap();
    fs::set_permissions(&dotfiles, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&dotfiles, &path).unwrap();

    init(&environment, &["--with-hook"]).run().expect_code(0);
    let after = fs::read_to_string(&dotfiles).unwrap();
    assert!(after.starts_with(before.trim_end().strip_suffix("\n}").unwrap()), "{after}");
    assert!(path.is_symlink());
    assert_eq!(dotfiles.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let hook = &serde_json::from_str::<Value>(&after).unwrap()["hooks"]["PostToolUse"][0]["hooks"][0];
    let command = format!("{} hook claude-code", quoted(&tool(&environment)));
    assert_eq!((&hook["command"], &hook["asyncRewake"]), (&json!(command), &json!(true)));

    let again = init(&environment, &["--with-hook"]).run().expect_code(0);
    assert!(again.stdout.contains("the hook is already in"), "{}", again.stdout);
    assert_eq!(fs::read_to_string(&dotfiles).unwrap(), after);

    fs::write(&dotfiles, after.replace(&command, "/old/agent-dispatch hook claude-code")).unwrap();
    let replaced = init(&environment, &["--with-hook"]).run().expect_code(0);
    assert!(replaced.stdout.contains("gave the hook its new command"), "{}", replaced.stdout);
    assert_eq!(fs::read_to_string(&dotfiles).unwrap(), after);
}

#[test]
fn settings_that_are_no_json_are_refused_and_stay() {
    let environment = installed();
    let path = settings(&environment);
    fs::write(&path, "{\"a\": 1, // mine\n}").unwrap();
    let output = init(&environment, &["--with-hook"]).run().expect_code(2);
    let message = format!("error: failed to put the hook into {}: it is not JSON: ", path.display());
    assert!(output.stderr.contains(&message), "{}", output.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\": 1, // mine\n}");
}

#[test]
fn a_state_of_claude_that_is_no_json_is_told_with_the_line() {
    let environment = installed();
    let state = environment.home().join(".claude.json");
    fs::write(&state, "{\n  \"a\": 1,\n}").unwrap();
    let output = init(&environment, &[]).run().expect_code(2);
    let message = format!("error: failed to register the MCP server: {} is not JSON: ", state.display());
    assert!(
        output.stderr.starts_with(&message) && output.stderr.contains(" at line 3 "),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("/.claude/backups; then repeat this"), "{}", output.stderr);
    assert_eq!(calls(&environment), [""; 0]);
}

#[test]
fn claude_config_dir_is_where_claude_codes_files_are() {
    let environment = installed();
    let directory = environment.root().join("elsewhere");
    fs::create_dir(&directory).unwrap();
    for expected in ["registered the", "already registered"] {
        let output = init(&environment, &["--with-hook"]).env("CLAUDE_CONFIG_DIR", &directory).run();
        assert!(output.expect_code(0).stdout.contains(expected), "{expected}");
    }
    assert!(directory.join("settings.json").exists() && !environment.home().join(".claude").exists());
    assert_eq!(calls(&environment).len(), 1);
}
