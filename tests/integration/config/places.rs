//! Where the config is looked for.

use std::fs;
use std::path::Path;

use test_support::{Invocation, TestEnvironment, quoted};

/// Writes a config with one agent of this name.
fn write(path: &Path, agent: &str) {
    fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory");
    fs::write(path, format!("agents: {{{agent}: {{directory: /}}}}\n")).expect("a config");
}

#[track_caller]
fn found(command: Invocation) -> String {
    let listed = command.args(["agents", "list", "--json"]).run().expect_code(0).json();
    listed[0]["name"].as_str().unwrap_or("nobody").to_owned()
}

#[test]
fn the_option_comes_before_the_variable_before_xdg_before_home() {
    let environment = TestEnvironment::new();
    let [flag, variable, xdg] =
        ["flag.yaml", "variable.yaml", "xdg"].map(|name| environment.root().join(name));
    write(&flag, "by-flag");
    write(&variable, "by-variable");
    write(&xdg.join("agent-dispatch/agents.yaml"), "by-xdg");
    write(&environment.config(), "by-home");
    let command = || environment.command([""; 0]);
    let with_variable = || command().env("XDG_CONFIG_HOME", &xdg).env("AGENT_DISPATCH_CONFIG", &variable);
    assert_eq!(found(with_variable().arg("--config").arg(&flag)), "by-flag");
    assert_eq!(found(with_variable()), "by-variable");
    assert_eq!(found(command().env("XDG_CONFIG_HOME", &xdg)), "by-xdg");
    assert_eq!(found(command()), "by-home");
}

#[test]
fn an_empty_variable_counts_as_unset_and_so_does_a_relative_xdg() {
    let environment = TestEnvironment::new();
    write(&environment.config(), "by-home");
    write(&environment.root().join("xdg/agent-dispatch/agents.yaml"), "by-xdg");
    let command = || environment.command([""; 0]);
    assert_eq!(found(command().env("AGENT_DISPATCH_CONFIG", "")), "by-home");
    assert_eq!(found(command().env("XDG_CONFIG_HOME", "")), "by-home");
    assert_eq!(found(command().env("XDG_CONFIG_HOME", "xdg")), "by-home");
    let both =
        command().env("AGENT_DISPATCH_CONFIG", "").env("XDG_CONFIG_HOME", environment.root().join("xdg"));
    assert_eq!(found(both), "by-xdg");
    // Typed, it is a slip.
    command().args(["--config", "", "agents", "list"]).run().expect_code(2);
}

#[test]
fn a_relative_config_is_relative_to_the_working_directory() {
    let environment = TestEnvironment::new();
    write(&environment.root().join("projects/here.yaml"), "by-relative");
    let command = || environment.command([""; 0]).directory(environment.root().join("projects"));
    assert_eq!(found(command().args(["--config", "here.yaml"])), "by-relative");
    assert_eq!(found(command().env("AGENT_DISPATCH_CONFIG", "./here.yaml")), "by-relative");
}

#[test]
fn the_option_may_stand_before_or_after_the_command_and_creates_what_it_names() {
    let environment = TestEnvironment::new();
    let config = environment.root().join("new/folder/my.yaml");
    environment.command(["agents", "add", "root", "/", "--config"]).arg(&config).run().expect_code(0);
    assert_eq!(found(environment.command(["--config"]).arg(&config)), "root");
    assert!(!environment.config().exists());
}

#[test]
fn the_jobs_lie_beside_the_config_unless_something_else_is_said() {
    let environment = TestEnvironment::new();
    let jobs = environment.root().join("jobs-elsewhere");
    let config = environment.root().join("dotfiles/agents.yaml");
    write(&config, "root");
    let list = || environment.command(["jobs"]).env("AGENT_DISPATCH_CONFIG", &config);
    list().env("AGENT_DISPATCH_JOBS_DIR", "").run().expect_code(0);
    assert!(environment.root().join("dotfiles/jobs").is_dir());
    assert!(!jobs.exists());
    list().env("AGENT_DISPATCH_JOBS_DIR", &jobs).run().expect_code(0);
    assert!(jobs.is_dir());
    let flag = environment.root().join("jobs-by-flag");
    list().env("AGENT_DISPATCH_JOBS_DIR", &jobs).arg("--jobs-dir").arg(&flag).run().expect_code(0);
    assert!(flag.is_dir());
}

#[test]
fn a_config_that_is_named_and_is_not_there_is_told_and_nothing_is_made() {
    let environment = TestEnvironment::new();
    let places = environment.root().join("projects");
    for command in [&["run", "api", "hi"][..], &["jobs"], &["agents", "list"], &["stats"], &["gc", "--all"]] {
        let named = environment.command(["--config", "nope.yaml"]).args(command).directory(&places);
        let refused = named.run().expect_code(3);
        assert!(refused.stderr.contains("the config nope.yaml does not exist"), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("`agent-dispatch --config nope.yaml agents add NAME DIR`"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(fs::read_dir(&places).expect("the directory").count(), 0);
}

#[test]
fn the_commands_in_hints_are_about_the_same_places() {
    let environment = TestEnvironment::new();
    let config = environment.root().join("ci config.yaml");
    write(&config, "api");
    let jobs = environment.root().join("ci-jobs");
    let called = |arguments: &[&str]| {
        environment.command(["--config"]).arg(&config).arg("--jobs-dir").arg(&jobs).args(arguments).run()
    };
    let options = format!("--config {} --jobs-dir {}", quoted(&config), quoted(&jobs));
    let refused = called(&["run", "apo", "hi"]).expect_code(3);
    let command = format!("`agent-dispatch {options} agents list`");
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);
    fs::write(environment.root().join("batch.yaml"), "[{agent: apo, task: x}]").expect("a batch");
    let refused = called(&["batch", "batch.yaml"]).expect_code(3);
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);
    let document = called(&["doctor", "--json"]).json();
    let fixes: Vec<&str> = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["fix"].as_str())
        .filter(|fix| fix.starts_with("agent-dispatch"))
        .collect();
    assert!(!fixes.is_empty(), "{document}");
    let beginning = format!("agent-dispatch {options} ");
    assert!(fixes.iter().all(|fix| fix.starts_with(&beginning)), "{fixes:?}");
}

#[test]
fn without_a_home_the_config_must_be_named_or_the_user_be_known() {
    let environment = TestEnvironment::new();
    let config = environment.root().join("my.yaml");
    write(&config, "named");
    let without = || environment.command([""; 0]).env_remove("HOME");
    assert_eq!(found(without().arg("--config").arg(&config)), "named");
}
