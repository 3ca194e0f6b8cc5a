//! What an agent had started in the background, and the end of its run cut off.

use serde_json::json;

use test_support::dispatch::{AGENT, with_agent};

/// The agent answers while this goes on, and its CLI stops it then.
fn left(kind: &str) -> String {
    format!(
        "fake: task start {kind} t1 watch the logs\nfake: answer all is well\nfake: task stop t1 after-result"
    )
}

#[test]
fn a_command_that_was_stopped_is_a_warning_and_fails_only_a_strict_run() {
    let environment = with_agent();
    let run = |more: &[&str]| environment.command(["run", AGENT, &left("command")]).args(more).run();
    let output = run(&[]).expect_code(0);
    assert_eq!(output.stdout, "all is well\n");
    let warning = "warning: infra: what it had left running was stopped: 'watch the logs'\n";
    assert!(output.stderr.contains(warning), "{}", output.stderr);
    assert!(run(&["--strict"]).expect_code(9).stderr.contains(warning));
    let result = run(&["--json"]).expect_code(0).json();
    let unfinished = json!([{"kind": "command", "what": "watch the logs", "state": "stopped"}]);
    assert_eq!((&result["success"], &result["unfinished"]), (&json!(true), &unfinished));
    let status = environment.command(["status", "latest"]).run().expect_code(0);
    assert!(status.stdout.contains("watch the logs (stopped)"), "{}", status.stdout);
    let again = environment.command(["result", "latest", "--strict"]).run().expect_code(9);
    assert!(again.stderr.contains(warning), "{}", again.stderr);
    assert_eq!(environment.command(["wait", "latest"]).run().expect_code(0).stdout, "");
}

#[test]
fn an_agent_that_was_stopped_makes_the_run_incomplete_and_keeps_the_answer() {
    let environment = with_agent();
    let output = environment.command(["run", AGENT, &left("agent"), "--json"]).run().expect_code(1);
    let result = output.json();
    assert_eq!((&result["error_type"], &result["result"]), (&json!("incomplete"), &json!("all is well")));
    assert_eq!(
        result["unfinished"],
        json!([{"kind": "agent", "what": "watch the logs", "state": "stopped"}])
    );
    assert!(result["error"].as_str().unwrap().contains("'watch the logs'"), "{result}");
    assert!(result["hint"].as_str().unwrap().contains("`agent-dispatch resume "), "{result}");
    // One whose end was not told ran until then.
    let task = "fake: task start agent t1 dig\nfake: answer x";
    let output = environment.command(["run", AGENT, task, "--json"]).run().expect_code(1).json();
    assert_eq!(output["unfinished"], json!([{"kind": "agent", "what": "dig", "state": "running"}]));
}

#[test]
fn what_ended_or_was_stopped_by_the_agent_is_no_word_worth() {
    let environment = with_agent();
    for end in ["task end t1", "task end t1 after-result", "task stop t1\nfake: text I stopped it"] {
        for kind in ["agent", "command"] {
            let task =
                format!("fake: task start {kind} t1 look\nfake: text hm\nfake: {end}\nfake: answer fine");
            let output = environment.command(["run", AGENT, &task, "--strict", "--json"]).run();
            let result = output.expect_code(0).json();
            assert_eq!((result.get("unfinished"), result.get("hint")), (None, None), "{task}: {result}");
        }
    }
}
