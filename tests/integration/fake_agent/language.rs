//! The fake agent itself: the other tests are worth what it is worth.

use serde_json::json;

use test_support::{Invocation, Output, PATIENCE, TestEnvironment, wait_until};

#[path = "../../fake-agent/script.rs"]
mod script;

const STREAM: [&str; 4] = ["-p", "--output-format", "stream-json", "--verbose"];

/// A run of the agent as claude, with this prompt.
fn claude(environment: &TestEnvironment, prompt: &str) -> Invocation {
    environment.fake_agent(STREAM).stdin(prompt)
}

fn stream(prompt: &str) -> Output {
    claude(&TestEnvironment::new(), prompt).run()
}

#[test]
fn without_a_script_the_answer_is_ok() {
    let output = stream("do something").expect_code(0);
    assert_eq!(output.events()[0]["subtype"], "init");
    assert_eq!(output.last_result()["result"], "ok");
}

#[test]
fn directives_are_found_anywhere_in_the_prompt_and_carried_out_in_order() {
    let output =
        stream("a task\n   fake: tool Bash ls -la\nmore\nfake: answer one\\ntwo\nfake: status blocked");
    let kinds: Vec<_> = output.events().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["system", "assistant", "user", "assistant", "result"]);
    assert_eq!(output.events()[1]["message"]["content"][0]["input"]["command"], "ls -la");
    assert_eq!(output.last_result()["result"], "one\ntwo\nSTATUS: blocked");
}

#[test]
fn every_word_of_the_script_is_read_as_what_it_means() {
    use script::Directive;
    let parsed =
        script::in_script("sleep 300ms; fake: spawn chain 9 here ; exit 3 after-result;is-error 401 no")
            .unwrap();
    let expected = [
        Directive::Sleep(std::time::Duration::from_millis(300)),
        Directive::Spawn { kind: "chain".into(), seconds: 9, marker: Some("here".into()) },
        Directive::Exit { code: 3, after_result: true },
        Directive::IsError { status: Some(401), text: "no".into() },
    ];
    assert_eq!(parsed, expected);
    assert_eq!(
        script::in_prompt("text\n  fake: noise\nfake: cut 5"),
        Ok(vec![Directive::Noise, Directive::Cut(5)])
    );
    assert!(script::parse("explode").unwrap_err().contains("`explode`"));
}

#[test]
fn a_project_and_a_variable_script_the_agent_too() {
    let environment = TestEnvironment::new();
    let project = environment.project("infra");
    environment.script("infra", "answer from the project");
    let command =
        claude(&environment, "task").env("FAKE_AGENT", "answer from the variable").directory(&project);
    assert_eq!(command.run().last_result()["result"], "from the variable\nfrom the project");
}

#[test]
fn a_plain_program_writes_its_answer_and_nothing_else() {
    let environment = TestEnvironment::new();
    let output = environment.fake_agent(["--plain", "--other"]).stdin("fake: echo-args").run().expect_code(0);
    assert_eq!(output.stdout, "--plain\n--other\n");
}

#[test]
fn stdout_is_cut_with_exit_0() {
    let output = stream("fake: cut 100").expect_code(0);
    assert_eq!(output.stdout.len(), 100);
}

#[test]
fn the_output_can_be_an_array() {
    let output = stream("fake: array").expect_code(0);
    assert_eq!(output.json().as_array().and_then(|events| events.last()).unwrap()["result"], "ok");
}

#[test]
fn the_last_of_several_results_has_the_cost_of_all_and_no_structured_output() {
    let output = stream("fake: structured {\"a\":1}\nfake: results 3\nfake: cost 0.5");
    let results: Vec<_> = output.events().into_iter().filter(|event| event["type"] == "result").collect();
    let costs: Vec<_> = results.iter().map(|result| result["total_cost_usd"].as_f64().unwrap()).collect();
    assert_eq!(costs, [0.5, 1.0, 1.5]);
    assert_eq!(results[0]["structured_output"], json!({"a": 1}));
    assert!(results[2].get("structured_output").is_none());
}

#[test]
fn an_error_calls_itself_a_success_and_exits_with_1() {
    let result = stream("fake: is-error 401 Invalid API key").expect_code(1).last_result();
    assert_eq!((&result["subtype"], &result["is_error"]), (&json!("success"), &json!(true)));
    assert_eq!((&result["result"], &result["api_error_status"]), (&json!("Invalid API key"), &json!(401)));
}

#[test]
fn a_budget_stop_leaves_the_answer_in_an_assistant_event_only() {
    let output = stream("fake: answer the answer\nfake: budget").expect_code(1);
    assert!(output.last_result().get("result").is_none());
    assert!(output.stdout.contains("the answer"));
}

#[test]
fn a_slash_command_costs_nothing_and_does_nothing() {
    let result = stream("/fix the bug").expect_code(0).last_result();
    assert_eq!(result["result"], "Unknown command: /fix");
    assert_eq!(result["num_turns"], 0);
}

#[test]
fn wrong_flags_end_as_they_do_with_claude() {
    let environment = TestEnvironment::new();
    for (arguments, complaint) in [
        (&["-p", "--frobnicate"][..], "unknown option"),
        (&["-p", "--output-format=stream-json"], "requires --verbose"),
        (&["-p", "--max-budget-usd=0"], "greater than 0"),
        (&["-p", "--session-id=7"], "Must be a valid UUID"),
    ] {
        let output = environment.fake_agent(arguments).stdin("task").run().expect_code(1);
        assert!(output.stderr.contains(complaint), "{arguments:?}: {}", output.stderr);
    }
    let swallowed =
        environment.fake_agent(["-p", "--allowed-tools", "Bash", "the prompt"]).run().expect_code(1);
    assert!(swallowed.stderr.contains("Input must be provided"));
}

#[test]
fn a_session_is_used_once_and_resumed_where_it_began() {
    let environment = TestEnvironment::new();
    let id = "11111111-2222-4333-8444-555555555555";
    let new = || claude(&environment, "fake: on-turn 2 answer again").arg(format!("--session-id={id}"));
    let resume = || claude(&environment, "fake: on-turn 2 answer again").arg(format!("--resume={id}"));
    assert_eq!(new().run().expect_code(0).last_result()["result"], "ok");
    assert!(new().run().expect_code(1).stderr.contains("already in use"));
    assert!(resume().directory("/").run().expect_code(1).stderr.contains("No conversation found"));
    let result = resume().run().expect_code(0).last_result();
    assert_eq!((&result["result"], &result["total_cost_usd"]), (&json!("again"), &json!(0.025)));
}

#[test]
fn an_interrupt_ends_a_stream_with_0_and_a_tool_with_1() {
    let environment = TestEnvironment::new();
    for (directive, ready, code, reason) in
        [("hang", "init", 0, "aborted_streaming"), ("tool-hang 60", "tool_use", 1, "aborted_tools")]
    {
        let running = claude(&environment, &format!("fake: {directive}")).spawn();
        running.wait_for_stdout(ready);
        if code == 1 {
            wait_until(PATIENCE, "the tool's process runs", || environment.processes().len() == 2);
        }
        running.signal(libc::SIGINT);
        let result = running.wait().expect_code(code).last_result();
        assert_eq!(result["terminal_reason"], reason);
    }
}

#[test]
fn other_signals_end_it_without_a_result_and_ignored_ones_do_nothing() {
    let environment = TestEnvironment::new();
    let running = claude(&environment, "fake: hang").spawn();
    running.wait_for_stdout("init").signal(libc::SIGTERM);
    let output = running.wait().expect_code(143);
    assert!(!output.stdout.contains("\"result\""));

    let mut running = claude(&environment, "fake: ignore INT,TERM\nfake: text ready\nfake: hang").spawn();
    running.wait_for_stdout("ready").signal(libc::SIGINT).signal(libc::SIGTERM);
    assert!(running.is_running());
    running.signal(libc::SIGKILL);
    assert_eq!(running.wait().signal, Some(libc::SIGKILL));

    let output = claude(&environment, "fake: die SIGSEGV after-result").run();
    assert_eq!((output.signal, &output.last_result()["result"]), (Some(libc::SIGSEGV), &json!("ok")));
}

#[test]
fn the_log_counts_real_runs() {
    let environment = TestEnvironment::new();
    let log = environment.root().join("log");
    for _ in 0..2 {
        claude(&environment, &format!("fake: log {}", log.display())).run().expect_code(0);
    }
    let lines = std::fs::read_to_string(log).unwrap();
    assert_eq!(lines.lines().filter(|line| line.starts_with("start ")).count(), 2);
    assert_eq!(lines.lines().filter(|line| line.starts_with("end ")).count(), 2);
}

#[test]
fn a_shell_command_is_run_for_real() {
    let output = stream("fake: shell echo out; echo $HOME >&2; exit 3").expect_code(0);
    let result = output.last_result()["result"].as_str().unwrap().to_owned();
    assert!(result.starts_with("out\n/") && result.ends_with("/home\nexit 3"), "{result}");
}

#[test]
fn claude_mcp_registers_a_server_once() {
    let environment = TestEnvironment::new();
    let add = || environment.fake_agent(["mcp", "add-json", "x", "{\"command\":\"y\"}", "-s", "user"]).run();
    add().expect_code(0);
    assert!(add().expect_code(1).stderr.contains("already exists"));
    assert!(environment.fake_agent(["mcp", "list"]).run().stdout.contains("x: "));
    environment.fake_agent(["mcp", "remove", "x", "-s", "user"]).run().expect_code(0);
    environment.fake_agent(["mcp", "get", "x"]).run().expect_code(1);
}
