//! `notifications/cancelled`: what a client takes back.

use std::fs;

use serde_json::json;

use crate::scene::{self, ENDLESS, start_endless, task, with_agent};
use test_support::mcp::{Era, McpClient, SESSION};
use test_support::{PATIENCE, TestEnvironment, namespace, programs, quoted, wait_until};

#[track_caller]
fn only_job(environment: &TestEnvironment) -> String {
    wait_until(PATIENCE, "a job runs", || {
        let ids = environment.job_ids();
        ids.last().is_some_and(|id| environment.record(id)["status"] == "running")
    });
    environment.job_ids().pop().expect("it is there")
}

#[test]
fn a_dispatch_taken_back_is_stopped_with_its_processes_and_not_answered() {
    for era in [SESSION, Era::Stateless] {
        let environment = with_agent();
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        let call = client.request_call("dispatch", task("fake: spawn setsid 600\nfake: tool-hang 600"));
        let id = only_job(&environment);
        client.notify("notifications/cancelled", json!({"requestId": call, "reason": "enough"}));
        scene::wait_for_status(&environment, &id, "cancelled");
        environment.assert_nothing_running_but(&[client.pid()]);
        client.ask("tools/list", json!({}));
        assert_eq!(client.reply_so_far(call), None);
        // What it had done is kept.
        let called = client.call("dispatch_result", json!({"job_id": id})).expect_error();
        assert_eq!(called.field("error_type"), "cancelled");
    }
}

#[test]
fn a_dispatch_taken_back_stops_all_it_led_to() {
    let environment = TestEnvironment::new();
    let outer = environment.project("outer");
    environment.project("inner");
    let script = environment.root().join("nest.sh");
    let tool = quoted(programs::agent_dispatch());
    fs::write(&script, format!("{tool} submit inner 'fake: hang'; sleep 600")).expect("a script");
    fs::write(outer.join(".fake-agent"), format!("shell sh {}", quoted(&script))).expect("a script");
    let mut client = McpClient::connect(&environment);
    let call = client.request_call("dispatch", json!({"agent": "outer", "task": "go"}));
    let status = |status: &str| {
        let ids = environment.job_ids();
        ids.len() == 2 && ids.iter().all(|id| environment.record(id)["status"] == status)
    };
    wait_until(PATIENCE, "both jobs run", || status("running"));
    client.notify("notifications/cancelled", json!({"requestId": call}));
    wait_until(PATIENCE, "both are stopped", || status("cancelled"));
    environment.assert_nothing_running_but(&[client.pid()]);
}

#[test]
fn a_dispatch_taken_back_at_once_is_stopped_whenever_it_began() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for _ in 0..10 {
        let call = client.request_call("dispatch", task(ENDLESS));
        client.notify("notifications/cancelled", json!({"requestId": call}));
    }
    wait_until(PATIENCE, "every job is stopped", || {
        let ids = environment.job_ids();
        ids.len() == 10 && ids.iter().all(|id| environment.record(id)["status"] == "cancelled")
    });
    environment.assert_nothing_running_but(&[client.pid()]);
}

#[test]
fn a_wait_taken_back_stops_nothing() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start_endless(&environment, &mut client);
    for _ in 0..3 {
        let wait = client.request_call("dispatch_result", json!({"job_id": id}));
        client.ask("ping", json!({}));
        client.notify("notifications/cancelled", json!({"requestId": wait}));
        let looked =
            client.call("dispatch_result", json!({"job_id": id, "wait_seconds": 0})).expect_success();
        assert_eq!(looked.field("status"), "running");
        assert_eq!(client.reply_so_far(wait), None);
    }
    // It can still be waited for.
    let wait = client.request_call("dispatch_result", json!({"job_id": id}));
    scene::cancel(&environment, &id);
    client.called(wait).expect_error();
}

#[test]
fn what_is_over_or_unknown_cannot_be_taken_back() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let call = client.request_call("dispatch", task("fake: answer kept"));
    let id = client.called(call).expect_success().job();
    let background = start_endless(&environment, &mut client);
    for request in [json!(call), json!(call + 1), json!(9999), json!("1"), json!(-1)] {
        client.notify("notifications/cancelled", json!({"requestId": request}));
    }
    client.ask("ping", json!({}));
    assert_eq!(environment.record(&id)["status"], "done");
    // A background dispatch was answered: its job is nobody's call any more.
    assert_eq!(environment.record(&background)["status"], "running");
    scene::cancel(&environment, &background);
}

#[test]
fn a_call_that_ran_out_of_time_and_is_then_taken_back_leaves_its_job() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let call = client.request_call("dispatch", scene::task_with(ENDLESS, json!({"wait_seconds": 0.2})));
    let id = client.called(call).expect_success().job();
    client.notify("notifications/cancelled", json!({"requestId": call}));
    client.ask("ping", json!({}));
    scene::wait_for_status(&environment, &id, "running");
    scene::cancel(&environment, &id);
}

#[test]
fn a_dispatch_taken_back_is_stopped_even_if_the_client_ends_its_server_with_it() {
    for signal in [Some(libc::SIGINT), Some(libc::SIGTERM), None] {
        let environment = with_agent();
        let mut client = McpClient::connect(&environment);
        let call = client.request_call("dispatch", task(ENDLESS));
        let id = only_job(&environment);
        match signal {
            // In this order, as Claude Code may do it.
            Some(signal) => {
                client.signal(signal);
                client.notify("notifications/cancelled", json!({"requestId": call}));
            }
            None => {
                client.notify("notifications/cancelled", json!({"requestId": call}));
                client.close_stdin();
            }
        }
        assert!(client.end(PATIENCE).success(), "{signal:?}");
        scene::wait_for_status(&environment, &id, "cancelled");
    }
}

#[test]
fn a_cancellation_of_a_call_that_has_not_been_made_does_not_hold_for_a_later_one() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let last = client.request("ping", json!({}));
    client.reply(last);
    for ahead in 0..5 {
        client.notify("notifications/cancelled", json!({"requestId": last + ahead}));
    }
    let called = client.call("dispatch", scene::task("fake: answer all the same")).expect_success();
    assert_eq!(called.field("result"), "all the same");
}

#[test]
fn a_job_is_stopped_where_nothing_can_be_written() {
    namespace::in_mount_namespace(|| {
        let environment = with_agent();
        let jobs = environment.jobs_directory();
        fs::create_dir(&jobs).expect("the jobs directory");
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,nr_inodes=100,mode=700", "none"])
            .arg(&jobs)
            .status();
        assert!(mount.expect("mount runs").success());
        let mut client = McpClient::connect(&environment);
        let id = start_endless(&environment, &mut client);
        let ballast = jobs.join("ballast");
        fs::create_dir(&ballast).expect("a directory");
        let mut files = 0..;
        while fs::write(ballast.join(files.next().expect("a number").to_string()), "").is_ok() {}
        client.request_call("dispatch_cancel", json!({"job_id": id}));
        let agent = || environment.processes().iter().any(|line| line.contains("stream-json"));
        wait_until(PATIENCE, "the agent is ended", || !agent());
        fs::remove_dir_all(&ballast).expect("room");
        scene::wait_for_status(&environment, &id, "cancelled");
        drop(client);
        environment.assert_nothing_running();
        std::process::Command::new("umount").arg(&jobs).status().expect("umount runs");
    });
}
