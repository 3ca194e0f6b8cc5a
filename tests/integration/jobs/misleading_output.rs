//! Outputs of an agent that would fool a naive reader.

use serde_json::json;

use test_support::dispatch::{self, AGENT, run_json, with_agent};

#[test]
fn output_cut_with_exit_0_is_a_failure() {
    let environment = with_agent();
    let result = run_json(&environment, "fake: answer-bytes 100000\nfake: cut 50000").expect_code(1).json();
    assert_eq!(result["error_type"], "incomplete");
    assert_eq!(result["error"], "the agent exited with code 0, but its output ends without a result");
    assert!(result["hint"].as_str().unwrap().contains("agent-dispatch resume "), "{result}");
}

#[test]
fn exit_0_with_no_output_is_a_failure() {
    let environment = with_agent();
    let output = dispatch::run(&environment, "fake: nothing").expect_code(1);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("its output ends without a result"), "{}", output.stderr);
}

#[test]
fn the_last_of_several_results_counts_and_the_cost_is_the_sum() {
    let environment = with_agent();
    let task = "fake: cost 0.5\nfake: results 3\nfake: answer the last";
    let result = run_json(&environment, task).expect_code(0).json();
    assert_eq!((&result["result"], &result["cost_usd"]), (&json!("the last"), &json!(1.5)));
    assert_eq!(result["num_turns"], 3);
}

#[test]
fn an_array_is_read_like_a_stream() {
    let environment = with_agent();
    let result = run_json(&environment, "fake: answer in one\nfake: array").expect_code(0).json();
    assert_eq!((&result["result"], &result["cost_usd"]), (&json!("in one"), &json!(0.0125)));
}

#[test]
fn an_error_that_calls_itself_a_success_is_a_failure() {
    let environment = with_agent();
    let result = run_json(&environment, "fake: is-error something odd").expect_code(1).json();
    assert_eq!(result["success"], false);
    assert_eq!(result["error"], "the agent CLI reported an error: something odd");
    assert_eq!(result["result"], "", "an error is no answer");
}

#[test]
fn a_budget_stop_keeps_the_text_that_was_paid_for() {
    let environment = with_agent();
    let task = "fake: answer the answer\nfake: budget";
    let output = environment.command(["run", AGENT, "--max-budget-usd=0.01", task]).run().expect_code(5);
    assert_eq!(output.stdout, "the answer\n");
    let expected = "error: infra: the agent reached its spend cap of $0.01; it spent $0.01\n";
    assert!(output.stderr.contains(expected), "{}", output.stderr);
    assert!(output.stderr.contains("--max-budget-usd 0.02`"), "{}", output.stderr);
}

#[test]
fn bytes_that_are_no_utf8_do_not_lose_the_answer() {
    let environment = with_agent();
    let output = dispatch::run(&environment, "fake: answer before\nfake: bad-utf8").expect_code(0);
    assert_eq!(output.stdout, "before\nbad \u{fffd} byte\n");
}

#[test]
fn a_line_of_20_mb_is_passed_over_and_the_answer_found() {
    let environment = with_agent();
    let task = "fake: huge-line 20000000\nfake: answer after it";
    assert_eq!(dispatch::run(&environment, task).expect_code(0).stdout, "after it\n");
    let logs = environment.command(["logs", "latest"]).run().expect_code(0);
    assert!(logs.stdout.len() < 10_000, "{} bytes", logs.stdout.len());
    assert!(logs.stdout.contains("after it\n"), "{}", logs.stdout);
}

#[test]
fn noise_between_the_events_and_on_their_lines_does_no_harm() {
    let environment = with_agent();
    let result =
        run_json(&environment, "fake: noise\nfake: tool Bash ls\nfake: answer clear").expect_code(0).json();
    assert_eq!((&result["result"], &result["num_turns"]), (&json!("clear"), &json!(2)));
}

#[test]
fn a_session_in_use_is_told_as_such() {
    let environment = with_agent();
    let result = run_json(&environment, "fake: session-in-use").expect_code(1).json();
    assert_eq!(result["error_type"], "cli_error");
    assert!(result["error"].as_str().unwrap().starts_with("the session is in use"), "{result}");
}

#[test]
fn death_by_a_signal_is_told_as_such() {
    let environment = with_agent();
    let killed = run_json(&environment, "fake: text so far\nfake: die SIGKILL").expect_code(1).json();
    assert_eq!(killed["error"], "the agent was killed by signal 9 (SIGKILL)");
    assert_eq!(killed["result"], "so far");
    let crashed = run_json(&environment, "fake: die SIGSEGV").expect_code(1).json();
    assert_eq!(crashed["error"], "the agent was killed by signal 11 (SIGSEGV)");
}

#[test]
fn a_complete_answer_outranks_what_comes_after_it() {
    let environment = with_agent();
    for (end, remark) in [
        ("die SIGSEGV after-result", "the answer was complete, but signal 11 then killed the agent"),
        ("exit 3 after-result", "the answer was complete, but the agent then exited with code 3"),
    ] {
        let result =
            run_json(&environment, &format!("fake: answer all of it\nfake: {end}")).expect_code(0).json();
        assert_eq!((&result["result"], &result["hint"]), (&json!("all of it"), &json!(remark)));
    }
}

#[test]
fn an_agent_that_answers_and_hangs_is_a_success_at_the_time_limit() {
    let environment = with_agent();
    let task = "fake: answer all of it\nfake: result-then-hang";
    let output = environment.command(["run", AGENT, "--json", "--timeout=1", task]).run().expect_code(0);
    let result = output.json();
    assert_eq!(result["result"], "all of it");
    assert!(result["hint"].as_str().unwrap().contains("did not end within 1s and was stopped"), "{result}");
    assert_eq!(environment.only_record()["status"], "done");
}

#[test]
fn what_the_agent_leaves_running_neither_delays_the_answer_nor_outlives_it() {
    let environment = with_agent();
    for kind in ["background", "setpgid", "setsid", "double-fork", "daemon-env-i"] {
        let output = dispatch::run(&environment, &format!("fake: spawn {kind} 600\nfake: answer {kind}"));
        assert_eq!(output.expect_code(0).stdout, format!("{kind}\n"));
        environment.assert_nothing_running();
    }
}

#[test]
fn an_answer_that_quotes_an_error_is_an_answer() {
    let environment = with_agent();
    let output = dispatch::run(&environment, "fake: answer API Error: 500 · Invalid API key · Not logged in");
    assert_eq!(output.expect_code(0).stdout, "API Error: 500 · Invalid API key · Not logged in\n");
}
