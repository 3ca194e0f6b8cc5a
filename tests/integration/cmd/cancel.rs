//! `cancel`: jobs that run, wait, have ended, do not listen.

use serde_json::json;

use test_support::dispatch::{self, AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::{PATIENCE, wait_until};

#[test]
fn a_running_job_is_stopped_and_the_end_is_told() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let output = environment.command(["cancel", &id]).run().expect_code(0);
    assert!(output.stdout.starts_with(&format!("{id} infra: cancelled in ")), "{}", output.stdout);
    assert_eq!(output.stderr, "");
    let record = environment.record(&id);
    assert_eq!(record["status"], "cancelled");
    let result = &record["result"];
    assert_eq!((&result["error"], &result["result"]), (&json!("cancelled"), &json!("working")));
    assert!(result["hint"].as_str().unwrap().contains(&format!("`agent-dispatch resume {id}`")), "{result}");
    environment.assert_nothing_running();
}

#[test]
fn a_job_that_is_over_stays_as_it_is() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer x");
    let before = environment.record(&id);
    let output = environment.command(["cancel", &id]).run().expect_code(0);
    assert!(
        output.stdout.starts_with(&format!("{id} infra: had finished already: done in ")),
        "{}",
        output.stdout
    );
    assert_eq!(environment.record(&id), before);
    let twice = environment.command(["cancel", "--json", &id, &id]).run().expect_code(0).json();
    let expected = json!({"job_id": id, "status": "done", "stopped": false});
    assert_eq!(twice, json!([expected]), "named twice, it is told once");
}

#[test]
fn several_jobs_are_stopped_at_once() {
    let environment = with_agent();
    let ids = [submit_endless(&environment), submit_endless(&environment)];
    let output = environment.command(["cancel", "--json"]).args(&ids).run().expect_code(0);
    let stopped = |id: &String| json!({"job_id": id, "status": "cancelled", "stopped": true});
    assert_eq!(output.json(), json!([stopped(&ids[0]), stopped(&ids[1])]));
    environment.assert_nothing_running();
}

#[test]
fn all_that_runs_or_waits_is_stopped_and_nothing_else() {
    let environment = with_agent();
    environment.configure("settings: {max_concurrency: 1}\n");
    let over = submit_and_finish(&environment, "fake: answer x");
    let running = submit_endless(&environment);
    let waiting = submit(&environment, "fake: answer never");
    let output = environment.command(["cancel", "--all", "--json"]).run().expect_code(0);
    let stopped = |id: &String| json!({"job_id": id, "status": "cancelled", "stopped": true});
    assert_eq!(output.json(), json!([stopped(&waiting), stopped(&running)]));
    assert_eq!(environment.record(&over)["status"], "done");
    environment.assert_nothing_running();
    let again = environment.command(["cancel", "--all"]).run().expect_code(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "no job of this tool runs or waits\n"));
    environment.command(["cancel"]).run().expect_code(2);
}

#[test]
fn a_job_whose_record_is_damaged_is_stopped_with_all_others() {
    let environment = with_agent();
    let ids = [submit_endless(&environment), submit_endless(&environment)];
    let record = environment.jobs_directory().join(format!("{}.json", ids[0]));
    std::fs::write(&record, "{").unwrap();
    let output = environment.command(["cancel", "--all"]).run().expect_code(1);
    assert!(
        output.stderr.contains("is damaged") && output.stderr.contains("was asked to stop"),
        "{}",
        output.stderr
    );
    assert!(output.stdout.starts_with(&ids[1]), "{}", output.stdout);
    wait_until(PATIENCE, "it ends", || std::fs::read_to_string(&record).unwrap().contains("\"cancelled\""));
    environment.assert_nothing_running();
}

#[test]
fn one_wrong_name_among_several_stops_nothing() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    environment.command(["cancel", &id, "0190"]).run().expect_code(3);
    assert_eq!(environment.record(&id)["status"], "running");
    // Not on its way out either.
    assert!(!environment.jobs_directory().join(&id).join("cancel").exists());
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn everything_a_job_has_started_goes_with_it() {
    let environment = with_agent();
    let mut task = String::from("fake: ignore INT,TERM\n");
    for kind in ["background", "setpgid", "setsid", "double-fork", "daemon-env-i"] {
        task += &format!("fake: spawn {kind} 600\n");
    }
    task += "fake: write-file begun x\nfake: tool-hang 600";
    let id = dispatch::submit(&environment, &task);
    dispatch::wait_for_begin(&environment);
    environment.command(["cancel", &id]).run().expect_code(0);
    environment.assert_nothing_running();
}

#[test]
fn many_may_cancel_the_same_job() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let cancelling: Vec<_> = (0..5).map(|_| environment.command(["cancel", &id]).spawn()).collect();
    for cancel in cancelling {
        cancel.wait().expect_code(0);
    }
    assert_eq!(environment.record(&id)["status"], "cancelled");
}

#[test]
fn a_job_just_submitted_can_be_cancelled() {
    let environment = with_agent();
    for _ in 0..5 {
        let id = dispatch::submit(&environment, "fake: hang");
        environment.command(["cancel", &id]).run().expect_code(0);
        assert_eq!(environment.record(&id)["status"], "cancelled");
    }
    environment.assert_nothing_running();
    environment.command(["jobs", "--agent", AGENT, "--status", "cancelled"]).run().expect_code(0);
}

#[test]
fn a_job_that_waits_for_its_turn_is_stopped_before_it_begins() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let first = submit_endless(&environment);
    let log = environment.root().join("log");
    let waiting = dispatch::submit(&environment, &format!("fake: log {}", log.display()));
    let result = environment.command(["result", &waiting]).run().expect_code(1);
    assert!(result.stderr.contains("has no answer yet: it is pending\n"), "{}", result.stderr);
    let logs = environment.command(["logs", &waiting]).run().expect_code(0);
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("", ""));
    environment.command(["cancel", &waiting]).run().expect_code(0);
    let output = environment.command(["result", &waiting, "--json"]).run().expect_code(130);
    assert_eq!(output.json()["error"], "it was cancelled before its agent was started");
    assert!(!log.exists());
    assert_eq!(environment.record(&first)["status"], "running");
    environment.command(["cancel", &first]).run().expect_code(0);
}
