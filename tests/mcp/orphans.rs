//! A server that is given orphans, as the first process of a container is: supervisors outlive who has started them.

#![expect(unsafe_code, reason = "code between fork and exec has no safe form in the standard library")]

use std::fs;
use std::os::unix::process::CommandExt;

use serde_json::json;

use crate::scene::{task, task_with, with_agent};
use test_support::mcp::{McpClient, SESSION};
use test_support::{PATIENCE, TestEnvironment, namespace, wait_until};

/// The children of a process, the dead ones included.
fn children(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<i32>>()).collect()
}

/// Jobs one by one and all at once: each is answered, and nothing of them is left.
#[track_caller]
fn assert_no_zombie_stays(client: &mut McpClient, server: i32) {
    for _ in 0..3 {
        let called = client.call("dispatch", task("fake: answer x")).expect_success();
        assert_eq!(called.field("result"), "x");
    }
    let many: Vec<_> = (0..12).map(|_| task("fake: answer x")).collect();
    let called = client.call("dispatch_parallel", json!({"dispatches": many})).expect_success();
    assert!(called.structured["jobs"].as_array().expect("jobs").iter().all(|job| job["success"] == true));
    // A schema is checked in a child of its own, whose end somebody waits for.
    let schema = json!({"response_schema": {"type": "object"}});
    client.call("dispatch", task_with("fake: structured {\"a\": 1}", schema)).expect_success();
    client.call("dispatch", task_with("fake: is-error 500 x", json!({"wait_seconds": 50}))).expect_error();
    wait_until(PATIENCE, "all supervisors are buried", || children(server).is_empty());
    client.call("dispatch", task("fake: answer x")).expect_success();
    wait_until(PATIENCE, "the last supervisor is buried", || children(server).is_empty());
}

fn ready(mut client: McpClient) -> McpClient {
    let test_support::mcp::Era::Session(revision) = SESSION else { unreachable!() };
    client.initialize(revision, "test", json!({}));
    client
}

fn command(environment: &TestEnvironment) -> std::process::Command {
    environment.command(["serve-mcp"]).into_command()
}

#[test]
fn the_first_process_of_a_namespace_leaves_no_zombies() {
    let environment = with_agent();
    let Some(command) = namespace::as_first_process(&command(&environment)) else { return };
    let mut client = ready(McpClient::of(command));
    let server = children(client.pid());
    assert_eq!(server.len(), 1, "unshare has one child, the server");
    assert_no_zombie_stays(&mut client, server[0]);
}

#[test]
fn an_adopter_of_orphans_leaves_no_zombies() {
    let environment = with_agent();
    let mut command = command(&environment);
    // SAFETY: only an async-signal-safe call, no allocation.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
            Ok(())
        });
    }
    let mut client = ready(McpClient::of(command));
    let server = client.pid();
    assert_no_zombie_stays(&mut client, server);
}
