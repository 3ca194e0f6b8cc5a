//! `agents update` and `agents remove`: fields that change, and agents that go.

use std::fs;

use serde_json::{Value, json};

use test_support::{Output, TestEnvironment};

fn update(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    environment.command(["agents", "update"]).args(arguments).run()
}

fn show(environment: &TestEnvironment, name: &str) -> Value {
    environment.command(["agents", "show", name, "--json"]).run().expect_code(0).json()
}

fn written(environment: &TestEnvironment) -> String {
    fs::read_to_string(environment.config()).expect("the config")
}

#[test]
fn tools_are_inherited_none_or_listed() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.configure("settings:\n  default_allowed_tools: [Grep]\n");
    let effective = |environment: &_| show(environment, "infra")["effective"]["allowed_tools"].clone();
    assert_eq!(effective(&environment), json!(["Grep"]));

    update(&environment, &["infra", "--allowed-tools", "Read, Bash(git log, git show),Edit"]).expect_code(0);
    assert_eq!(effective(&environment), json!(["Read", "Bash(git log, git show)", "Edit"]));

    let output = update(&environment, &["infra", "--allowed-tools", ""]).expect_code(0);
    assert!(output.stdout.starts_with("updated infra in "), "{}", output.stdout);
    assert_eq!(show(&environment, "infra")["allowed_tools"], json!([]));
    assert_eq!(effective(&environment), json!([]));

    update(&environment, &["infra", "--unset", "allowed_tools"]).expect_code(0);
    assert_eq!(show(&environment, "infra").get("allowed_tools"), None);
    assert_eq!(effective(&environment), json!(["Grep"]));
}

#[test]
fn every_field_is_set_and_unset() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let before = written(&environment);
    let set = [
        ("timeout", "15m", json!(900)),
        ("max-budget-usd", "1.5", json!(1.5)),
        ("model", "opus", json!("opus")),
        ("permission-mode", "plan", json!("plan")),
        ("allowed-tools", "Read", json!(["Read"])),
        ("disallowed-tools", "Bash,Write", json!(["Bash", "Write"])),
        ("instructions", "Be brief.\nNo: really.", json!("Be brief.\nNo: really.")),
        ("exclusive", "true", json!(true)),
        ("trusted", "true", json!(true)),
    ];
    let options: Vec<String> = set.iter().map(|(option, value, _)| format!("--{option}={value}")).collect();
    let arguments: Vec<&str> =
        ["infra", "--json"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let updated = update(&environment, &arguments).expect_code(0).json();
    let shown = show(&environment, "infra");
    let keys: Vec<String> = set.iter().map(|(option, ..)| option.replace('-', "_")).collect();
    for (key, (_, _, value)) in keys.iter().zip(&set) {
        assert_eq!((&updated[key], &shown[key]), (value, value), "{key}");
    }
    update(&environment, &["infra", "--unset", &keys.join(",")]).expect_code(0);
    assert_eq!(written(&environment), before, "setting and unsetting leaves no trace");
}

#[test]
fn the_directory_moves_only_to_one_that_is_there() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    fs::create_dir(environment.home().join("new")).unwrap();
    let before = written(&environment);
    let output = update(&environment, &["infra", "--directory", "nowhere"]).expect_code(3);
    assert!(output.stderr.contains("it does not exist"), "{}", output.stderr);
    assert_eq!(written(&environment), before);
    update(&environment, &["infra", "--directory", "~/new"]).expect_code(0);
    assert_eq!(show(&environment, "infra")["directory"], environment.home().join("new").to_str().unwrap());
    update(&environment, &["infra", "--unset", "directory"]).expect_code(2);
}

#[test]
fn nothing_to_change_is_wrong_usage() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let output = update(&environment, &["infra"]).expect_code(2);
    assert!(output.stderr.contains("there is nothing to change"), "{}", output.stderr);
    assert!(output.stderr.contains("agent-dispatch agents update --help"), "{}", output.stderr);
}

#[test]
fn a_field_cannot_be_set_and_unset_at_once() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "model: opus");
    let before = written(&environment);
    let output = update(&environment, &["infra", "--model", "haiku", "--unset", "model"]).expect_code(2);
    assert!(output.stderr.contains("'model' cannot be both set and unset"), "{}", output.stderr);
    assert_eq!(written(&environment), before);
    update(&environment, &["infra", "--unset", "model", "--unset", "model,timeout"]).expect_code(0);
}

#[test]
fn an_unknown_agent_is_not_found_and_nothing_is_created_for_it() {
    let environment = TestEnvironment::new();
    for arguments in [&["update", "fronted", "--model", "x"][..], &["remove", "fronted"]] {
        environment.command(["agents"]).args(arguments).run().expect_code(3);
        let folder = environment.config().parent().unwrap().to_owned();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{arguments:?}");
    }
    environment.project("frontend");
    for arguments in [&["update", "fronted", "--model", "x"][..], &["remove", "fronted"]] {
        let output = environment.command(["agents"]).args(arguments).run().expect_code(3);
        assert!(output.stderr.contains("there is no agent 'fronted'"), "{}", output.stderr);
        assert!(output.stderr.contains("did you mean 'frontend'?"), "{}", output.stderr);
    }
}

#[test]
fn an_agent_that_is_removed_leaves_its_directory_and_its_groups_are_named() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    environment.project("web");
    environment.configure("groups:\n  ops:\n    members: [infra, web]\n");
    let output = environment.command(["agents", "remove", "infra"]).run().expect_code(0);
    assert_eq!(output.stdout, "removed infra\n");
    let said = "warning: still a member of these groups: ops\n\
                hint: `agent-dispatch groups update ops --remove-member infra`\n";
    assert!(output.stderr.ends_with(said), "{}", output.stderr);
    environment.command(["groups", "update", "ops", "--remove-member", "infra"]).run().expect_code(0);
    assert!(infra.is_dir());
    environment.command(["agents", "show", "infra"]).run().expect_code(3);
    environment.command(["agents", "remove", "infra"]).run().expect_code(3);
    let output = environment.command(["agents", "remove", "web", "--json"]).run().expect_code(0);
    assert_eq!(output.json(), json!({ "removed": "web" }));
    // The last one gone, the file is still a config.
    assert_eq!(environment.command(["agents", "list", "--json"]).run().expect_code(0).json(), json!([]));
}
