//! Many calls at once.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::scene::{self, start_endless, task, with_agent};
use test_support::mcp::{Called, Era, McpClient, SESSION};
use test_support::{PATIENCE, quoted, wait_until};

#[test]
fn two_hundred_calls_at_once_are_answered_each_with_its_own() {
    for era in [SESSION, Era::Stateless] {
        let environment = with_agent();
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        // 30,000 characters of which each has two or more bytes: results of 64 KiB and more.
        let jobs: Vec<(String, char)> = ['ä', '€', 'ж']
            .map(|letter| {
                let file = environment.root().join(letter.to_string());
                fs::write(&file, letter.to_string().repeat(40_000)).expect("a file");
                let called = client.call("dispatch", task(&format!("fake: shell cat {}", quoted(&file))));
                (called.expect_success().job(), letter)
            })
            .into();
        let mut asked = Vec::new();
        for number in 0..200 {
            let (job, letter) = &jobs[number % jobs.len()];
            asked.push(match number % 5 {
                // Without sessions there are no pings.
                0 if era == Era::Stateless => (client.request("server/discover", json!({})), None),
                0 => (client.request("ping", json!({})), None),
                1 => (client.request("tools/list", json!({})), None),
                _ => (client.request_call("dispatch_result", json!({"job_id": job})), Some((job, letter))),
            });
        }
        for (id, expected) in asked {
            let result = client.result(id);
            let Some((job, letter)) = expected else { continue };
            let called = Called::read(&result).expect_success();
            assert_eq!(called.job(), *job);
            let answer = called.field("result");
            assert!(answer.chars().count() == 30_000 && answer.chars().all(|one| one == *letter));
        }
    }
}

#[test]
fn fifty_dispatches_at_once_are_fifty_jobs() {
    let environment = with_agent();
    environment.configure("settings:\n  max_concurrency: 5\n  max_queued: 100\n");
    let mut client = McpClient::connect(&environment);
    let calls: Vec<u64> = (0..50)
        .map(|number| client.request_call("dispatch", task(&format!("fake: answer number {number}"))))
        .collect();
    let mut jobs = BTreeSet::new();
    for (number, call) in calls.into_iter().enumerate() {
        let called = client.called(call).expect_success();
        assert_eq!(called.field("result"), format!("number {number}"));
        jobs.insert(called.job());
    }
    assert_eq!(jobs.len(), 50);
}

#[test]
fn two_hundred_waits_do_not_delay_a_ping_and_all_end_with_the_job() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start_endless(&environment, &mut client);
    let waits: Vec<u64> =
        (0..200).map(|_| client.request_call("dispatch_result", json!({"job_id": id}))).collect();
    client.ask("ping", json!({}));
    let begin = Instant::now();
    client.ask("ping", json!({}));
    // The bar is 5 ms and stands in the benchmark.
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert!(waits.iter().all(|wait| client.reply_so_far(*wait).is_none()));
    scene::cancel(&environment, &id);
    for wait in waits {
        assert_eq!(client.called(wait).expect_error().field("status"), "cancelled");
    }
}

/// How many of these a process has: `task` for threads, `fd` for descriptors.
fn count(pid: i32, what: &str) -> usize {
    fs::read_dir(format!("/proc/{pid}/{what}")).expect("the server runs").count()
}

#[test]
fn waiting_again_and_again_for_the_same_job_costs_nothing_that_stays() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = start_endless(&environment, &mut client);
    let wait = |client: &mut McpClient| {
        let arguments = json!({"job_id": id, "wait_seconds": 0.01});
        client.call("dispatch_result", arguments).expect_success();
    };
    for _ in 0..20 {
        wait(&mut client);
    }
    let (threads, descriptors) = (count(client.pid(), "task"), count(client.pid(), "fd"));
    for _ in 0..100 {
        wait(&mut client);
    }
    let calls: Vec<u64> = (0..50)
        .map(|_| client.request_call("dispatch_result", json!({"job_id": id, "wait_seconds": 0.05})))
        .collect();
    for call in calls {
        client.called(call).expect_success();
    }
    // Calls at once may need some threads at once; they go when they have had nothing to do for a while.
    wait_until(PATIENCE, "the threads and descriptors are as many as before", || {
        count(client.pid(), "fd") <= descriptors && count(client.pid(), "task") <= threads
    });
    scene::cancel(&environment, &id);
    wait_until(PATIENCE, "the wait's own thread is gone", || {
        count(client.pid(), "task") < threads.max(2) && count(client.pid(), "fd") < descriptors
    });
}
