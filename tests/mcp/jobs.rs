//! The jobs are the store's: whoever starts them, everybody sees them, follows them and stops them.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{self, AGENT, ENDLESS, start, start_endless, with_agent};
use test_support::mcp::McpClient;
use test_support::{PATIENCE, TestEnvironment, programs, quoted, wait_until};

#[test]
fn a_job_of_a_client_is_seen_followed_and_stopped_from_the_shell() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start_endless(&environment, &mut client);
    let jobs = environment.command(["jobs", "--json"]).run().expect_code(0).json();
    assert_eq!(jobs[0]["id"], id.as_str(), "{jobs}");
    let follower = environment.command(["logs", "-f", &id]).spawn();
    follower.wait_for_stdout("working");
    let waiting = client.request_call("dispatch_result", json!({"job_id": id}));
    scene::cancel(&environment, &id);
    let called = client.called(waiting).expect_error();
    assert_eq!((called.field("status"), called.field("error_type")), ("cancelled", "cancelled"));
    assert!(called.text.contains("session_id"), "{called:?}");
    follower.wait();
}

#[test]
fn a_job_of_the_shell_is_seen_and_stopped_by_a_client() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = environment.command(["submit", AGENT, ENDLESS]).run().expect_code(0).stdout.trim().to_owned();
    scene::wait_for_status(&environment, &id, "running");
    let listed = client.call("dispatch_jobs", json!({"status": "running"})).expect_success();
    assert_eq!(listed.structured["jobs"][0]["job_id"], id.as_str());
    let stopped = client.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    assert_eq!((stopped.field("status"), &stopped.structured["stopped"]), ("cancelled", &json!(true)));
    environment.assert_nothing_running_but(&[client.pid()]);
    let again = client.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    assert_eq!((again.field("status"), &again.structured["stopped"]), ("cancelled", &json!(false)));
    assert!(again.text.contains("had finished already"), "{again:?}");
}

#[test]
fn a_second_server_follows_and_stops_the_jobs_of_the_first() {
    let environment = with_agent();
    let (mut first, mut second) = (McpClient::connect(&environment), McpClient::connect(&environment));
    let call = first.request_call("dispatch", scene::task(ENDLESS));
    let mut id = String::new();
    wait_until(PATIENCE, "the job runs", || {
        let listed = second.call("dispatch_jobs", json!({"status": "running"})).expect_success();
        id = listed.structured["jobs"][0]["job_id"].as_str().unwrap_or_default().to_owned();
        !id.is_empty()
    });
    second.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    let called = first.called(call).expect_error();
    assert_eq!((called.job(), called.field("status")), (id, "cancelled"));
}

#[test]
fn the_death_of_the_server_loses_nothing() {
    let environment = with_agent();
    let mut first = McpClient::connect(&environment);
    let gate = environment.root().join("go");
    let task = format!("fake: shell until [ -e {} ]; do sleep 0.01; done; echo survived", quoted(&gate));
    first.request_call("dispatch", scene::task(&task));
    wait_until(PATIENCE, "the job runs", || {
        let ids = environment.job_ids();
        ids.first().is_some_and(|id| environment.record(id)["status"] == "running")
    });
    let id = environment.job_ids().remove(0);
    first.signal(libc::SIGKILL);
    drop(first);
    assert_eq!(environment.record(&id)["status"], "running");
    let mut second = McpClient::connect(&environment);
    fs::write(gate, "").expect("the gate");
    let called = second.call("dispatch_result", json!({"job_id": id})).expect_success();
    assert!(called.field("result").starts_with("survived"), "{called:?}");
}

#[test]
fn a_job_whose_supervisor_has_died_is_told_as_lost() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start_endless(&environment, &mut client);
    let waiting = client.request_call("dispatch_result", json!({"job_id": id}));
    environment.kill_supervisor(&id);
    let called = client.called(waiting).expect_error();
    assert_eq!(called.field("error_type"), "lost", "{called:?}");
}

#[test]
fn a_stop_takes_along_what_the_job_led_to() {
    let environment = TestEnvironment::new();
    let outer = environment.project("outer");
    environment.project("inner");
    let tool = quoted(programs::agent_dispatch());
    let script = environment.root().join("nest.sh");
    fs::write(&script, format!("{tool} submit inner 'fake: hang'; sleep 600")).expect("a script");
    fs::write(outer.join(".fake-agent"), format!("shell sh {}", quoted(&script))).expect("a script");
    let mut client = McpClient::connect(&environment);
    let arguments = json!({"agent": "outer", "task": "go", "background": true});
    let id = client.call("dispatch", arguments).expect_success().job();
    let status = |status: &str| {
        let ids = environment.job_ids();
        ids.len() == 2 && ids.iter().all(|id| environment.record(id)["status"] == status)
    };
    wait_until(PATIENCE, "both jobs run", || status("running"));
    client.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    wait_until(PATIENCE, "both are stopped", || status("cancelled"));
}

#[test]
fn jobs_are_listed_the_newest_first_and_by_what_is_asked() {
    let environment = with_agent();
    environment.project("other");
    let mut client = McpClient::connect(&environment);
    let empty = client.call("dispatch_jobs", json!({})).expect_success();
    assert_eq!(empty.structured["jobs"], json!([]));
    let mut ids = Vec::new();
    for (agent, task) in [(AGENT, "fake: answer 1"), ("other", "fake: exit 3"), (AGENT, "fake: answer 2")] {
        let called = client.call("dispatch", json!({"agent": agent, "task": task}));
        ids.push(Value::from(called.job()));
    }
    let mut listed = |arguments: Value| -> Vec<Value> {
        let called = client.call("dispatch_jobs", arguments).expect_success();
        called.structured["jobs"].as_array().expect("jobs").iter().map(|job| job["job_id"].clone()).collect()
    };
    assert_eq!(listed(json!({})), [ids[2].clone(), ids[1].clone(), ids[0].clone()]);
    assert_eq!(listed(json!({"limit": 1})), [ids[2].clone()]);
    assert_eq!(listed(json!({"agent": "other"})), [ids[1].clone()]);
    assert_eq!(listed(json!({"status": "done"})), [ids[2].clone(), ids[0].clone()]);
    assert_eq!(listed(json!({"status": "done", "agent": "other"})), [json!(null); 0]);
    let called = client.call("dispatch_jobs", json!({"agent": "other"})).expect_success();
    let job = &called.structured["jobs"][0];
    assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!("cli_error")));
    assert_eq!(serde_json::from_str::<Value>(&called.text).expect("JSON"), called.structured);
}

#[test]
fn jobs_of_an_agent_that_does_not_exist_are_refused_and_those_of_one_that_is_gone_are_listed() {
    let environment = with_agent();
    environment.project("gone");
    let mut client = McpClient::connect(&environment);
    client.call("dispatch", json!({"agent": "gone", "task": "fake: answer x"})).expect_success();
    environment.command(["agents", "remove", "gone"]).run().expect_code(0);
    let listed = client.call("dispatch_jobs", json!({"agent": "gone"})).expect_success();
    assert_eq!(listed.structured["jobs"].as_array().map(Vec::len), Some(1));
    let idle = client.call("dispatch_jobs", json!({"agent": AGENT})).expect_success();
    assert_eq!(idle.structured["jobs"], json!([]));
    let refused = client.call("dispatch_jobs", json!({"agent": "infar"})).expect_error();
    assert!(refused.text.contains("there is no agent 'infar'. Did you mean infra?"), "{refused:?}");
}

#[test]
fn only_a_full_id_names_a_job() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = client.call("dispatch", scene::task("fake: answer secret")).expect_success().job();
    let upper = id.to_uppercase();
    let dashed = format!("{}-{}", &id[..8], &id[8..]);
    for wrong in [
        &id[..31],
        &id[..8],
        "latest",
        "",
        "../agents",
        "../../../../etc/passwd",
        ".run",
        "*",
        &format!("../jobs/{id}"),
        &format!("{id}.json"),
        &format!("{id}/stdout.jsonl"),
        &format!(" {id}"),
        &format!("{id}\n"),
        &format!("{id}\0"),
        &upper,
        &dashed,
    ] {
        for tool in ["dispatch_result", "dispatch_cancel"] {
            let called = client.call(tool, json!({"job_id": wrong})).expect_error();
            assert!(!called.text.contains("secret"), "{wrong:?}: {called:?}");
            assert!(called.text.contains("job"), "{wrong:?}: {called:?}");
        }
    }
    let unknown = "0190".to_owned() + &"0".repeat(28);
    let called = client.call("dispatch_result", json!({"job_id": unknown})).expect_error();
    assert!(called.text.contains(&unknown), "{called:?}");
    assert!(called.text.ends_with(". dispatch_jobs lists them"), "{called:?}");
}

#[test]
fn old_jobs_are_counted_before_they_are_deleted() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for _ in 0..2 {
        client.call("dispatch", scene::task("fake: answer x")).expect_success();
    }
    let running = start_endless(&environment, &mut client);
    let kept = client.call("dispatch_gc", json!({"max_age_days": 1})).expect_success();
    assert_eq!((&kept.structured["deleted"], &kept.structured["kept_recent"]), (&json!(0), &json!(2)));
    let dry = client.call("dispatch_gc", json!({"max_age_days": 0, "dry_run": true})).expect_success();
    assert_eq!((&dry.structured["deleted"], &dry.structured["dry_run"]), (&json!(2), &json!(true)));
    assert_eq!(environment.job_ids().len(), 3);
    let done = client.call("dispatch_gc", json!({"max_age_days": 0})).expect_success();
    assert_eq!((&done.structured["deleted"], &done.structured["kept_unfinished"]), (&json!(2), &json!(1)));
    assert_eq!(environment.job_ids(), [running.as_str()]);
    scene::cancel(&environment, &running);
}

#[test]
fn a_full_queue_says_what_to_do_instead() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 1\n  max_queued: 1\n");
    let mut client = McpClient::connect(&environment);
    let running = start_endless(&environment, &mut client);
    let queued =
        client.call("dispatch", scene::task_with("x", json!({"wait_seconds": 0.2}))).expect_success();
    assert_eq!((queued.field("status"), &queued.structured["queue_position"]), ("pending", &json!(1)));
    let refused = client.call("dispatch", scene::task("x")).expect_error();
    assert!(
        refused.text.contains("dispatch_result") && refused.text.contains("dispatch_cancel"),
        "{refused:?}"
    );
    let second = start_is_refused(&mut client);
    assert!(second.contains("dispatch_cancel"), "{second}");
    scene::cancel(&environment, &running);
    client.call("dispatch_result", json!({"job_id": queued.job()})).expect_success();
}

#[track_caller]
fn start_is_refused(client: &mut McpClient) -> String {
    let items = json!([scene::task("x"), scene::task("y")]);
    client.call("dispatch_parallel", json!({"dispatches": items})).expect_error().text
}

#[test]
fn jobs_started_by_a_script_and_by_a_client_are_the_same() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start(&mut client, "fake: answer same");
    let shell = environment.command(["wait", &id, "--json"]).run().expect_code(0).json();
    let called = client.call("dispatch_result", json!({"job_id": id})).expect_success();
    for field in
        ["job_id", "agent", "success", "result", "session_id", "cost_usd", "duration_ms", "num_turns"]
    {
        assert_eq!(shell[0][field], called.structured[field], "{field}");
    }
}
