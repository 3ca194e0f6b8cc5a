//! `resume`: go on with the conversation of a job.

use serde_json::json;

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::{PATIENCE, TestEnvironment, wait_until};

#[test]
fn the_agent_goes_on_in_the_same_session() {
    let environment = with_agent();
    let task = "fake: on-turn 1 answer first\nfake: on-turn 2 echo-prompt";
    environment.script(AGENT, task);
    let first = submit_and_finish(&environment, "begin");
    let output = environment.command(["resume", &first]).run().expect_code(0);
    assert_eq!(output.stdout, "continue where you left off\n");
    let ids = environment.job_ids();
    let (old, new) = (environment.record(&first), environment.record(&ids[1]));
    assert_eq!(old["session_id"], new["session_id"]);
    assert_eq!(new["resumed"], true);
}

#[test]
fn a_task_of_its_own_and_other_limits_can_be_given() {
    let environment = with_agent();
    environment.command(["run", AGENT, "x", "--timeout", "90", "--model", "opus", "--goal", "ship"]).run();
    environment.command(["resume", "latest", "fake: echo-prompt", "--timeout", "7"]).run().expect_code(0);
    let ids = environment.job_ids();
    let new = environment.record(&ids[1]);
    assert_eq!((&new["timeout_seconds"], &new["model"]), (&json!(7.0), &json!("opus")));
    assert_eq!(new["result"]["result"], "fake: echo-prompt", "what it was told then, it knows");
    let piped = environment.command(["resume", "latest", "-"]).stdin("fake: answer by a pipe").run();
    assert_eq!(piped.expect_code(0).stdout, "by a pipe\n");
}

#[test]
fn a_pipe_that_nobody_closes_is_not_waited_for() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "x");
    let output = environment.command(["resume", &first]).stdin_open().spawn().wait().expect_code(0);
    assert_eq!(output.stdout, "ok\n");
}

#[test]
fn the_command_of_the_hint_goes_on_with_a_cancelled_job() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    environment.command(["cancel", &id]).run().expect_code(0);
    let record = environment.record(&id);
    let hint = record["result"]["hint"].as_str().unwrap();
    let command = hint.split('`').nth(1).unwrap().strip_prefix("agent-dispatch ").unwrap();
    let resumed = environment.command(command.split_whitespace()).arg("--json").run().expect_code(0).json();
    assert_eq!(resumed["session_id"], record["session_id"]);
}

#[test]
fn a_job_without_a_session_says_what_to_do_instead() {
    let environment = TestEnvironment::new();
    environment.link("assistant", &test_support::programs::fake_agent());
    environment.project_with("infra", "backend: command\ncommand: [assistant, --plain]");
    let id = submit_and_finish(&environment, "fake: answer hi");
    let output = environment.command(["resume", &id]).run().expect_code(3);
    assert_eq!(
        output.stderr,
        format!(
            "error: job {id} has no session to go on with\n\
             hint: make the same request again: `agent-dispatch retry {id}`\n"
        )
    );
}

#[test]
fn a_running_job_is_gone_on_with_when_it_is_over() {
    let environment = with_agent();
    let first = submit_endless(&environment);
    let resumed = environment.command(["resume", &first, "fake: answer on", "--background"]).run();
    let second = resumed.expect_code(0).stdout.trim_end().to_owned();
    environment.command(["wait", &second, "--timeout", "300ms"]).run().expect_code(124);
    environment.command(["cancel", &first]).run().expect_code(0);
    assert_eq!(environment.command(["result", &second, "--wait"]).run().expect_code(0).stdout, "on\n");
}

#[test]
fn an_ambiguous_beginning_names_the_newest_candidates() {
    let environment = with_agent();
    let ids: Vec<String> = (0..6).map(|number| submit(&environment, &format!("task {number}"))).collect();
    wait_until(PATIENCE, "all have finished", || {
        ids.iter().all(|id| environment.record(id)["completed_at"].is_number())
    });
    let output = environment.command(["resume", "0"]).run().expect_code(2);
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines[0], "error: 6 jobs have ids that begin with '0':");
    assert_eq!((lines.len(), lines[6]), (8, "  and 1 more"), "five of them: {}", output.stderr);
    assert!(lines[1].starts_with(&format!("  {}  {AGENT}  ", ids[5])), "{}", output.stderr);
    assert!(lines[1].ends_with("  task 5"), "{}", output.stderr);
}
