//! How the server ends: at once, whatever runs, and without an effect on the jobs.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::scene::{self, ENDLESS, task, with_agent};
use test_support::mcp::{Era, McpClient, SESSION};
use test_support::{PATIENCE, TestEnvironment, wait_until};

/// The bar is 100 ms and stands in the benchmark; this is for a machine that does much else.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A client whose dispatch runs, with other calls that wait for it; returns the job's id.
#[track_caller]
fn waiting_client(environment: &TestEnvironment, era: Era) -> (McpClient, String) {
    let mut client = McpClient::connect_as(environment, [""; 0], era, "claude-code");
    client.request_call("dispatch", task(ENDLESS));
    wait_until(PATIENCE, "the job runs", || {
        environment.job_ids().pop().is_some_and(|id| environment.record(&id)["status"] == "running")
    });
    let id = environment.job_ids().pop().expect("it is there");
    for _ in 0..5 {
        client.request_call("dispatch_result", json!({"job_id": id}));
    }
    client.ask("tools/list", json!({}));
    (client, id)
}

#[track_caller]
fn ends_well(client: &mut McpClient) {
    let begin = Instant::now();
    let status = client.end(AT_ONCE);
    assert_eq!(status.code(), Some(0), "{status:?} after {:?}", begin.elapsed());
}

#[test]
fn the_end_of_input_ends_the_server_and_no_job() {
    for era in [SESSION, Era::Stateless] {
        let environment = with_agent();
        let (mut client, id) = waiting_client(&environment, era);
        client.close_stdin();
        ends_well(&mut client);
        assert_eq!(environment.record(&id)["status"], "running");
        scene::cancel(&environment, &id);
    }
}

#[test]
fn a_signal_ends_the_server_and_no_job() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let environment = with_agent();
        let (mut client, id) = waiting_client(&environment, SESSION);
        client.signal(signal);
        ends_well(&mut client);
        assert_eq!(environment.record(&id)["status"], "running", "signal {signal}");
        scene::cancel(&environment, &id);
    }
}

#[test]
fn signals_after_each_other_as_claude_code_sends_them_end_it_well() {
    let environment = with_agent();
    let (mut client, id) = waiting_client(&environment, SESSION);
    client.signal(libc::SIGINT);
    client.signal(libc::SIGTERM);
    client.signal(libc::SIGHUP);
    ends_well(&mut client);
    assert_eq!(environment.record(&id)["status"], "running");
    scene::cancel(&environment, &id);
}

#[test]
fn a_server_that_is_killed_leaves_its_job_and_nothing_else() {
    let environment = with_agent();
    let (client, id) = waiting_client(&environment, SESSION);
    client.signal(libc::SIGKILL);
    drop(client);
    assert_eq!(environment.record(&id)["status"], "running");
    scene::cancel(&environment, &id);
    environment.assert_nothing_running();
}

#[test]
fn an_end_before_anything_was_said_is_an_end_like_any_other() {
    let environment = with_agent();
    let mut client = McpClient::spawn(&environment, [""; 0]);
    client.close_stdin();
    ends_well(&mut client);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut client = McpClient::spawn(&environment, [""; 0]);
        // It answers, so it has taken the signals over.
        client.ask("ping", json!({}));
        client.signal(signal);
        ends_well(&mut client);
    }
    let output = environment.command(["serve-mcp"]).stdin("not JSON\n").run().expect_code(0);
    assert!(output.stdout.contains("-32700"), "{}", output.stdout);
}

#[test]
fn requests_followed_by_the_end_of_input_are_still_answered() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.push(client.request("tools/list", json!({})));
        asked.push(client.request("ping", json!({})));
        asked.push(client.request_call("list_agents", json!({})));
    }
    client.close_stdin();
    ends_well(&mut client);
    let unanswered = asked.iter().filter(|id| client.reply_so_far(**id).is_none()).count();
    assert_eq!(unanswered, 0);
}

#[test]
fn a_whole_conversation_in_one_pipe_is_answered() {
    let environment = with_agent();
    let request = |id: u64, method: &str, params: serde_json::Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string() + "\n"
    };
    let hello = json!({
        "protocolVersion": "2025-11-25", "clientInfo": {"name": "sh", "version": "1"}, "capabilities": {},
    });
    let mut input = request(1, "initialize", hello);
    input += "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    input += &request(2, "tools/call", json!({"name": "list_agents", "arguments": {}}));
    // Without a line feed at the end.
    input += request(3, "ping", json!({})).trim_end();
    let output = environment.command(["serve-mcp"]).stdin(input).run().expect_code(0);
    for id in 1..=3 {
        assert!(output.stdout.contains(&format!("\"id\":{id},\"result\"")), "{id}: {}", output.stdout);
    }
}

#[test]
fn a_dispatch_followed_by_the_end_of_input_is_a_job_like_any_other() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    client.request_call("dispatch", task("fake: sleep 300ms\nfake: answer later"));
    wait_until(PATIENCE, "the job is recorded", || environment.job_ids().len() == 1);
    client.close_stdin();
    ends_well(&mut client);
    let id = environment.job_ids().remove(0);
    environment.command(["wait", &id]).run().expect_code(0);
    let mut client = McpClient::connect(&environment);
    assert_eq!(client.call("dispatch_result", json!({"job_id": id})).field("result"), "later");
}

#[test]
fn what_has_begun_to_start_is_started_though_the_server_ends() {
    for era in [SESSION, Era::Stateless] {
        let environment = with_agent();
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        let many: Vec<_> = (0..20).map(|_| task("fake: answer x")).collect();
        client.request_call("dispatch_parallel", json!({"dispatches": many}));
        wait_until(PATIENCE, "the first job is recorded", || !environment.job_ids().is_empty());
        client.close_stdin();
        let status = client.end(PATIENCE);
        assert_eq!(status.code(), Some(0), "{status:?}");
        let ids = environment.job_ids();
        assert_eq!(ids.len(), 20, "all of them or none");
        for id in ids {
            environment.command(["wait", &id]).run().expect_code(0);
        }
    }
}

#[test]
fn a_client_that_reads_nothing_does_not_keep_the_server() {
    for how in [Some(libc::SIGTERM), None] {
        let environment = with_agent();
        let mut command = environment.command(["serve-mcp"]).into_command();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe was asked for");
        let hello = json!({
            "protocolVersion": "2025-11-25", "clientInfo": {"name": "deaf", "version": "1"}, "capabilities": {},
        });
        writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}))
            .expect("it reads");
        // More answers than a pipe holds.
        for id in 1..100 {
            writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}))
                .expect("it reads");
        }
        // It holds 64 KiB in whole pages, the last of which may stay empty when the next answer does not fit.
        wait_until(PATIENCE, "the pipe is full", || unread(&child) > 50_000);
        let pid = child.id().cast_signed();
        match how {
            Some(signal) => test_support::signal(pid, signal),
            None => drop(stdin),
        }
        let mut status = None;
        wait_until(AT_ONCE, "the server ends", || {
            status = child.try_wait().expect("a child of this process");
            status.is_some()
        });
        assert_eq!(status.and_then(|status| status.code()), Some(0), "{how:?}");
    }
}

/// How many bytes nobody has read yet.
fn unread(child: &std::process::Child) -> u64 {
    let stdout = child.stdout.as_ref().expect("a pipe was asked for");
    rustix::io::ioctl_fionread(stdout).expect("a pipe")
}

#[test]
fn a_client_that_vanishes_in_the_middle_of_a_call_leaves_the_job() {
    let environment = with_agent();
    let mut command = environment.command(["serve-mcp"]).into_command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe was asked for");
    let hello = json!({
        "protocolVersion": "2025-11-25", "clientInfo": {"name": "brief", "version": "1"}, "capabilities": {},
    });
    writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}))
        .expect("it reads");
    let params = json!({"name": "dispatch", "arguments": task("fake: sleep 500ms\nfake: answer alone")});
    writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))
        .expect("it reads");
    wait_until(PATIENCE, "the job runs", || {
        environment.job_ids().pop().is_some_and(|id| environment.record(&id)["status"] == "running")
    });
    // Nobody reads any more, and half a message is all that still comes.
    drop(child.stdout.take());
    let _ = stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"meth");
    drop(stdin);
    let mut status = None;
    wait_until(AT_ONCE, "the server ends", || {
        status = child.try_wait().expect("a child of this process");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe was asked for").read_to_string(&mut stderr).expect("text");
    assert_eq!(stderr, "");
    let id = environment.job_ids().remove(0);
    environment.command(["wait", &id]).run().expect_code(0);
}
