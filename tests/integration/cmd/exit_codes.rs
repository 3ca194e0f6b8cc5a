//! Every kind of failure has its exit code, in `run`, `wait` and `result` alike.

use std::time::{Duration, Instant};

use test_support::TestEnvironment;
use test_support::dispatch::{self, AGENT, run_json, with_agent, with_agent_configured};

/// Runs the task and checks the exit code and the kind of failure, then asks `wait` and `result` the same.
#[track_caller]
fn check(environment: &TestEnvironment, task: &str, code: i32, error_type: &str) {
    let output = run_json(environment, task).expect_code(code);
    let result = output.json();
    assert_eq!(result["error_type"], error_type, "{task}: {result}");
    assert_eq!(result["success"], false);
    assert!(output.stderr.contains("error: infra: "), "{task}: {}", output.stderr);
    let id = result["job_id"].as_str().expect("an id");
    environment.command(["wait", id]).run().expect_code(code);
    let again = environment.command(["result", id, "--json"]).run().expect_code(code);
    assert_eq!(again.json(), result);
}

#[test]
fn a_failure_without_a_kind_of_its_own_is_1() {
    let environment = with_agent();
    check(&environment, "fake: stderr it broke\nfake: exit 3", 1, "cli_error");
    check(&environment, "fake: refusal", 1, "cli_error");
    check(&environment, "fake: is-error 400 something odd", 1, "cli_error");
}

#[test]
fn an_unfinished_answer_is_1() {
    let environment = with_agent();
    check(&environment, "fake: nothing", 1, "incomplete");
    check(&environment, "fake: cut 300", 1, "incomplete");
    check(&environment, "fake: max-turns", 1, "incomplete");
}

#[test]
fn a_session_that_does_not_exist_is_3() {
    check(&with_agent(), "fake: no-conversation", 3, "not_found");
}

#[test]
fn a_permission_mode_refused_to_root_is_4() {
    let task =
        "fake: stderr --dangerously-skip-permissions cannot be used with root/sudo privileges\nfake: exit 1";
    check(&with_agent(), task, 4, "permission");
}

#[test]
fn the_spend_cap_is_5() {
    check(&with_agent(), "fake: budget", 5, "budget");
}

#[test]
fn limits_and_overload_are_6() {
    let environment = with_agent();
    check(
        &environment,
        "fake: is-error 429 You've hit your session limit · resets 6pm (Europe/Berlin)",
        6,
        "usage_limit",
    );
    check(&environment, "fake: is-error 429 API Error: Request rejected (429)", 6, "usage_limit");
    check(&environment, "fake: is-error 529 Repeated 529 Overloaded errors", 6, "overloaded");
    check(&environment, "fake: is-error Unable to connect to API (ConnectionRefused)", 6, "overloaded");
}

#[test]
fn too_deep_a_chain_is_7_and_no_job() {
    let environment = with_agent();
    let output =
        environment.command(["run", AGENT, "x"]).env("AGENT_DISPATCH_DEPTH", "3").run().expect_code(7);
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        "error: this dispatch would be number 4 in a chain of agents calling agents; 3 are allowed\n\
         hint: answer with what is known here, or raise `settings.max_dispatch_depth` in the config file\n"
    );
    assert!(environment.job_ids().is_empty());
}

#[test]
fn a_depth_that_cannot_be_read_counts_as_too_deep() {
    let environment = with_agent();
    for said in ["4294967296", "4 ", "abc", "-1", "", "0x1"] {
        let run = environment.command(["run", AGENT, "x"]).env("AGENT_DISPATCH_DEPTH", said);
        let output = run.run().expect_code(7);
        let expected = format!("error: AGENT_DISPATCH_DEPTH is '{said}', which is no number");
        assert!(output.stderr.starts_with(expected.trim_end()), "{said:?}: {}", output.stderr);
        assert!(output.stderr.contains("hint: "), "{}", output.stderr);
    }
    assert!(environment.job_ids().is_empty());
}

#[test]
fn missing_logins_bad_keys_and_no_credit_are_8() {
    let environment = with_agent();
    check(&environment, "fake: is-error Not logged in · Please run /login", 8, "auth");
    check(&environment, "fake: is-error 400 Credit balance is too low", 8, "auth");
    check(&environment, "fake: stderr Invalid API key · Fix external API key\nfake: exit 1", 8, "auth");
}

#[test]
fn a_bad_key_is_noticed_long_before_the_agent_gives_up() {
    let environment = with_agent();
    let begin = Instant::now();
    let task =
        "fake: retry authentication_failed 401 2\nfake: sleep 300s\nfake: is-error 401 Invalid API key";
    let result = run_json(&environment, task).expect_code(8).json();
    assert!(begin.elapsed() < Duration::from_secs(15), "it took {:?}", begin.elapsed());
    assert_eq!(result["error_type"], "auth");
}

#[test]
fn a_time_limit_is_124_and_what_there_was_is_kept() {
    let environment = with_agent();
    let task = "fake: text halfway\nfake: hang";
    let output =
        environment.command(["run", AGENT, "--json", "--timeout", "500ms", task]).run().expect_code(124);
    let result = output.json();
    assert_eq!(result["error_type"], "timeout");
    assert_eq!(result["error"], "timed out after 0.5s");
    assert_eq!(result["result"], "halfway");
    let id = result["job_id"].as_str().unwrap();
    assert!(
        result["hint"].as_str().unwrap().contains(&format!("agent-dispatch resume {id} --timeout 1s`")),
        "{result}"
    );
    assert_eq!(environment.only_record()["status"], "failed");
}

#[test]
fn the_agents_own_time_limit_holds_too() {
    let environment = with_agent_configured("timeout: 0.5");
    dispatch::run(&environment, "fake: hang").expect_code(124);
}

#[test]
fn an_agent_that_ignores_the_request_to_end_is_killed() {
    let environment = with_agent();
    let task = "fake: ignore INT,TERM\nfake: spawn setsid 600\nfake: hang";
    environment.command(["run", AGENT, "--timeout", "500ms", task]).run().expect_code(124);
    environment.assert_nothing_running();
}

#[test]
fn a_cancelled_job_is_130() {
    let environment = with_agent();
    let running = dispatch::run_endless(&environment, &["--json"]);
    environment.command(["cancel", "latest"]).run().expect_code(0);
    let result = running.wait().expect_code(130).json();
    assert_eq!(result["error_type"], "cancelled");
    environment.command(["wait", "latest"]).run().expect_code(130);
    environment.command(["result", "latest"]).run().expect_code(130);
}

#[test]
fn a_strict_caller_gets_4_for_denied_tools() {
    let environment = with_agent();
    let task = "fake: answer did what I could\nfake: denied Bash,WebFetch";
    let lenient = dispatch::run(&environment, task).expect_code(0);
    let warning = "warning: infra: tools were denied: Bash, WebFetch\n";
    assert!(lenient.stderr.contains(warning), "{}", lenient.stderr);
    assert!(
        lenient.stderr.contains("agents update infra --allowed-tools Bash,WebFetch"),
        "{}",
        lenient.stderr
    );
    let strict = environment.command(["run", AGENT, "--strict", task]).run().expect_code(4);
    assert_eq!(strict.stdout, "did what I could\n", "the answer is printed all the same");
    environment.command(["wait", "latest", "--strict"]).run().expect_code(4);
    environment.command(["result", "latest", "--strict"]).run().expect_code(4);
    environment.command(["result", "latest"]).run().expect_code(0);
}

#[test]
fn a_strict_caller_gets_9_for_an_answer_that_is_none() {
    let environment = with_agent();
    for (task, code) in [
        ("fake: answer x\nfake: status done", 0),
        ("fake: answer x", 0),
        ("fake: answer x\nfake: status partial", 9),
        ("fake: answer x\nfake: status blocked", 9),
        ("fake: answer ", 9),
    ] {
        dispatch::run(&environment, task).expect_code(0);
        let output = environment.command(["run", AGENT, "--strict", task]).run().expect_code(code);
        assert_eq!(code != 0, output.stderr.contains("error: "), "{task}: it says why: {}", output.stderr);
    }
}

#[test]
fn a_strict_caller_still_learns_what_kind_of_failure_it_was() {
    let environment = with_agent();
    environment.command(["run", AGENT, "--strict", "fake: budget"]).run().expect_code(5);
}
