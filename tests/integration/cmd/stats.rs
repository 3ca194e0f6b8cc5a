//! The usage journal, and what is told from it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use test_support::TestEnvironment;
use test_support::dispatch::{AGENT, run, submit, submit_and_finish, submit_endless, with_agent};

fn journal(environment: &TestEnvironment) -> PathBuf {
    environment.config().with_file_name("usage.jsonl")
}

fn entries(environment: &TestEnvironment) -> Vec<Value> {
    let text = fs::read_to_string(journal(environment)).expect("the journal");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Notes successful runs of the agent that took this many seconds each.
fn past_runs(environment: &TestEnvironment, seconds: &[u64]) {
    let entry = |seconds: &u64| {
        json!({
            "time": 1_700_000_000.0, "job_id": "0190163d8694739baea5966c26f8ad91", "agent": AGENT,
            "success": true, "status": "done", "duration_ms": seconds * 1_000,
        })
    };
    let lines: Vec<String> = seconds.iter().map(|seconds| format!("{}\n", entry(seconds))).collect();
    fs::write(journal(environment), lines.concat()).expect("a journal");
}

#[test]
fn every_end_of_a_job_is_noted_before_anybody_learns_of_it() {
    let environment = with_agent();
    run(&environment, "fake: status partial\nfake: cost 0.25").expect_code(0);
    run(&environment, "fake: exit 3").expect_code(1);
    let lost = submit_endless(&environment);
    environment.kill_supervisor(&lost);
    environment.command(["wait", &lost]).run().expect_code(1);
    let noted = entries(&environment);
    assert_eq!(noted.len(), 3);
    let record = environment.record(noted[0]["job_id"].as_str().expect("an id"));
    for field in ["session_id", "duration_ms", "num_turns", "model"] {
        assert_eq!(noted[0][field], record["result"][field], "{field}");
    }
    assert_eq!(noted[0]["time"], record["completed_at"]);
    assert_eq!(
        (&noted[0]["outcome"], &noted[0]["cost_usd"], &noted[0]["depth"]),
        (&json!("partial"), &json!(0.25), &json!(1))
    );
    assert_eq!((&noted[1]["success"], &noted[1]["error_type"]), (&json!(false), &json!("cli_error")));
    assert_eq!((&noted[2]["job_id"], &noted[2]["error_type"]), (&json!(lost), &json!("lost")));
}

#[test]
fn the_journal_is_where_the_config_or_the_environment_says_or_nowhere() {
    let environment = with_agent();
    environment.configure("settings:\n  usage_log: logs/agents.jsonl\n");
    let named = environment.config().with_file_name("logs/agents.jsonl");
    run(&environment, "hi").expect_code(0);
    assert_eq!(fs::read_to_string(&named).expect("the journal").lines().count(), 1);
    let elsewhere = environment.root().join("elsewhere.jsonl");
    let run_there = || environment.command(["run", AGENT, "hi"]).env("AGENT_DISPATCH_USAGE_LOG", &elsewhere);
    run_there().run().expect_code(0);
    assert_eq!(fs::read_to_string(&elsewhere).expect("the journal").lines().count(), 1);

    let config = fs::read_to_string(environment.config()).expect("the config");
    environment.write_config(&config.replace("logs/agents.jsonl", "false"));
    run_there().run().expect_code(0);
    assert_eq!(fs::read_to_string(&elsewhere).expect("the journal").lines().count(), 1);
    assert!(!journal(&environment).exists());
    let output = environment.command(["stats"]).run().expect_code(2);
    assert!(output.stderr.contains("switched off"), "{}", output.stderr);
}

#[test]
fn a_journal_that_cannot_be_written_fails_no_job() {
    let environment = with_agent();
    fs::create_dir(journal(&environment)).expect("a directory in its place");
    run(&environment, "hi").expect_code(0);
}

#[test]
fn jobs_that_end_at_once_have_a_line_each() {
    let environment = with_agent();
    let ids: Vec<String> = (0..20).map(|_| submit(&environment, "hi")).collect();
    environment.command(["wait"]).args(&ids).run().expect_code(0);
    assert_eq!(entries(&environment).len(), 20);
}

#[test]
fn stats_sums_up_for_each_agent() {
    let environment = with_agent();
    environment.project("web");
    run(&environment, "fake: status done\nfake: cost 0.1").expect_code(0);
    run(&environment, "fake: exit 3").expect_code(1);
    environment.command(["run", "web", "fake: cost 0.2"]).run().expect_code(0);
    let table = environment.command(["stats"]).run().expect_code(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1][..5], [AGENT, "2", "50", "%", "$0.1000"], "{table}");
    assert!(
        table.lines().nth(1).is_some_and(|line| line.contains("1 done") && line.ends_with("1 cli_error"))
    );
    assert_eq!(lines[3][..5], ["total", "3", "67", "%", "$0.3000"], "{table}");

    let document = environment.command(["stats", "--json"]).run().expect_code(0).json();
    assert_eq!(document["total"]["cost_usd"], 0.3);
    assert_eq!(document["agents"][AGENT]["errors"], json!({"cli_error": 1}));
    assert_eq!(document["agents"]["web"]["usual"]["runs"], 1);
    assert_eq!((&document["total"]["jobs"], &document["total"]["succeeded"]), (&json!(3), &json!(2)));
    let one = environment.command(["stats", "--agent", "web", "--json"]).run().expect_code(0).json();
    assert_eq!(
        (&one["total"]["jobs"], &one["agents"].as_object().map(serde_json::Map::len)),
        (&json!(1), &Some(1))
    );
}

#[test]
fn stats_leaves_out_what_is_too_old_or_unreadable() {
    let environment = with_agent();
    let nothing = environment.command(["stats"]).run().expect_code(0);
    assert_eq!((nothing.stdout.as_str(), nothing.stderr.contains("no jobs in")), ("", true));
    past_runs(&environment, &[60; 3]);
    let text = fs::read_to_string(journal(&environment)).expect("the journal");
    fs::write(journal(&environment), format!("{text}{{\"time\": 1,\n\u{0}\n")).expect("a journal");
    run(&environment, "hi").expect_code(0);
    let all = environment.command(["stats", "--json"]).run().expect_code(0);
    assert!(all.stderr.contains("2 lines of"), "{}", all.stderr);
    assert_eq!(all.json()["total"]["jobs"], 4);
    assert_eq!(all.json()["unreadable_lines"], 2);
    let recent = environment.command(["stats", "--days", "1", "--json"]).run().expect_code(0);
    assert_eq!(recent.json()["total"]["jobs"], 1);
}

#[test]
fn after_a_timeout_the_limit_that_runs_need_is_proposed() {
    let environment = with_agent();
    let timed_out =
        || environment.command(["run", AGENT, "fake: text on it\nfake: hang", "--timeout", "200ms"]).run();
    let blind = timed_out().expect_code(124);
    assert!(blind.stderr.contains("--timeout 1s`"), "{}", blind.stderr);
    past_runs(&environment, &[1, 1, 1, 604]);
    let informed = timed_out().expect_code(124);
    assert!(informed.stderr.contains("--timeout 13m`"), "{}", informed.stderr);
    assert!(!informed.stderr.contains("has little time"), "four runs are not enough: {}", informed.stderr);
}

#[test]
fn a_limit_that_most_runs_did_not_keep_is_warned_of() {
    let environment = with_agent();
    past_runs(&environment, &[60, 90, 90, 90, 600]);
    let warned = environment.command(["submit", AGENT, "hi", "--timeout", "45s"]).run().expect_code(0);
    let warning = "it may take 45s, but half of the last 5 successful runs took longer than 1m 30s";
    assert!(warned.stderr.contains(warning), "{}", warned.stderr);
    environment.command(["wait", warned.stdout.trim()]).run().expect_code(0);
    let fine = environment.command(["run", AGENT, "hi", "--timeout", "2m"]).run().expect_code(0);
    assert!(!fine.stderr.contains("little time"), "{}", fine.stderr);
    submit_and_finish(&environment, "hi");
}
