//! What a record says is shown and handed on, and is no order: whoever can only write records gets nothing done by it.

use std::fs;

use serde_json::{Value, json};

use test_support::TestEnvironment;
use test_support::dispatch::{AGENT, submit_and_finish, submit_endless, with_agent};

/// Changes the record of a job that nobody looks after.
fn rewrite(environment: &TestEnvironment, id: &str, fields: &Value) {
    let mut record = environment.record(id);
    for (name, value) in fields.as_object().expect("fields") {
        record[name] = value.clone();
    }
    let path = environment.jobs_directory().join(format!("{id}.json"));
    fs::write(path, record.to_string()).expect("the record");
}

/// A job whose supervisor has died, with these fields in its record.
fn lost_job(environment: &TestEnvironment, fields: &Value) -> String {
    let id = submit_endless(environment);
    environment.kill_supervisor(&id);
    environment.assert_nothing_running();
    rewrite(environment, &id, fields);
    id
}

#[test]
fn the_end_of_a_lost_job_is_noted_in_the_journal_of_the_one_who_looks() {
    let environment = with_agent();
    let file = environment.home().join(".bashrc");
    for command in
        [&["status"][..], &["result", "--wait"], &["jobs"], &["doctor"], &["gc", "--older-than", "7d"]]
    {
        fs::write(&file, "alias a=b\n").expect("a file of the user's");
        let id = lost_job(&environment, &json!({ "usage_log": file }));
        let named = matches!(command[0], "status" | "result").then_some(id.as_str());
        environment.command(command.iter().copied().chain(named)).run();
        assert_eq!(fs::read_to_string(&file).expect("the file"), "alias a=b\n", "{command:?} wrote into it");
        let journal = fs::read_to_string(environment.config().with_file_name("usage.jsonl"));
        let journal = journal.expect("the journal of the config");
        assert_eq!(journal.matches(&format!("\"{id}\"")).count(), 1, "{command:?}: {journal}");
    }
}

#[test]
fn no_file_is_put_aside_because_a_record_calls_it_a_journal() {
    let environment = with_agent();
    let file = environment.home().join("photographs.tar");
    fs::write(&file, vec![b'x'; 6_000_000]).expect("a large file");
    let id = lost_job(&environment, &json!({ "usage_log": file }));
    environment.command(["status", &id]).run().expect_code(0);
    assert_eq!(fs::metadata(&file).map(|file| file.len()).expect("the file"), 6_000_000);
}

#[test]
fn a_limit_of_a_record_that_is_none_is_refused_by_name() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer hi");
    for (field, value) in [
        ("max_budget_usd", json!(-5)),
        ("max_budget_usd", json!(0)),
        ("max_budget_usd", json!("1")),
        ("max_budget_usd", json!([1])),
        ("timeout_seconds", json!(-1)),
        ("timeout_seconds", json!(0)),
        ("timeout_seconds", json!(1e300)),
        ("timeout_seconds", json!("90s")),
        ("idle_timeout_seconds", json!(-0.5)),
        ("idle_timeout_seconds", json!({})),
    ] {
        let before = environment.record(&id);
        rewrite(&environment, &id, &json!({ field: value }));
        for command in [&["retry", &id][..], &["resume", &id, "go on"]] {
            let refused = environment.command(command).run().expect_code(2);
            let said = format!("{field}: {value}");
            assert!(refused.stderr.contains(&said), "{command:?}: {}", refused.stderr);
        }
        // Looking at it is no reason to fail, nor to take it for damaged.
        environment.command(["status", &id]).run().expect_code(0);
        environment.command(["result", &id]).run().expect_code(0);
        environment.command(["jobs", "--json"]).run().expect_code(0);
        rewrite(&environment, &id, &json!({ field: before[field] }));
    }
    assert_eq!(environment.job_ids(), [id.as_str()], "nothing was started");
    environment.command(["retry", &id]).run().expect_code(0);
}

#[test]
fn a_number_that_no_float_can_hold_makes_a_record_damaged_and_starts_nothing() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer hi");
    let path = environment.jobs_directory().join(format!("{id}.json"));
    let text = fs::read_to_string(&path)
        .expect("the record")
        .replace("{\"format\"", "{\"max_budget_usd\":1e400,\"format\"");
    fs::write(&path, text).expect("the record");
    let refused = environment.command(["retry", &id]).run().expect_code(1);
    assert!(refused.stderr.contains("number out of range"), "{}", refused.stderr);
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn a_job_goes_on_where_the_config_says_and_not_where_its_record_does() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer hi");
    let elsewhere = environment.root().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    rewrite(&environment, &id, &json!({ "directory": elsewhere }));
    for command in [&["retry", &id][..], &["resume", &id, "go on"]] {
        environment.command(command).run().expect_code(0);
        let newest = environment.job_ids().pop().expect("a job");
        let project = environment.root().join("projects").join(AGENT);
        assert_eq!(environment.record(&newest)["directory"], json!(project), "{command:?}");
    }
}

#[test]
fn a_supervisor_goes_by_what_it_was_told_and_not_by_the_record() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let first = submit_endless(&environment);
    let second =
        environment.command(["submit", AGENT, "fake: answer hi", "--timeout", "90"]).run().expect_code(0);
    let second = second.stdout.trim_end();
    // It waits, and its record lies there meanwhile.
    rewrite(
        &environment,
        second,
        &json!({ "timeout_seconds": -1, "directory": environment.root(), "command": ["rm"] }),
    );
    environment.command(["cancel", &first]).run().expect_code(0);
    environment.command(["result", second, "--wait"]).run().expect_code(0);
    let record = environment.record(second);
    assert_eq!(record["timeout_seconds"], 90.0);
    assert_eq!(record["directory"], json!(environment.root().join("projects").join(AGENT)));
}
