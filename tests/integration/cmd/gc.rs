//! `gc`: deleting jobs that have finished, and what was left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use serde_json::json;

use test_support::TestEnvironment;
use test_support::dispatch::{submit_and_finish, submit_endless, with_agent};

/// Makes a finished job look as if it had ended this many seconds ago.
fn age(environment: &TestEnvironment, id: &str, seconds: f64) -> String {
    let mut record = environment.record(id);
    // A version 7 id tells when it was made; the oldest there can be is made for an aged record.
    let old = format!("018bcfe56800{}", &id[12..]);
    record["id"] = old.clone().into();
    record["result"]["job_id"] = old.clone().into();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs_f64();
    record["completed_at"] = (now - seconds).into();
    let directory = environment.jobs_directory();
    let path = directory.join(format!("{old}.json"));
    fs::write(&path, record.to_string()).expect("a record");
    // When a record was last written is when its job ended.
    let ended = SystemTime::now() - Duration::from_secs_f64(seconds);
    fs::File::options().write(true).open(path).and_then(|file| file.set_modified(ended)).expect("a time");
    fs::rename(directory.join(id), directory.join(&old)).expect("a folder");
    fs::remove_file(directory.join(format!("{id}.json"))).expect("a record");
    old
}

fn backdate(path: &std::path::Path) {
    let two_hours_ago = SystemTime::now() - Duration::from_secs(7_200);
    fs::File::open(path).and_then(|file| file.set_modified(two_hours_ago)).expect("a file");
}

#[test]
fn only_what_ended_long_enough_ago_goes_with_all_its_files() {
    let environment = with_agent();
    let finished = submit_and_finish(&environment, "x");
    let old = age(&environment, &finished, 8.0 * 86_400.0);
    let young = submit_and_finish(&environment, "x");
    let young = age(&environment, &young, 6.0 * 86_400.0);
    let recent = submit_and_finish(&environment, "x");
    let output = environment.command(["gc", "--older-than", "7d"]).run().expect_code(0);
    assert_eq!(output.stdout, "deleted 1 job; kept 0 unfinished and 2 recent\n");
    assert_eq!(environment.job_ids(), [young, recent]);
    assert!(!environment.jobs_directory().join(old).exists());
}

#[test]
fn all_means_all_that_are_over() {
    let environment = with_agent();
    submit_and_finish(&environment, "x");
    submit_and_finish(&environment, "fake: nothing");
    let running = submit_endless(&environment);
    let output = environment.command(["gc", "--all", "--json"]).run().expect_code(0);
    let document = output.json();
    assert_eq!(document["deleted"].as_array().unwrap().len(), 2);
    assert_eq!((&document["kept_unfinished"], &document["kept_recent"]), (&json!(1), &json!(0)));
    assert_eq!(environment.job_ids(), std::slice::from_ref(&running));
    environment.command(["cancel", &running]).run().expect_code(0);
    let names: Vec<_> = fs::read_dir(environment.jobs_directory()).unwrap().flatten().collect();
    assert_eq!(names.len(), 3, "its record, its folder and .run: {names:?}");
}

#[test]
fn a_dry_run_says_the_same_and_deletes_nothing() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "x");
    let temporary = environment.jobs_directory().join(".tmp-1-2-x.json");
    fs::write(&temporary, "").unwrap();
    backdate(&temporary);
    let dry = environment.command(["gc", "--all", "--dry-run"]).run().expect_code(0);
    assert_eq!(dry.stdout, "would delete 1 job and 1 leftover file; kept 0 unfinished and 0 recent\n");
    let json = environment.command(["gc", "--all", "--dry-run", "--json"]).run().expect_code(0).json();
    assert_eq!((&json["dry_run"], &json["deleted"]), (&json!(true), &json!([id])));
    assert!(temporary.exists());
    assert_eq!(environment.job_ids(), [id]);
    let real = environment.command(["gc", "--all"]).run().expect_code(0);
    assert_eq!(real.stdout, "deleted 1 job and 1 leftover file; kept 0 unfinished and 0 recent\n");
    assert!(!temporary.exists());
    assert!(environment.job_ids().is_empty());
}

#[test]
fn what_crashes_left_behind_goes_once_it_is_old() {
    let environment = with_agent();
    let kept = submit_and_finish(&environment, "x");
    let directory = environment.jobs_directory();
    let folder = directory.join("0190163d8694739baea5966c26f8ad91");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.join("stdout.jsonl"), "x").unwrap();
    let damaged = directory.join("0190163d8694739baea5966c26f8ad92.damaged");
    fs::write(&damaged, "x").unwrap();
    let young = environment.command(["gc", "--older-than", "1h", "--json"]).run().expect_code(0).json();
    assert_eq!(young["deleted_leftovers"], 0, "somebody may be at work on them");
    backdate(&folder);
    backdate(&damaged);
    let old = environment.command(["gc", "--older-than", "1h", "--json"]).run().expect_code(0).json();
    assert_eq!(old["deleted_leftovers"], 2);
    assert!(!folder.exists() && !damaged.exists());
    assert_eq!(environment.job_ids(), [kept]);
}

#[test]
fn the_records_of_the_python_original_go_too() {
    let environment = with_agent();
    submit_and_finish(&environment, "x");
    let directory = environment.jobs_directory();
    for (id, content) in [
        ("5f0c9d0e7a3b4c1d8e2f00112233aabb", include_str!("../fixtures/python-done.json")),
        ("1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed", include_str!("../fixtures/python-failed.json")),
        // Its server died years ago; nothing else would ever end it.
        ("9c5b94b135ad49bbb1189e8fc24abf80", include_str!("../fixtures/python-running.json")),
    ] {
        fs::write(directory.join(format!("{id}.json")), content).unwrap();
    }
    let output = environment.command(["gc", "--older-than", "30d"]).run().expect_code(0);
    assert_eq!(output.stdout, "deleted 3 jobs; kept 0 unfinished and 1 recent\n");
    assert_eq!(environment.job_ids().len(), 1);
}

#[test]
fn a_job_lost_with_its_supervisor_is_over_and_can_go() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let kill = format!("pkill -KILL -f '__supervise .*{id}'");
    environment.program("/bin/sh".as_ref(), ["-c", &kill]).run();
    environment.command(["wait", &id]).run().expect_code(1);
    environment.command(["gc", "--all"]).run().expect_code(0);
    assert!(environment.job_ids().is_empty());
    environment.assert_nothing_running();
}

#[test]
fn without_a_policy_nothing_is_deleted() {
    let environment = with_agent();
    submit_and_finish(&environment, "x");
    let output = environment.command(["gc"]).run().expect_code(2);
    assert!(
        output.stderr.starts_with("error: which jobs to delete?\nhint: say `agent-dispatch gc"),
        "{}",
        output.stderr
    );
    environment.command(["gc", "--all", "--older-than", "7d"]).run().expect_code(2);
    for span in ["0", "0d", "-1d", "nan", "inf", "7x", ""] {
        let output = environment.command(["gc", "--older-than", span]).run().expect_code(2);
        assert!(output.stderr.contains("--older-than"), "{span}: {}", output.stderr);
    }
    let bare = environment.command(["gc", "--older-than", "7"]).run().expect_code(2);
    assert!(bare.stderr.contains("7 of what? `7d` are days, `7h` are hours"), "{}", bare.stderr);
    environment.command(["gc", "--older-than", "500d"]).run().expect_code(0);
    assert_eq!(environment.job_ids().len(), 1);
}

#[test]
fn the_retention_of_the_config_is_the_policy_where_none_is_given() {
    let environment = with_agent();
    environment.configure("settings:\n  job_retention_days: 7\n");
    let id = submit_and_finish(&environment, "x");
    age(&environment, &id, 8.0 * 86_400.0);
    let output = environment.command(["gc"]).run().expect_code(0);
    assert_eq!(output.stdout, "deleted 1 job; kept 0 unfinished and 0 recent\n");
}

#[test]
fn old_jobs_are_deleted_by_themselves_once_a_day_if_the_config_says_so() {
    let environment = with_agent();
    let aged = |days: f64| {
        let id = submit_and_finish(&environment, "x");
        age(&environment, &id, days * 86_400.0)
    };
    let (old, young) = (aged(8.0), aged(6.0));
    submit_and_finish(&environment, "without the setting nothing is deleted");
    assert!(environment.job_ids().contains(&old));
    environment.configure("settings:\n  job_retention_days: 7\n");
    submit_and_finish(&environment, "x");
    assert!(!environment.job_ids().contains(&old) && environment.job_ids().contains(&young));
    assert!(!environment.jobs_directory().join(&old).exists());

    let old = aged(8.0);
    submit_and_finish(&environment, "it was done today");
    assert!(environment.job_ids().contains(&old));
    let marker = environment.jobs_directory().join(".run/collected");
    let yesterday = SystemTime::now() - Duration::from_secs(86_500);
    fs::File::open(marker).and_then(|file| file.set_modified(yesterday)).expect("a time");
    submit_and_finish(&environment, "x");
    assert!(!environment.job_ids().contains(&old));
}
