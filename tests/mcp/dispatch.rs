//! `dispatch` and `dispatch_result`: what a caller is told of a job, whatever becomes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::scene::{self, AGENT, ENDLESS, start, task, task_with, with_agent};
use test_support::mcp::{Called, McpClient};
use test_support::{TestEnvironment, quoted};

#[test]
fn an_answer_is_told_in_words_and_as_an_object() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let called = client.call("dispatch", task("fake: answer hello\nfake: status done")).expect_success();
    let record = environment.only_record();
    assert_eq!(called.field("job_id"), record["id"]);
    assert_eq!((called.field("agent"), called.field("status")), (AGENT, "done"));
    assert_eq!((called.field("result"), called.field("outcome")), ("hello\nSTATUS: done", "done"));
    assert_eq!(called.structured["success"], true);
    assert_eq!(called.structured["session_id"], record["result"]["session_id"]);
    assert_eq!(called.structured["cost_usd"], 0.0125);
    assert!(called.structured["duration_ms"].is_number(), "{called:?}");
    says_the_same(&called, &["result", "job_id", "agent", "status", "outcome", "session_id"]);
    assert!(called.text.contains("$0.0125"), "{called:?}");
    let absent = called.structured.as_object().expect("an object").values().all(|value| !value.is_null());
    assert!(absent, "what there is not is absent: {called:?}");
}

/// Panics unless the text has what these fields have.
#[track_caller]
fn says_the_same(called: &Called, fields: &[&str]) {
    for field in fields {
        assert!(called.text.contains(called.field(field)), "{field} is not in the text: {called:?}");
    }
}

#[test]
fn a_failure_is_an_error_whose_text_says_all_of_it() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for (script, error_type, expected) in [
        ("fake: text half way\nfake: is-error 529 Overloaded", "overloaded", "Overloaded"),
        ("fake: exit 3", "cli_error", "3"),
        ("fake: budget", "budget", "session_id"),
        ("fake: is-error 401 invalid x-api-key", "auth", "invalid x-api-key"),
        ("fake: die KILL", "cli_error", "SIGKILL"),
    ] {
        let called = client.call("dispatch", task(script)).expect_error();
        assert_eq!(called.field("error_type"), error_type, "{called:?}");
        assert_eq!((called.field("status"), &called.structured["success"]), ("failed", &json!(false)));
        assert!(called.text.contains(expected), "{expected}: {called:?}");
        says_the_same(&called, &["job_id", "agent", "status", "error_type", "error"]);
        if called.structured.get("hint").is_some() {
            says_the_same(&called, &["hint"]);
        }
    }
}

#[test]
fn a_timeout_keeps_what_there_was_and_says_how_to_go_on() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let arguments = task_with("fake: text so far\nfake: hang", json!({"timeout_seconds": 0.5}));
    let called = client.call("dispatch", arguments).expect_error();
    assert_eq!(called.field("error_type"), "timeout");
    assert!(called.text.contains("so far") && called.text.contains("timeout_seconds"), "{called:?}");
    says_the_same(&called, &["error", "hint", "session_id", "result"]);
    let session = called.field("session_id").to_owned();
    assert!(called.field("hint").contains(&format!("session_id {session}")), "{called:?}");
    let arguments = task_with("fake: answer resumed", json!({"session_id": session}));
    let resumed = client.call("dispatch", arguments).expect_success();
    assert_eq!((resumed.field("result"), resumed.field("session_id")), ("resumed", session.as_str()));
}

#[test]
fn a_spend_cap_is_the_users_and_the_text_says_so() {
    let environment = with_agent();
    for (options, expected) in [
        (&[][..], "only the user can raise it, as max_budget_usd of the agent"),
        (
            &["--allow-configure"],
            "configure_agent with action update, name infra and max_budget_usd 1.0 raises it",
        ),
    ] {
        let mut client = McpClient::connect_with(&environment, options);
        let called = client.call("dispatch", task("fake: budget")).expect_error();
        let go_on = format!(
            "resume it where it stopped: call dispatch for {AGENT} with session_id {}. Each run may spend the whole",
            called.field("session_id")
        );
        for text in [called.text.as_str(), called.field("hint")] {
            assert!(text.contains(&go_on) && text.contains(expected), "{text}");
            assert!(!text.contains("with more to spend"), "{text}");
        }
    }
}

#[test]
fn what_comes_after_a_failure_is_told_in_calls() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let schema = json!({"response_schema": {"type": "object", "required": ["n"]}});
    let called = client.call("dispatch", task_with("fake: answer no JSON", schema)).expect_error();
    let session = called.field("session_id");
    let next = format!(
        "call dispatch for {AGENT} with session_id {session}, task \"answer as JSON, by the schema\" and"
    );
    assert!(called.field("hint").contains(&next), "{called:?}");
    assert!(called.field("hint").ends_with(" the same response_schema"), "{called:?}");
    let unknown = json!({"session_id": "00000000-0000-4000-8000-000000000000"});
    let called = client.call("dispatch", task_with("x", unknown)).expect_error();
    let anew = format!("start anew with dispatch for {AGENT}, without session_id");
    assert!(called.field("hint").contains(&anew), "{called:?}");
}

#[test]
fn what_the_end_of_a_run_cut_off_is_named() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let text = "fake: task start command t1 serve\nfake: answer up\nfake: task stop t1 after-result";
    let called = client.call("dispatch", task(text)).expect_success();
    let unfinished = json!([{"kind": "command", "what": "serve", "state": "stopped"}]);
    assert_eq!(called.structured["unfinished"], unfinished);
    assert!(called.text.contains("unfinished serve"), "{called:?}");
}

#[test]
fn denied_tools_are_named() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let called =
        client.call("dispatch", task("fake: answer partly\nfake: denied Bash,Write")).expect_success();
    assert_eq!(called.structured["denied_tools"], json!(["Bash", "Write"]));
    assert!(called.text.contains("Bash, Write"), "{called:?}");
}

#[test]
fn a_command_left_to_the_user_is_about_the_servers_config_and_jobs() {
    let environment = with_agent();
    let (config, jobs) = (environment.config(), environment.root().join("elsewhere"));
    let places = format!("--config {} --jobs-dir {}", quoted(&config), quoted(&jobs));
    let options = ["--config".as_ref(), config.as_os_str(), "--jobs-dir".as_ref(), jobs.as_os_str()];
    let denied = task("fake: answer partly\nfake: denied Bash");
    let mut client = McpClient::connect_with(&environment, options);
    let called = client.call("dispatch", denied.clone()).expect_success();
    let command = format!("`agent-dispatch {places} agents update {AGENT} --allowed-tools Bash`");
    assert!(called.field("hint").contains(&command) && called.text.contains(&command), "{called:?}");
    let mut client =
        McpClient::connect_with(&environment, options.into_iter().chain(["--allow-configure".as_ref()]));
    let called = client.call("dispatch", denied).expect_success();
    let call = format!("call configure_agent with action update, name {AGENT} and allowed_tools [\"Bash\"]");
    assert!(called.field("hint").contains(&call), "{called:?}");
    // The agent's own words stay as they are.
    let said = client.call("dispatch", task("fake: answer run `agent-dispatch jobs`")).expect_success();
    assert_eq!(said.field("result"), "run `agent-dispatch jobs`");
}

#[test]
fn an_answer_with_nothing_in_it_is_still_an_answer() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let called = client.call("dispatch", task("fake: answer")).expect_success();
    assert_eq!(called.field("result"), "");
    assert!(called.text.contains(&called.job()), "{called:?}");
}

#[test]
fn an_answer_by_a_schema_comes_as_what_it_is() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let arguments = task_with("fake: structured {\"n\": 7}", json!({"response_schema": schema}));
    let called = client.call("dispatch", arguments).expect_success();
    assert_eq!(called.structured["parsed_result"], json!({"n": 7}));
    assert!(called.text.contains(r#"{"n":7}"#), "{called:?}");
    let again = client.call("dispatch_result", json!({"job_id": called.job()})).expect_success();
    assert_eq!(again.structured["parsed_result"], json!({"n": 7}));
}

#[test]
fn what_a_group_shares_and_all_that_is_said_along_reach_the_agent() {
    let environment = with_agent();
    environment.configure(&format!(
        "groups:\n  core:\n    shared_context: the shared words\n    members:\n      - agent: {AGENT}\n        \
         use_for: servers\n"
    ));
    let mut client = McpClient::connect(&environment);
    let arguments = task_with(
        "fake: echo-prompt",
        json!({"group": "core", "context": "the context words", "caller": "the caller words", "goal": "the goal words"}),
    );
    let called = client.call("dispatch", arguments).expect_success();
    for words in ["the shared words", "the context words", "the caller words", "the goal words"] {
        assert!(called.field("result").contains(words), "{words}: {called:?}");
    }
    let listed = client.call("list_agents", json!({"group": "core"})).expect_success();
    assert_eq!(listed.structured["agents"][0]["use_for"], "servers");
    let wrong = client.call("dispatch", task_with("x", json!({"group": "cor"}))).expect_error();
    assert!(wrong.text.contains("core"), "{wrong:?}");
}

#[test]
fn a_background_dispatch_answers_at_once_and_its_result_is_waited_for() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let gate = environment.root().join("go");
    let text = format!("fake: shell until [ -e {0} ]; do sleep 0.01; done; echo through", quoted(&gate));
    let called = client.call("dispatch", task_with(&text, json!({"background": true}))).expect_success();
    assert_eq!(called.structured.get("result"), None);
    assert!(["pending", "running"].contains(&called.field("status")), "{called:?}");
    let id = called.job();
    assert!(called.field("next").contains(&format!("dispatch_result with job_id {id}")), "{called:?}");
    says_the_same(&called, &["job_id", "agent", "status", "next"]);
    let waiting = client.request_call("dispatch_result", json!({"job_id": id}));
    assert_eq!(client.ask("ping", json!({})), json!({}));
    assert_eq!(client.reply_so_far(waiting), None);
    fs::write(gate, "").expect("the gate");
    let called = client.called(waiting).expect_success();
    assert_eq!((called.field("status"), called.field("result")), ("done", "through\nexit 0"));
}

#[test]
fn a_call_waits_no_longer_than_it_is_told_and_the_job_goes_on() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for (seconds, at_least, at_most) in [(0.0, 0.0, 10.0), (1.0, 1.0, 15.0)] {
        let begin = Instant::now();
        let called =
            client.call("dispatch", task_with(ENDLESS, json!({"wait_seconds": seconds}))).expect_success();
        let took = begin.elapsed().as_secs_f64();
        assert!(took >= at_least && took < at_most, "{seconds}: {took} s");
        assert!(["pending", "running"].contains(&called.field("status")), "{called:?}");
        says_the_same(&called, &["job_id", "status", "next", "agent"]);
        let id = called.job();
        scene::wait_for_status(&environment, &id, "running");
        let begin = Instant::now();
        let looked =
            client.call("dispatch_result", json!({"job_id": id, "wait_seconds": 0.3})).expect_success();
        assert!(begin.elapsed() >= Duration::from_millis(300));
        assert_eq!(looked.field("status"), "running");
        scene::cancel(&environment, &id);
    }
}

#[test]
fn a_long_answer_comes_whole_in_parts() {
    let environment = TestEnvironment::new();
    let project = environment.project_with(AGENT, "backend: command\ncommand: [cat, answer]");
    let answer: String = (0..100_000).map(|n| ['ä', 'b', '€', '🦀', '\n'][n % 5]).collect();
    fs::write(project.join("answer"), &answer).expect("a file");
    let mut client = McpClient::connect(&environment);
    let first = client.call("dispatch", task("x")).expect_success();
    assert_eq!(first.field("result").chars().count(), 30_000);
    let whole = answer.trim_end();
    let total = whole.chars().count();
    assert_eq!(first.structured["total_chars"], total, "{}", first.structured["next_offset"]);
    let id = first.job();
    let mut collected = first.field("result").to_owned();
    let mut part = first;
    let mut calls = 1;
    while let Some(offset) = part.structured.get("next_offset").cloned() {
        assert!(part.text.contains(&format!("offset {offset}")), "the text says where it goes on");
        part = client.call("dispatch_result", json!({"job_id": id, "offset": offset})).expect_success();
        assert!(part.text.starts_with(part.field("result")));
        collected.push_str(part.field("result"));
        calls += 1;
    }
    assert_eq!(calls, 4);
    assert!(collected == whole, "the parts make up the answer");
    let few = client.call("dispatch_result", json!({"job_id": id, "offset": 1, "max_chars": 3}));
    assert_eq!(few.field("result"), "b€🦀");
    let past = client.call("dispatch_result", json!({"job_id": id, "offset": 999_999_999})).expect_success();
    assert_eq!((past.field("result"), past.structured.get("next_offset")), ("", None));
    let said = format!("(nothing: offset 999999999 is past the end, the answer has {total} characters)");
    assert!(past.text.starts_with(&said), "{past:?}");
    assert_eq!(past.structured["total_chars"], total);
    let log = client.call("dispatch_result", json!({"job_id": id, "part": "stderr", "offset": 7}));
    assert!(log.text.contains("offset 7 is past the end, the stderr has 0 characters"), "{log:?}");
}

#[test]
fn a_reference_keeps_a_long_answer_out_of_the_callers_context() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let long = "fake: answer-bytes 20000";
    let called = client.call("dispatch", task_with(long, json!({"return_ref": true}))).expect_success();
    assert_eq!(called.field("result").len(), 500);
    assert_eq!(
        (&called.structured["total_chars"], &called.structured["next_offset"]),
        (&json!(20_000), &json!(500))
    );
    assert!(called.text.len() < 1_500 && called.text.contains("offset 500"), "{called:?}");
    for (chars, expected) in [(40, 40), (0, 0)] {
        let arguments = task_with(long, json!({"return_ref": true, "summary_chars": chars}));
        let called = client.call("dispatch", arguments).expect_success();
        assert_eq!(called.field("result").len(), expected);
    }
    let short = client.call("dispatch", task_with("fake: answer x", json!({"return_ref": true})));
    assert_eq!((short.field("result"), short.structured.get("next_offset")), ("x", None));
}

#[test]
fn a_huge_answer_does_not_pass_through_memory() {
    const BYTES: usize = 30_000_000;
    let environment = TestEnvironment::new();
    environment.project_with(AGENT, &format!("backend: command\ncommand: [head, -c, '{BYTES}', /dev/zero]"));
    let mut client = McpClient::connect(&environment);
    let called = client.call("dispatch", task("x")).expect_success();
    assert_eq!(called.structured["total_chars"], BYTES);
    assert_eq!(called.field("result").len(), 30_000);
    let end = json!({"job_id": called.job(), "offset": BYTES - 5});
    assert_eq!(client.call("dispatch_result", end).expect_success().field("result"), "\0\0\0\0\0");
    let most = peak_memory_mb(client.pid());
    assert!(most < 30.0, "the server had {most} MB at once");
}

/// The most memory a process has had at once.
fn peak_memory_mb(pid: i32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1_000.0
}

#[test]
fn what_cannot_start_is_an_error_that_says_how_to_put_it_right() {
    let environment = with_agent();
    environment.project_with("gone", "");
    fs::remove_dir(environment.root().join("projects/gone")).expect("an empty directory");
    environment.project_with("other", "backend: command\ncommand: [no-such-program]");
    let mut client = McpClient::connect(&environment);
    for (agent, expected) in [
        ("infre", "Did you mean infra?"),
        ("zzz", "The agents are other, gone, infra; list_agents"),
        ("gone", "projects/gone"),
        ("other", "no-such-program"),
        ("../infra", "list_agents"),
        ("", "list_agents"),
    ] {
        let called = client.call("dispatch", json!({"agent": agent, "task": "x"})).expect_error();
        assert!(called.text.contains(expected), "{agent}: {called:?}");
    }
    let session = client.call("dispatch", task("x")).expect_success().field("session_id").to_owned();
    environment.project("third");
    let foreign = json!({"agent": "third", "task": "x", "session_id": session});
    let called = client.call("dispatch", foreign).expect_error();
    assert!(
        called.text.contains(&format!("Go on with it there: dispatch for {AGENT} with session_id")),
        "{called:?}"
    );
    for session in ["--help", "00000000-0000-4000-8000-000000000000", "", "../x.jsonl", "/x.jsonl", "bad"] {
        let called = client.call("dispatch", task_with("x", json!({"session_id": session}))).expect_error();
        assert!(called.text.contains("session"), "{session}: {called:?}");
    }
}

#[test]
fn a_claude_that_is_not_installed_is_named() {
    let environment = TestEnvironment::without_claude();
    environment.project(AGENT);
    let mut client = McpClient::connect(&environment);
    let called = client.call("dispatch", task("x")).expect_error();
    assert!(called.text.contains("claude") && called.text.contains("install"), "{called:?}");
}

#[test]
fn the_log_and_the_standard_error_of_a_job_are_there_while_it_runs_and_afterwards() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id =
        start(&mut client, "fake: stderr oops\nfake: tool Read src/lib.rs\nfake: text working\nfake: hang");
    scene::wait_for_status(&environment, &id, "running");
    let part = |client: &mut McpClient, part: &str| {
        client.call("dispatch_result", json!({"job_id": id, "part": part})).expect_success()
    };
    test_support::wait_until(test_support::PATIENCE, "the log tells what it does", || {
        part(&mut client, "log").field("result").contains("working")
    });
    let log = part(&mut client, "log");
    assert!(log.text.contains("src/lib.rs") && log.field("status") == "running", "{log:?}");
    assert_eq!(part(&mut client, "stderr").field("result").trim(), "oops");
    scene::cancel(&environment, &id);
    let log = part(&mut client, "log");
    assert_eq!((log.field("part"), log.field("status")), ("log", "cancelled"));
    assert_eq!(part(&mut client, "stderr").field("result").trim(), "oops");
    let first = client.call("dispatch_result", json!({"job_id": id, "part": "log", "max_chars": 10}));
    assert_eq!(first.field("result").chars().count(), 10);
    assert_eq!(first.structured["next_offset"], 10);
    assert!(first.text.contains("offset 10") && first.text.contains("part log"), "{first:?}");
}

#[test]
fn what_a_caller_should_know_of_an_agent_is_said_beside_the_answer() {
    let environment = TestEnvironment::new();
    let open = environment.project("open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("a mode");
    environment.project(AGENT);
    let mut client = McpClient::connect(&environment);
    let warned = |called: &Called| {
        let warnings = called.structured["warnings"].as_array().cloned().unwrap_or_default();
        let told = warnings.iter().all(|warning| called.text.contains(warning.as_str().unwrap()));
        assert!(told, "the text says it, too: {called:?}");
        warnings.iter().filter(|warning| warning.as_str().unwrap().starts_with("'open': ")).count()
    };
    let told = |agent: &str| json!({"agent": agent, "task": "fake: answer hello"});
    assert_eq!(warned(&client.call("dispatch", told("open")).expect_success()), 1);
    assert_eq!(warned(&client.call("dispatch", told(AGENT)).expect_success()), 0);
    let all = json!({"dispatches": [told("open"), told(AGENT), told("open")]});
    assert_eq!(warned(&client.call("dispatch_parallel", all).expect_success()), 1, "once for both");
    let dialogue = json!({"requester": AGENT, "responder": "open", "topic": "x", "max_rounds": 1});
    assert_eq!(warned(&client.call("dispatch_dialogue", dialogue).expect_success()), 1);
}
