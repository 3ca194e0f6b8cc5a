//! `doctor`: a healthy environment has nothing to say, and each thing that is broken gets its finding and its fix.

mod agents;
mod claude;
mod jobs;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use agent_dispatch::model::JobId;
use agent_dispatch::store::{Finished, JobResult, Record, State, Store, Verdict};
use serde_json::{Value, json};

use test_support::{PATIENCE, TestEnvironment, namespace, programs, quoted, wait_until};

/// An environment in which everything is as it should be, with the agent `api`.
fn healthy() -> TestEnvironment {
    let environment = TestEnvironment::new();
    let project = environment.project_with("api", "max_budget_usd: 1\npermission_mode: acceptEdits");
    fs::write(project.join("CLAUDE.md"), "# API\n").expect("a file of the test");
    fs::create_dir(environment.home().join(".claude")).expect("a file of the test");
    let credentials = json!({"claudeAiOauth": {"accessToken": "x", "subscriptionType": "max"}});
    write(&environment.home().join(".claude/.credentials.json"), &credentials);
    write(&state(&environment), &registered(programs::agent_dispatch()));
    environment
}

#[test]
fn what_is_asked_for_its_version_ends_with_the_command_that_asks() {
    for (signal, command) in [
        (libc::SIGINT, &["doctor"][..]),
        (libc::SIGTERM, &["doctor"]),
        (libc::SIGHUP, &["doctor"]),
        (libc::SIGINT, &["init"]),
    ] {
        let environment = TestEnvironment::without_claude();
        let started = environment.root().join("started");
        let script = format!("#!/bin/sh\nsleep 600 &\necho > {}\nwait\n", quoted(&started));
        environment.executable("claude", &script);
        let run = environment.command(command).spawn();
        wait_until(PATIENCE, "claude is asked", || started.exists());
        run.signal(signal);
        assert_eq!(run.wait().code, None, "{command:?}: signal {signal} ends it");
        environment.assert_nothing_running();
    }
}

fn state(environment: &TestEnvironment) -> PathBuf {
    environment.home().join(".claude.json")
}

/// Claude Code's state with this program as the MCP server.
fn registered(program: &Path) -> Value {
    json!({"mcpServers": {"agent-dispatch": {"type": "stdio", "command": program, "args": ["serve-mcp"]}}})
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).expect("a file of the test");
}

/// Puts a shell script in the place of claude.
fn replace_claude(environment: &TestEnvironment, script: &str) {
    let claude = environment.bin().join("claude");
    fs::remove_file(&claude).expect("a file of the test");
    fs::write(&claude, format!("#!/bin/sh\n{script}\n")).expect("a file of the test");
    fs::set_permissions(&claude, Permissions::from_mode(0o755)).expect("a file of the test");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of the test");
}

/// The document of `doctor --json`.
fn document(environment: &TestEnvironment) -> Value {
    environment.command(["doctor", "--json"]).run().json()
}

/// What is not as it should be: id, level and fix. Other servers of this user on this machine are nobody's business.
fn problems(environment: &TestEnvironment) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let document = document(environment);
    let findings = document["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["level"] != "ok" && finding["id"] != "mcp-running")
        .inspect(|finding| {
            if let Some(fix) = finding["fix"].as_str() {
                assert_exists(environment, fix);
            }
        })
        .map(|finding| (text(&finding["id"]), text(&finding["level"]), text(&finding["fix"])))
        .collect()
}

/// Programs that a fix may name, besides this tool: there, or to be installed by the fix before.
const ORDINARY: [&str; 11] =
    ["${EDITOR:-vi}", "cd", "chmod", "claude", "export", "kill", "npm", "rm", "sudo", "umask", "unset"];

/// Panics unless every command in a fix exists.
#[track_caller]
fn assert_exists(environment: &TestEnvironment, fix: &str) {
    for command in fix.split(" && ") {
        let words: Vec<&str> = command.split(' ').collect();
        if words[0] != "agent-dispatch" {
            assert!(ORDINARY.contains(&words[0]), "no ordinary program: {fix}");
        } else {
            // Groups of commands take two words.
            let length = if ["agents", "groups"].contains(&words[1]) { 2 } else { 1 };
            environment.command(&words[1..=length]).arg("--help").run().expect_code(0);
        }
    }
}

/// A job of `api` that has finished.
fn finished_job(environment: &TestEnvironment) -> JobId {
    let store = Store::open(&environment.jobs_directory()).expect("a store");
    let mut record = Record::pending(JobId::generate(), "api", "look", 1_700_000_000.0);
    let held = store.create(&record).expect("a job");
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: 1_700_000_001.0,
        verdict: Verdict::Done,
        result: Some(JobResult::answer(record.id, "api", "hi")),
        error: None,
    }));
    held.finish(&record, None).map_err(|(_, error)| error).expect("a record");
    record.id
}

#[test]
fn a_healthy_environment_has_nothing_to_say() {
    let environment = healthy();
    finished_job(&environment);
    assert_eq!(problems(&environment), []);
    let output = environment.command(["doctor", "--strict"]).run().expect_code(0);
    for said in [
        "✓       claude 9.9.9 (Claude Code): ",
        "✓       logged in with a subscription (max), by ",
        "✓       the MCP server answers: agent-dispatch ",
        "✓       api: ",
        "✓       1 job, less than 1 MiB",
        "0 errors, 0 warnings, ",
    ] {
        assert!(output.stdout.contains(said), "{said:?}:\n{}", output.stdout);
    }
    assert_eq!(output.stderr, "");
}

#[test]
fn nothing_is_made_or_changed() {
    let environment = TestEnvironment::without_claude();
    let files = || {
        let listed = environment.program(Path::new("/usr/bin/find"), ["home", "projects"]).run().stdout;
        let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
        files.sort();
        files
    };
    let before = files();
    environment.command(["doctor"]).run().expect_code(1);
    assert_eq!(files(), before);
}

/// A way to break something, and the findings that tell of it.
type Case = (fn(&TestEnvironment), &'static [(&'static str, &'static str, &'static str)]);

/// A fix with the paths that a case leaves open: `HOME` stands for its home, `~` for the test's own directory.
fn fix(environment: &TestEnvironment, fix: &str) -> String {
    let word = |word: &str| {
        let place = [("HOME", environment.home()), ("~", environment.root().to_owned())];
        place.iter().find_map(|(name, place)| {
            let rest = word.strip_prefix(name)?;
            Some(quoted(&place.join(rest.trim_start_matches('/'))))
        })
    };
    let words = fix.split(' ').map(|text| word(text).unwrap_or_else(|| text.to_owned()));
    words.collect::<Vec<_>>().join(" ")
}

/// Breaks one thing at a time.
#[track_caller]
fn check(cases: &[Case]) {
    for (number, (break_it, expected)) in cases.iter().enumerate() {
        let environment = healthy();
        break_it(&environment);
        let expected: Vec<(String, String, String)> = expected
            .iter()
            .map(|(id, level, text)| ((*id).to_owned(), (*level).to_owned(), fix(&environment, text)))
            .collect();
        assert_eq!(problems(&environment), expected, "case {number}");
    }
}

#[test]
fn warnings_fail_a_strict_look_only_and_errors_fail_every_one() {
    let mut environment = healthy();
    environment.variable("GITHUB_TOKEN", "hush");
    let document = environment.command(["doctor", "--json"]).run().expect_code(0).json();
    assert_eq!((&document["ok"], &document["summary"]["warnings"]), (&json!(true), &json!(1)));
    let strict = environment.command(["doctor", "--json", "--strict"]).run().expect_code(1).json();
    assert_eq!(strict["ok"], false);
    fs::remove_file(environment.bin().join("claude")).unwrap();
    let document = environment.command(["doctor", "--json"]).run().expect_code(1).json();
    assert_eq!((&document["ok"], &document["summary"]["errors"]), (&json!(false), &json!(1)));
}

#[test]
fn when_quiet_only_problems_are_said() {
    let mut environment = healthy();
    let quiet = environment.command(["doctor", "--quiet"]).run().expect_code(0).stdout;
    assert_eq!(quiet.lines().count(), 1, "only the counts:\n{quiet}");
    environment.variable("GITHUB_TOKEN", "hush");
    let quiet = environment.command(["doctor", "--quiet"]).run().expect_code(0).stdout;
    let lines: Vec<&str> = quiet.lines().collect();
    assert_eq!(lines.len(), 4, "{quiet}");
    assert_eq!((lines[0], lines[2]), ("Environment", "          fix: unset GITHUB_TOKEN"));
}

#[test]
fn a_finding_is_coloured_by_its_level() {
    let environment = healthy();
    let output = environment.command(["doctor", "--color", "always"]).run().expect_code(0);
    assert!(output.stdout.contains("  \u{1b}[32m✓\u{1b}[0m       claude 9.9.9"), "{}", output.stdout);
}
