//! A config that cannot be used: the place is named, the exit code is 2, and nothing is touched.

use std::fs;

use test_support::TestEnvironment;

/// Every command that reads the config, here with an agent that could exist.
const COMMANDS: [&[&str]; 6] = [
    &["agents", "list"],
    &["agents", "show", "infra"],
    &["agents", "add", "new", "/"],
    &["agents", "update", "infra", "--model", "opus"],
    &["agents", "remove", "infra"],
    &["submit", "infra", "task"],
];

/// Checks that each command fails, with exactly this place and complaint.
#[track_caller]
fn check(text: &str, place: &str) {
    let environment = TestEnvironment::new();
    environment.write_config(text);
    for command in COMMANDS {
        let output = environment.command(command).run().expect_code(2);
        assert_eq!(output.stdout, "", "{command:?}");
        let expected = format!("error: {}:{place}", environment.config().display());
        assert!(
            output.stderr.starts_with(&expected),
            "{command:?}: {expected:?} is not in {:?}",
            output.stderr
        );
        assert!(output.stderr.contains("hint: correct line "), "{command:?}: {}", output.stderr);
        assert_eq!(fs::read(environment.config()).expect("the config"), text.as_bytes(), "{command:?}");
    }
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn what_is_not_yaml_is_named_by_line_and_column() {
    check("agents:\n  infra:\n\tdirectory: /\n", "3:2: a tab ");
    check("agents: {infra: {directory: /}\n", "2:1: ");
    check("agents: [unclosed\n", "2:1: ");
}

#[test]
fn a_wrong_value_is_named_by_line_column_and_key() {
    check(
        "agents:\n  infra:\n    directory: 5m\n    timeout: soon\n",
        "4:14: agents.infra.timeout: 'soon' is not a duration",
    );
    check("agents:\n  infra: {timeout: 5}\n", "2:10: agents.infra: the key directory is missing");
    check("agents:\n  - infra\n", "2:3: agents: ");
    check(
        "agents:\n  infra:\n    directory: ~\n",
        "3:16: agents.infra.directory: expected a text, found null, which is what YAML takes a lone ~ for: quote it",
    );
    check("agents:\n  a b:\n    directory: /\n", "2:3: agents.a b: 'a b' is not a name");
    check(
        "groups:\n  all:\n    members:\n      - use_for: x\n",
        "4:9: groups.all.members[0]: the key agent is missing",
    );
    check("settings:\n  max_concurrency: 0\n", "2:20: settings.max_concurrency: ");
    check("settings:\n  cache:\n    ttl: -1\n", "3:10: settings.cache.ttl: ");
    check("agents:\n  infra:\n    directory: /\n    model: a\n    model: b\n", "5:5: ");
}

#[test]
fn budgets_and_timeouts_are_positive_and_finite() {
    for value in ["0", "-1", ".nan", "nan", ".inf", "-.inf", "1e999", "true", "[]"] {
        for key in ["timeout", "max_budget_usd"] {
            let column = key.len() + 7;
            check(
                &format!("agents:\n  infra:\n    directory: /\n    {key}: {value}\n"),
                &format!("4:{column}: agents.infra.{key}: "),
            );
            check(
                &format!("settings:\n  default_{key}: {value}\n"),
                &format!("2:{}: settings.default_{key}: ", column + 6),
            );
        }
    }
}

#[test]
fn a_value_that_the_agent_would_take_for_an_option_is_refused() {
    let start = "agents:\n  infra:\n    directory: /\n";
    check(&format!("{start}    model: --help\n"), "4:12: agents.infra.model: '--help' begins with '-'");
    check(&format!("{start}    permission_mode: -x\n"), "4:22: agents.infra.permission_mode: ");
    check(&format!("{start}    allowed_tools: [Read, -x]\n"), "4:27: agents.infra.allowed_tools[1]: ");
    check(&format!("{start}    disallowed_tools: [' -x']\n"), "4:24: agents.infra.disallowed_tools[0]: ");
    check("settings:\n  default_permission_mode: -x\n", "2:28: settings.default_permission_mode: ");
    check("settings:\n  default_allowed_tools: [-x]\n", "2:27: settings.default_allowed_tools[0]: ");
    check("settings:\n  default_disallowed_tools: [-x]\n", "2:30: settings.default_disallowed_tools[0]: ");
}

#[test]
fn a_key_that_nobody_knows_is_a_warning_and_everything_works() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "modle: opus\nowner: ops");
    environment.configure("setings: {}\n");
    let output = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!(output.json()[0]["name"], "infra");
    let path = environment.config();
    for warning in [
        "line 5: agents.infra.modle is not a known key; did you mean model?",
        "line 6: agents.infra.owner is not a known key",
        "line 7: setings is not a known key; did you mean settings?",
    ] {
        let line = format!("warning: {}: {warning}\n", path.display());
        assert!(output.stderr.contains(&line), "{line:?} is not in {:?}", output.stderr);
    }
    assert_eq!(output.stderr.lines().count(), 3, "{}", output.stderr);
    let output = environment.command(["run", "infra", "fake: answer fine"]).run().expect_code(0);
    assert_eq!(output.stdout, "fine\n");
}

#[test]
fn a_directory_is_no_config() {
    let environment = TestEnvironment::new();
    let folder = environment.home().join("folder");
    fs::create_dir(&folder).unwrap();
    for command in COMMANDS {
        let output = environment.command(["--config"]).arg(&folder).args(command).run().expect_code(2);
        let message = format!("error: failed to read {}: it is a directory\n", folder.display());
        assert!(output.stderr.starts_with(&message), "{command:?}: {}", output.stderr);
        assert!(output.stderr.contains("--config "), "{command:?}: {}", output.stderr);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(fs::read_dir(environment.home()).unwrap().count(), 2, "no lock lies beside it");
}

#[test]
fn a_fifo_is_neither_waited_for_nor_replaced() {
    let environment = TestEnvironment::new();
    let fifo = environment.home().join("fifo");
    environment.program("/usr/bin/mkfifo".as_ref(), [&fifo]).run().expect_code(0);
    for command in COMMANDS {
        let output = environment.command(["--config"]).arg(&fifo).args(command).run().expect_code(2);
        assert!(output.stderr.contains(&fifo.display().to_string()), "{command:?}: {}", output.stderr);
    }
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&fs::metadata(&fifo).unwrap().file_type()));
}

#[test]
fn a_config_can_come_from_another_program() {
    let environment = TestEnvironment::new();
    let script = "\"$0\" agents list --json --config <(echo 'agents: {infra: {directory: /}}')";
    let program = test_support::programs::agent_dispatch();
    let output = environment.program("/bin/bash".as_ref(), ["-c", script]).arg(program).run().expect_code(0);
    assert_eq!(output.json()[0]["name"], "infra");
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let environment = TestEnvironment::new();
    environment.write_config("agents: {}\n");
    // Nobody may follow a link that leads to itself, not even root.
    fs::remove_file(environment.config()).unwrap();
    std::os::unix::fs::symlink("agents.yaml", environment.config()).unwrap();
    for command in COMMANDS {
        let output = environment.command(command).run().expect_code(2);
        let message = format!("error: failed to read {}: ", environment.config().display());
        assert!(output.stderr.starts_with(&message), "{command:?}: {}", output.stderr);
    }
}
