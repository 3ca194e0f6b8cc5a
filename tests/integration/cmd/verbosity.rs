//! `--verbose`: which config and jobs are used, and all that the agents do. `--quiet`: nothing that was not asked for.

use test_support::dispatch::{AGENT, submit_and_finish, with_agent};

#[test]
fn run_says_where_things_are_and_what_the_agent_does() {
    let environment = with_agent();
    environment.script(AGENT, "text looking around; text two\\nlines; answer all is well");
    let output = environment.command(["run", AGENT, "look", "--verbose"]).run().expect_code(0);
    assert_eq!(output.stdout, "all is well\n");
    let config = format!("config: {}\n", environment.config().display());
    let jobs = format!("jobs: {}\n", environment.jobs_directory().display());
    assert!(output.stderr.starts_with(&format!("{config}{jobs}{AGENT}: job ")), "{}", output.stderr);
    assert!(output.stderr.contains(&format!("\n{AGENT} │ looking around\n")), "{}", output.stderr);
    let silent = environment.command(["run", AGENT, "look"]).run().expect_code(0);
    assert!(!silent.stderr.contains('│') && !silent.stderr.contains("config: "), "{}", silent.stderr);
}

#[test]
fn whoever_waits_can_read_along_too() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: text looking around\nfake: answer hi");
    let output = environment.command(["wait", &id, "-v"]).run().expect_code(0);
    assert!(output.stderr.contains(&format!("\n{AGENT} │ looking around\n")), "{}", output.stderr);
}

#[test]
fn the_last_of_quiet_and_verbose_counts_and_more_is_not_more() {
    let environment = with_agent();
    let said = |options: &[&str]| environment.command(["jobs"]).args(options).run().expect_code(0).stderr;
    assert!(said(&["-q", "-vv"]).starts_with("jobs: "), "{}", said(&["-q", "-vv"]));
    assert_eq!(said(&["-v", "-q"]), "");
}

#[test]
fn what_the_agent_says_is_not_changed() {
    let environment = with_agent();
    environment.script(AGENT, "text see `agent-dispatch jobs` now; answer fine");
    let command = environment.command(["--config"]).arg(environment.config());
    let output = command.args(["-v", "run", AGENT, "look"]).run().expect_code(0);
    assert!(output.stderr.contains("│ see `agent-dispatch jobs` now\n"), "{}", output.stderr);
}

#[test]
fn when_quiet_what_was_done_is_not_told_and_what_was_asked_for_is() {
    let environment = with_agent();
    let quiet = |arguments: &[&str]| {
        let output = environment.command(["--quiet"]).args(arguments).run().expect_code(0);
        assert_eq!(output.stderr, "", "{arguments:?}");
        output.stdout
    };
    for silent in [
        &["agents", "update", AGENT, "--model", "opus"][..],
        &["groups", "add", "g"],
        &["gc", "--all"],
        &["agents", "remove", AGENT],
    ] {
        assert_eq!(quiet(silent), "", "{silent:?}");
    }
    assert!(quiet(&["groups", "list"]).contains('g'));
}
