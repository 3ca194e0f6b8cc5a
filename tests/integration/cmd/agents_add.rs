//! `agents add`: what becomes an agent, and what does not.

use std::fs;

use test_support::{Output, TestEnvironment};

/// `agents add` with these arguments, where the projects are.
fn add(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    environment
        .command(["agents", "add"])
        .args(arguments)
        .directory(environment.root().join("projects"))
        .run()
}

/// A directory among the projects that no agent has.
fn directory(environment: &TestEnvironment, name: &str) -> String {
    let path = environment.root().join("projects").join(name);
    fs::create_dir_all(&path).expect("a directory");
    path.to_str().expect("a path of this test").to_owned()
}

fn written(environment: &TestEnvironment) -> String {
    fs::read_to_string(environment.config()).unwrap_or_default()
}

#[test]
fn the_description_is_detected_unless_one_is_given() {
    let environment = TestEnvironment::new();
    let infra = directory(&environment, "infra");
    fs::write(format!("{infra}/README.md"), "# Infra\n\nTerraform for the fleet.\n").unwrap();
    let output = add(&environment, &["infra", "infra"]).expect_code(0);
    assert_eq!(output.stdout, format!("added infra in {infra}\n"));
    assert_eq!(output.stderr, "Terraform for the fleet.\n");
    assert_eq!(
        written(&environment),
        format!("agents:\n  infra:\n    directory: {infra}\n    description: Terraform for the fleet.\n")
    );
    let output =
        add(&environment, &["mine", "infra", "--description", "- my: own #words", "--json"]).expect_code(0);
    assert_eq!(output.json()["description"], "- my: own #words");
    assert_eq!(output.stderr, "");
    let shown = environment.command(["agents", "show", "mine", "--json"]).run().expect_code(0).json();
    assert_eq!(shown["description"], "- my: own #words", "what is special in YAML survives the file");
}

#[test]
fn a_directory_without_a_description_is_an_agent_all_the_same() {
    let environment = TestEnvironment::new();
    directory(&environment, "bare");
    let output = add(&environment, &["bare", "bare"]).expect_code(0);
    assert_eq!(output.stderr, "");
    assert!(!written(&environment).contains("description"));
}

#[test]
fn the_directory_becomes_absolute_and_canonical() {
    let environment = TestEnvironment::new();
    let infra = directory(&environment, "infra");
    std::os::unix::fs::symlink("infra", environment.root().join("projects/link")).unwrap();
    for (name, typed) in
        [("dot", "infra/."), ("up", "../projects/infra"), ("link", "link/"), ("absolute", &infra)]
    {
        let output = add(&environment, &[name, typed, "--json"]).expect_code(0);
        assert_eq!(output.json()["directory"], infra.as_str(), "{typed}");
    }
}

#[test]
fn a_tilde_that_the_shell_left_is_the_home_directory() {
    let environment = TestEnvironment::new();
    let site = environment.home().join("site");
    fs::create_dir(&site).unwrap();
    fs::write(site.join("README.md"), "The web site.\n").unwrap();
    let output = add(&environment, &["site", "~/site", "--json"]).expect_code(0).json();
    assert_eq!(output["directory"], site.to_str().unwrap());
    assert_eq!(output["description"], "The web site.");
    let home = add(&environment, &["home", "~", "--json"]).expect_code(0).json();
    assert_eq!(home["directory"], environment.home().to_str().unwrap());

    let output = add(&environment, &["other", "~nobody/site"]).expect_code(2);
    assert!(output.stderr.contains("'~nobody/site' is another user's home"), "{}", output.stderr);
    // Spelled like this it is a name as any other.
    fs::create_dir(environment.root().join("projects/~nobody")).unwrap();
    add(&environment, &["other", "./~nobody"]).expect_code(0);
}

#[test]
fn what_is_no_directory_is_not_found_and_nothing_is_written() {
    let environment = TestEnvironment::new();
    fs::write(environment.root().join("projects/file"), "").unwrap();
    for (typed, problem) in [
        ("nowhere", "it does not exist"),
        ("~/nowhere", "it does not exist"),
        ("file", "it is not a directory"),
        ("file/below", "it is not a directory"),
    ] {
        let output = add(&environment, &["infra", typed]).expect_code(3);
        assert!(output.stderr.contains(problem), "{typed}: {}", output.stderr);
        let advice = output.stderr.contains("hint: create it first: `mkdir -p ");
        assert_eq!(advice, problem == "it does not exist", "{}", output.stderr);
        assert!(!environment.config().exists(), "{typed}: a config was written");
    }
    // The hint works as it stands, so it does not repeat the tilde.
    let hint = format!("mkdir -p '{}/no where'`\n", environment.home().display());
    assert!(add(&environment, &["infra", "~/no where"]).stderr.ends_with(&hint));
    add(&environment, &["infra", ""]).expect_code(2);
}

#[test]
fn a_name_is_taken_only_once() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let other = directory(&environment, "other");
    let before = written(&environment);
    let output = add(&environment, &["infra", "other"]).expect_code(2);
    assert!(output.stderr.contains("the agent 'infra' exists already"), "{}", output.stderr);
    assert_eq!(written(&environment), before);
    // Each command of the hint can be typed as it stands, and the last one does what was asked for.
    let hint = output.stderr.lines().last().unwrap_or_default();
    for command in hint.split('`').skip(1).step_by(2) {
        let words = shlex::split(command).expect("words");
        environment.command(&words[1..]).run().expect_code(0);
    }
    assert!(written(&environment).contains(&other), "{hint}");
}

#[test]
fn a_name_that_could_be_an_option_or_a_path_is_refused() {
    let environment = TestEnvironment::new();
    directory(&environment, "infra");
    for name in ["-x", "--json", "../x", "a/b", ".", "", " ", "a b", "a:b", "naïve", "a\nb", "_a"] {
        for arguments in [&[name, "infra"][..], &["--", name, "infra"]] {
            let output = add(&environment, arguments).expect_code(2);
            assert_eq!(output.stdout, "", "{name:?}");
        }
    }
    assert!(!environment.config().exists());
    add(&environment, &["9-Lives_x", "infra"]).expect_code(0);
}

#[test]
fn budgets_and_timeouts_are_positive_and_finite() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    let before = written(&environment);
    for value in ["0", "-1", "nan", "NaN", "inf", "-inf", "1e999", "", "five"] {
        for option in ["--timeout", "--max-budget-usd"] {
            let output = add(&environment, &["new", infra.to_str().unwrap(), option, value]).expect_code(2);
            assert!(output.stderr.contains(option), "{option} {value:?}: {}", output.stderr);
            environment.command(["agents", "update", "infra", option, value]).run().expect_code(2);
        }
    }
    assert_eq!(written(&environment), before);
    let good = ["new", infra.to_str().unwrap(), "--timeout", "1h30m", "--max-budget-usd", "0.25", "--json"];
    let output = add(&environment, &good).expect_code(0).json();
    assert_eq!((&output["timeout"], &output["max_budget_usd"]), (&5400.into(), &0.25.into()));
}

#[test]
fn a_value_that_the_agent_would_take_for_an_option_is_refused() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    let before = written(&environment);
    for option in ["--model", "--permission-mode", "--allowed-tools", "--disallowed-tools"] {
        for value in ["-x", "--dangerously-skip-permissions", " -x"] {
            let joined = format!("{option}={value}");
            let key = option.trim_start_matches('-').replace('-', "_");
            for arguments in [["add", "new", infra.to_str().unwrap()], ["update", "infra", "--json"]] {
                let output =
                    environment.command(["agents"]).args(arguments).arg(&joined).run().expect_code(2);
                assert!(output.stderr.contains(&key), "{joined}: {}", output.stderr);
                assert!(output.stderr.contains("begins with '-'"), "{joined}: {}", output.stderr);
                // Without the equals sign the tool itself takes it for an option.
                environment.command(["agents"]).args(arguments).args([option, value]).run().expect_code(2);
            }
        }
    }
    let hidden = "--allowed-tools=Read,--model";
    environment.command(["agents", "update", "infra", hidden]).run().expect_code(2);
    assert_eq!(written(&environment), before);
}

#[test]
fn a_permission_mode_that_nobody_knows_is_refused() {
    let environment = TestEnvironment::new();
    directory(&environment, "infra");
    let mode = ["--permission-mode", "acceptEdit"];
    let output = add(&environment, &[&["infra", "infra"], &mode[..]].concat()).expect_code(2);
    let said = "agents.infra.permission_mode: 'acceptEdit' is not a permission mode; there are default, plan, \
                dontAsk, acceptEdits, auto, bypassPermissions; did you mean acceptEdits?";
    assert!(output.stderr.contains(said), "{}", output.stderr);
    assert!(!environment.config().exists());
    add(&environment, &["infra", "infra"]).expect_code(0);
    let output = environment.command(["agents", "update", "infra"]).args(mode).run().expect_code(2);
    assert!(output.stderr.contains(said), "{}", output.stderr);
    // A newer Claude Code may know what is in the file.
    environment.write_config(&(written(&environment) + "    permission_mode: acceptEdit\n"));
    let output = environment.command(["agents", "update", "infra", "--model", "opus"]).run().expect_code(0);
    assert!(output.stderr.contains("did you mean acceptEdits?"), "{}", output.stderr);
}

#[test]
fn lists_are_kept_without_spaces_and_empty_items() {
    let environment = TestEnvironment::new();
    directory(&environment, "infra");
    let lists = ["--capabilities", "a, b,,c", "--risky-capabilities", " deploy ,", "--json"];
    let document = add(&environment, &[&["infra", "infra"], &lists[..]].concat()).expect_code(0).json();
    assert_eq!(document["capabilities"], serde_json::json!(["a", "b", "c"]));
    assert_eq!(document["risky_capabilities"], serde_json::json!(["deploy"]));
}

#[test]
fn a_program_can_be_an_agent() {
    let environment = TestEnvironment::new();
    directory(&environment, "lint");
    let backend = ["lint", "lint", "--backend", "command"];
    let output = add(&environment, &backend).expect_code(2);
    assert!(output.stderr.contains("agents.lint.command"), "{}", output.stderr);
    let arguments = [&backend[..], &["--command", "./lint.sh", "--command", "--strict", "--json"]].concat();
    let output = add(&environment, &arguments).expect_code(0).json();
    assert_eq!(output["command"], serde_json::json!(["./lint.sh", "--strict"]));
}
