//! Every example works: the config, the Makefile, the nightly batch, the set-up of a Claude Code project.
//! The git hooks and the review of pull requests have files of their own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::readme::{checkout, installed, which};
use test_support::TestEnvironment;

/// Where an example is.
pub(crate) fn example(name: &str) -> PathBuf {
    checkout().join("examples").join(name)
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Copies the files of an example.
pub(crate) fn copy(example: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(example).expect("an example") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
    }
}

/// Carries out the commands that an example's comments say are needed once, and says how many they were.
#[track_caller]
pub(crate) fn set_up(environment: &TestEnvironment, example: &Path, project: &Path) {
    let text = read(example);
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .filter(|line| line.starts_with("agent-dispatch "))
        .collect();
    assert!(!commands.is_empty(), "{} says how to register its agent", example.display());
    let script = format!("set -eu\n{}\n", commands.join("\n"));
    environment.program(Path::new("/bin/sh"), ["-c", &script]).directory(project).run().expect_code(0);
}

#[test]
fn the_schema_is_printed_as_it_is_committed() {
    let environment = TestEnvironment::new();
    environment.write_config("agents: [broken");
    let output = environment.command(["agents", "schema"]).run().expect_code(0);
    assert_eq!(output.stdout, read(&example("agents.schema.json")));
    assert_eq!(output.stderr, "");
}

#[test]
fn the_example_config_is_complete_valid_and_read_without_a_warning() {
    let environment = TestEnvironment::new();
    let text = read(&example("agents.yaml"));
    environment.write_config(&text);
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(2));
    assert_eq!(listed.stderr, "");

    let first = text.lines().next().expect("a line");
    assert_eq!(first, "# yaml-language-server: $schema=agents.schema.json");
    let schema: Value = serde_json::from_str(&read(&example("agents.schema.json"))).expect("JSON");
    for place in
        ["", "/$defs/agent", "/$defs/group", "/$defs/member/anyOf/1", "/$defs/settings", "/$defs/cache"]
    {
        for key in schema.pointer(place).expect(place)["properties"].as_object().expect(place).keys() {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            let given =
                lines.flat_map(|line| line.split([' ', '-', '{'])).any(|word| word == format!("{key}:"));
            assert!(given, "the example does not show {key}");
        }
    }
}

#[test]
fn every_config_that_is_committed_satisfies_the_schema() {
    let schema: Value = serde_json::from_str(&read(&example("agents.schema.json"))).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for path in [
        example("agents.yaml"),
        example("claude-project/agents.yaml"),
        example("github-actions/agents.yaml"),
        checkout().join("tests/integration/fixtures/original-agents.yaml"),
    ] {
        let errors: Vec<String> =
            validator.iter_errors(&yaml(&path)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn the_makefile_asks_an_agent_about_a_commit_and_about_a_file() {
    let environment = installed();
    environment.link("git", &which("git"));
    let project = environment.root().join("projects/shop");
    fs::create_dir_all(&project).expect("a directory");
    set_up(&environment, &example("Makefile"), &project);
    fs::write(project.join("a file.txt"), "what is in the file\n").expect("a file");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Me", "-c", "user.email=me@example.com"];
        let arguments = identity.iter().chain(arguments);
        environment.program(&which("git"), arguments).directory(&project).run().expect_code(0);
    };
    git(&["init", "--quiet"]);
    git(&["add", "a file.txt"]);
    git(&["commit", "--quiet", "--message", "The only commit"]);
    let make = |arguments: &[&str]| {
        let makefile = example("Makefile");
        let arguments = [&["-f", makefile.to_str().expect("a path")], arguments].concat();
        environment.program(&which("make"), arguments).directory(&project).run()
    };

    environment.script("shop", "echo-prompt");
    let review = make(&["review"]).expect_code(0).stdout;
    assert!(review.contains("The only commit") && review.contains("+what is in the file"), "{review}");
    let explained = make(&["explain", "FILE=a file.txt"]).expect_code(0).stdout;
    assert!(explained.contains("\nwhat is in the file"), "{explained}");
    let without = make(&["explain"]).expect_code(2);
    assert!(without.stderr.contains("make explain FILE=path"), "{}", without.stderr);

    environment.script("shop", "answer it needs another one; status blocked");
    make(&["review"]).expect_code(2);
}

#[test]
fn the_nightly_batch_writes_a_report() {
    let environment = installed();
    let project = environment.root().join("projects/shop");
    copy(&example("nightly"), &project.join("nightly"));
    set_up(&environment, &example("nightly/nightly.sh"), &project);

    let batch = yaml(&project.join("nightly/batch.yaml"));
    let dispatches = batch["dispatches"].as_array().expect("a list");
    let asked = dispatches.iter().map(|dispatch| &dispatch["agent"]).chain([&batch["aggregate"]]);
    for agent in asked {
        let agent = agent.as_str().expect("an agent's name");
        environment.command(["agents", "show", agent]).run().expect_code(0);
    }

    let run = environment.program(Path::new("/bin/sh"), ["nightly/nightly.sh"]).directory(&project).run();
    let reports: Vec<PathBuf> = fs::read_dir(environment.home().join("nightly-reports"))
        .expect("the reports")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    if environment.command(["batch", "--help"]).run().code == Some(0) {
        let run = run.expect_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "cron would mail this");
        assert!(!read(&reports[0]).is_empty(), "the report is empty");
        assert_eq!(environment.job_ids().len(), dispatches.len() + 1);
    } else {
        // A failure is told by the exit code and in words, and names the report.
        let run = run.expect_code(2);
        assert!(run.stderr.contains(reports[0].to_str().expect("a path")), "{}", run.stderr);
    }
}

#[cfg(feature = "mcp")]
#[test]
fn the_claude_code_project_offers_its_agents_and_nothing_else() {
    use serde_json::json;
    use test_support::{PATIENCE, wait_until};

    let reply = |output: &str, id: u64| {
        let replies = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        replies.into_iter().find(|reply| reply["id"] == id)
    };
    let environment = installed();
    // A config of the user's own is not what the project's server is to use.
    environment.project("private");
    let project = environment.root().join("projects/plans");
    copy(&example("claude-project"), &project);

    let servers: Value = serde_json::from_str(&read(&project.join(".mcp.json"))).expect("JSON");
    let server = &servers["mcpServers"]["agent-dispatch"];
    assert_eq!(server["command"], "agent-dispatch");
    // Claude Code puts the default in: the variable is the server's, not its own.
    let arguments: Vec<String> = server["args"]
        .as_array()
        .expect("arguments")
        .iter()
        .map(|word| word.as_str().expect("a text").replace("${CLAUDE_PROJECT_DIR:-.}", "."))
        .collect();

    let config = ["--config", "agents.yaml"];
    let listed = environment
        .command(config)
        .args(["agents", "list", "--json"])
        .directory(&project)
        .run()
        .expect_code(0);
    assert_eq!(listed.stderr, "", "the config is read without a warning");
    let groups = environment.command(config).args(["groups", "list", "--json"]).directory(&project).run();
    let group = groups.expect_code(0).json()[0]["name"].as_str().expect("a name").to_owned();
    assert!(read(&project.join("CLAUDE.md")).contains(&format!("\"group\": \"{group}\"")));

    let mut running = environment.command(&arguments).directory(&project).stdin_open().spawn();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    running.write(&format!("{initialize}\n"));
    wait_until(PATIENCE, "the server answers", || reply(&running.stdout(), 1).is_some());
    assert_eq!(
        reply(&running.stdout(), 1).expect("a reply")["result"]["serverInfo"]["name"],
        "agent-dispatch"
    );
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_agents", "arguments": {}}});
    running.write(&format!("{initialized}\n{list}\n"));
    wait_until(PATIENCE, "the agents are listed", || reply(&running.stdout(), 2).is_some());
    let agents = reply(&running.stdout(), 2).expect("a reply")["result"].to_string();
    for agent in listed.json().as_array().expect("agents") {
        let name = agent["name"].as_str().expect("a name");
        assert!(agents.contains(&format!("\"{name}\"")), "{name} is not in {agents}");
    }
    assert!(!agents.contains("private"), "{agents}");
    running.close_stdin();
    running.wait().expect_code(0);
}
