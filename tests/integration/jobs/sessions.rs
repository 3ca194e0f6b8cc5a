//! What may be the id of a session. Claude Code takes a path for a file to read and to append to, and a word for a title:
//! neither may reach it, whichever way it comes.

use std::fs;

use serde_json::{Value, json};

use test_support::TestEnvironment;
use test_support::dispatch::{AGENT, submit_and_finish, with_agent};

/// What Claude Code would take for something else than a session of its own.
const NO_IDS: [&str; 6] = [
    "../other/secret.jsonl",
    "/var/secret.jsonl",
    ".x/h.jsonl",
    "bad",
    "0190163d8694439baea5966c26f8ad91",
    "0190163d-8694-439b-aea5-966c26f8ad91.jsonl",
];

/// A well-formed id of which nothing here knows.
const UNKNOWN: &str = "0190163d-8694-439b-aea5-966c26f8ad91";

fn edit(environment: &TestEnvironment, id: &str, change: impl FnOnce(&mut Value)) {
    let mut record = environment.record(id);
    change(&mut record);
    let path = environment.jobs_directory().join(format!("{id}.json"));
    fs::write(path, record.to_string()).expect("a record that can be edited");
}

#[test]
fn a_path_or_a_word_is_no_session_wherever_it_is_given() {
    let environment = with_agent();
    for id in NO_IDS {
        let said = format!(
            "'{id}' is no session id: it must be a UUID such as 6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb"
        );
        for command in ["run", "submit"] {
            let output = environment.command([command, AGENT, "x", "--session", id]).run().expect_code(2);
            assert!(output.stderr.starts_with(&format!("error: {said}\nhint: ")), "{}", output.stderr);
        }
        let item = json!([{"agent": AGENT, "task": "x", "session_id": id}]).to_string();
        let output = environment.command(["batch", "-"]).stdin(item).run().expect_code(2);
        assert!(output.stderr.contains(&said), "{}", output.stderr);
    }
    assert!(environment.job_ids().is_empty(), "no job was made");
}

#[test]
fn the_session_of_a_record_is_checked_like_any_other() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "fake: answer hi");
    for field in ["", "result"] {
        edit(&environment, &first, |record| {
            record["session_id"] = json!("../other/secret.jsonl");
            if field == "result" {
                record["result"]["session_id"] = json!("../other/secret.jsonl");
            }
        });
        let output = environment.command(["resume", &first]).run();
        if field == "result" {
            assert!(output.expect_code(2).stderr.contains("is no session id"));
        } else {
            output.expect_code(0);
        }
    }
    environment.command(["retry", &first]).run().expect_code(0);
    for id in environment.job_ids().iter().skip(1) {
        let command = environment.record(id)["command"].to_string();
        assert!(!command.contains("secret"), "{command}");
    }
}

#[test]
fn a_session_that_claude_codes_files_do_not_have_is_not_found_before_there_is_a_job() {
    let mut environment = with_agent();
    let unknown = || environment.command(["run", AGENT, "x", "--session", UNKNOWN]).run();
    // Where there are no files that could tell, Claude Code is asked.
    unknown().expect_code(3);
    assert_eq!(environment.job_ids().len(), 1);
    environment.command(["gc", "--all"]).run().expect_code(0);
    let folder = environment.home().join(".claude/projects/-somewhere");
    fs::create_dir_all(&folder).unwrap();
    let output = unknown().expect_code(3);
    assert!(
        output.stderr.starts_with(&format!("error: Claude Code has no session {UNKNOWN}: no folder of ")),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("without `--session`"), "{}", output.stderr);
    assert!(environment.job_ids().is_empty(), "no job was made");
    // Where they are is said by the environment, too; and what they have is asked of Claude Code.
    let elsewhere = environment.root().join("elsewhere/projects/-work");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(elsewhere.join(format!("{UNKNOWN}.jsonl")), "{}").unwrap();
    environment.variable("CLAUDE_CONFIG_DIR", environment.root().join("elsewhere"));
    environment.command(["run", AGENT, "x", "--session", UNKNOWN]).run().expect_code(3);
    assert_eq!(environment.job_ids().len(), 1);
}

#[test]
fn a_session_that_a_job_had_is_for_claude_code_to_find() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "fake: answer hi");
    // No transcript of it there: the fake agent keeps its sessions elsewhere, as another version might.
    fs::create_dir_all(environment.home().join(".claude/projects/-somewhere")).unwrap();
    let session = environment.record(&first)["session_id"].as_str().expect("a session").to_uppercase();
    let output = environment.command(["run", AGENT, "fake: echo-args", "--session", &session]).run();
    assert!(output.expect_code(0).stdout.contains(&format!("--resume={}", session.to_lowercase())));
}

#[test]
fn a_program_without_sessions_is_given_none() {
    let environment = TestEnvironment::new();
    environment.link("assistant", &test_support::programs::fake_agent());
    environment.project_with(AGENT, "backend: command\ncommand: [assistant, --plain]");
    let output = environment.command(["run", AGENT, "fake: echo-args", "--session", "../x"]).run();
    let output = output.expect_code(0);
    assert!(!output.stdout.contains("../x"), "{}", output.stdout);
    assert!(output.stderr.contains("session"), "it says that it is ignored: {}", output.stderr);
    let record = environment.only_record();
    assert_eq!((record.get("session_id"), record.get("resumed")), (None, None));
}
