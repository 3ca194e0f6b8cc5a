//! Records that this version did not write, or cannot read: they are left alone and hide no others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use test_support::{Output, TestEnvironment, quoted};

/// A job of long ago, whose id says so.
const OLD: &str = "0170000000007000800000000000beef";

fn path(environment: &TestEnvironment, id: &str) -> PathBuf {
    environment.jobs_directory().join(format!("{id}.json"))
}

/// An environment with an answered job, and a record with this content.
fn with_record(content: &[u8]) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.command(["run", "infra", "fake: answer hello"]).run().expect_code(0);
    fs::write(path(&environment, OLD), content).expect("a record");
    environment
}

fn newer(more: &Value) -> Vec<u8> {
    let mut record =
        json!({"format": 3, "id": OLD, "agent": "infra", "task": "of tomorrow", "created_at": 1.0});
    record.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::to_vec(&record).expect("JSON")
}

/// Runs everything that looks at jobs or tidies up among them.
fn look_at_everything(environment: &TestEnvironment) -> Vec<Output> {
    let commands: [&[&str]; 17] = [
        &["status", OLD],
        &["status", OLD, "--json"],
        &["result", OLD],
        &["result", OLD, "--wait"],
        &["wait", OLD],
        &["logs", OLD],
        &["logs", OLD, "--stderr"],
        &["cancel", OLD],
        &["cancel", "--all"],
        &["retry", OLD, "--background"],
        &["jobs"],
        &["jobs", "--status", "pending"],
        &["jobs", "--json", "--limit", "0"],
        &["doctor"],
        &["stats"],
        &["gc", "--all"],
        &["gc", "--older-than", "0s"],
    ];
    commands.iter().map(|arguments| environment.command(*arguments).run()).collect()
}

#[test]
fn a_record_of_a_newer_version_is_shown_and_never_touched() {
    for more in [
        json!({"status": "pending"}),
        json!({"status": "running", "started_at": 2.0, "shape": {"unknown": true}}),
        json!({"status": "done", "completed_at": 2.0, "result": {"success": true, "result": "x"}}),
        // Nothing that this version could read.
        json!({"status": "held"}),
        json!({"status": {"now": "in parts"}, "created_at": "2030-01-01"}),
        json!({"format": "3.1", "status": "done"}),
        json!({"format": 4_000_000_000_000_u64, "status": "done"}),
    ] {
        let content = newer(&more);
        let environment = with_record(&content);
        for output in look_at_everything(&environment) {
            assert_ne!(output.code, Some(101), "{}", output.stderr);
        }
        let kept = fs::read(path(&environment, OLD)).unwrap_or_else(|error| panic!("{more}: {error}"));
        assert_eq!(kept, content, "{more}");
        assert!(!environment.jobs_directory().join(format!("{OLD}.damaged")).exists(), "{more}");
        assert!(!environment.jobs_directory().join(format!(".run/{OLD}.lock")).exists(), "{more}");

        let said = |output: Output| format!("{}{}", output.stdout, output.stderr);
        for arguments in [&["status", OLD][..], &["jobs"], &["doctor"]] {
            let text = said(environment.command(arguments).run());
            assert!(text.contains("a newer version of agent-dispatch"), "{more}: {arguments:?}\n{text}");
        }
        let gc = environment.command(["gc", "--all", "--json"]).run().expect_code(0).json();
        assert_eq!(gc["kept_not_ours"], 1, "{more}: {gc}");
    }
}

#[test]
fn a_record_of_a_newer_version_that_is_not_one_json_document_is_not_touched_either() {
    let id = format!("\"id\":\"{OLD}\",\"agent\":\"infra\"");
    for content in [
        format!("{{\"format\":3,{id}}}\n{{\"event\":\"end\"}}\n"),
        format!("{{\"format\":3,\"format\":4,{id}}}"),
        // Cut off by a power cut, say.
        format!("{{\"format\":3,{id},\"task\":\"of tom"),
        format!("{{\n  \"format\": 3,\n  {id}\n}}\n{{}}\n"),
        format!("{{\"format\":3,{id},\"deep\":{}{}}}", "[".repeat(200), "]".repeat(200)),
    ] {
        let environment = with_record(content.as_bytes());
        look_at_everything(&environment);
        let kept =
            fs::read_to_string(path(&environment, OLD)).unwrap_or_else(|error| panic!("{content}: {error}"));
        assert_eq!(kept, content);
        assert!(!environment.jobs_directory().join(format!("{OLD}.damaged")).exists(), "{content}");
        let status = environment.command(["status", OLD]).run().expect_code(1);
        assert!(status.stderr.contains("a newer version of agent-dispatch"), "{content}: {}", status.stderr);
    }
}

#[test]
fn a_job_of_a_newer_version_that_runs_is_not_stopped_or_told_to_be_lost() {
    let content = newer(&json!({"status": "running", "started_at": 2.0}));
    let environment = with_record(&content);
    let lock = environment.jobs_directory().join(format!(".run/{OLD}.lock"));
    fs::write(&lock, "1\n").expect("a lock that nobody holds any more");
    look_at_everything(&environment);
    assert_eq!(fs::read(path(&environment, OLD)).expect("the record"), content);
    assert!(lock.exists(), "the lock is the newer version's");
    assert!(!environment.jobs_directory().join(OLD).join("cancel").exists());
}

#[test]
fn a_record_that_cannot_be_read_hides_no_other_and_is_named() {
    let environment = with_record(&newer(&json!({"format": 2, "status": "done"})));
    let unreadable = path(&environment, OLD);
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).expect("a file of ours");
    let run = |arguments: &[&str]| environment.command(arguments).bound_by_modes().run();
    let jobs = run(&["jobs"]).expect_code(0);
    assert!(jobs.stdout.contains("hello"), "{}", jobs.stdout);
    assert!(jobs.stderr.contains(OLD) && jobs.stderr.contains("cannot be read"), "{}", jobs.stderr);
    let listed = run(&["jobs", "--json"]).expect_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(run(&["result", "latest"]).expect_code(0).stdout, "hello\n");
    let doctor = run(&["doctor"]);
    assert!(doctor.stdout.contains(&format!("chmod 600 {}", quoted(&unreadable))), "{}", doctor.stdout);
    assert!(!doctor.stdout.contains("damaged"), "{}", doctor.stdout);
    run(&["stats"]).expect_code(0);
    run(&["gc", "--all"]).expect_code(0);
    assert!(unreadable.exists(), "what cannot be read is not deleted");
    let status = run(&["status", OLD]).expect_code(1);
    assert!(status.stderr.contains("hint: make it readable again: `chmod 600 "), "{}", status.stderr);
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o600)).expect("a file of ours");
}

#[test]
fn of_many_records_that_cannot_be_read_only_some_are_named() {
    let environment = with_record(b"{}");
    for number in 0..30 {
        let id = format!("01700000000070008000000000{number:06}");
        let path = path(&environment, &id);
        fs::write(&path, "{}").expect("a record");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("a file of ours");
    }
    let jobs = environment.command(["jobs"]).bound_by_modes().run().expect_code(0);
    assert!(jobs.stdout.contains("hello"), "{}", jobs.stdout);
    assert_eq!(jobs.stderr.lines().count(), 11, "{}", jobs.stderr);
    assert!(jobs.stderr.contains("21 more records cannot be read"), "{}", jobs.stderr);
}

#[test]
fn a_record_of_2_gb_is_told_of_and_not_read() {
    let environment = with_record(b"{");
    fs::File::options()
        .write(true)
        .open(path(&environment, OLD))
        .expect("a file")
        .set_len(2 << 30)
        .expect("sparse");
    let jobs = environment.command(["jobs"]).run().expect_code(0);
    assert!(jobs.stdout.contains("hello") && jobs.stderr.contains("2147483648 bytes"), "{}", jobs.stderr);
}
