//! Jobs that wait for others and get their results.

use std::fs;

use serde_json::{Value, json};

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::{PATIENCE, TestEnvironment, programs, quoted, wait_until};

/// `submit` of a task that says what its agent was told, once these jobs have finished.
fn submit_after(environment: &TestEnvironment, jobs: &[&str]) -> String {
    let options = jobs.iter().flat_map(|job| ["--after", job]);
    let output = environment.command(["submit", AGENT, "fake: echo-prompt"]).args(options).run();
    output.expect_code(0).stdout.trim_end().to_owned()
}

fn wait_for_status(environment: &TestEnvironment, id: &str, status: &str) {
    wait_until(PATIENCE, &format!("job {id} is {status}"), || environment.record(id)["status"] == status);
}

fn answer(environment: &TestEnvironment, id: &str) -> String {
    environment.command(["result", id, "--wait"]).run().expect_code(0).stdout
}

#[test]
fn a_job_that_waits_for_others_is_told_what_they_came_to() {
    let environment = with_agent();
    let first = submit(&environment, "fake: answer eins\nfake: status partial\nfake: sleep 100ms");
    let second = submit_and_finish(&environment, "fake: answer zwei");
    // Named twice it is told once.
    let last = submit_after(&environment, &[&first, &second, &first, "latest"]);
    let told = answer(&environment, &last);
    let (one, two) = (
        format!(
            "### {AGENT}, job {first}: done, and says that its work is partial\n```\neins\nSTATUS: partial\n```\n"
        ),
        format!("### {AGENT}, job {second}: done\n```\nzwei\n```\n"),
    );
    assert!(told.starts_with("fake: echo-prompt\n\n## Results\n"), "{told}");
    assert!(told.contains(&one) && told.contains(&two), "{told}");
    let record = environment.record(&last);
    assert_eq!(record["after"], serde_json::json!([first, second]));
    assert!(record["started_at"].as_f64() >= environment.record(&first)["completed_at"].as_f64());
}

#[test]
fn a_job_that_waits_for_others_holds_up_nobody() {
    let environment = TestEnvironment::new();
    environment.project_with(AGENT, "exclusive: true");
    environment.configure("settings:\n  max_concurrency: 1\n  max_queued: 1\n");
    let gate = environment.root().join("gate");
    let gated = format!("fake: shell until [ -e {} ]; do sleep 0.01; done", quoted(&gate));
    let first = submit(&environment, &gated);
    wait_for_status(&environment, &first, "running");
    let last = submit_after(&environment, &[&first]);
    let shown = environment.command(["status", &last]).run().expect_code(0).stdout;
    assert!(shown.contains("waits      for 1 job\n"), "{shown}");
    // It has neither the agent's directory nor a place in the queue, which would be the only one.
    let next = submit(&environment, "fake: answer next");
    let cancelled = environment.command(["cancel", &last]).run().expect_code(0);
    assert!(cancelled.stdout.contains("cancelled"), "{}", cancelled.stdout);
    assert_eq!(environment.record(&first)["status"], "running");
    fs::write(&gate, "").expect("the gate opens");
    assert_eq!(answer(&environment, &next), "next\n");
}

#[test]
fn a_failure_among_the_results_is_told_and_stops_nothing() {
    let environment = with_agent();
    let failed = submit(&environment, "fake: exit 3");
    let good = submit(&environment, "fake: answer gut");
    let told = answer(&environment, &submit_after(&environment, &[&failed, &good]));
    assert!(told.contains(&format!("job {failed}: failed (")) && told.contains("Error: "), "{told}");
    assert!(told.contains("gut\n"), "{told}");
}

#[test]
fn a_job_without_any_result_to_work_with_fails_without_its_agent() {
    let environment = with_agent();
    let failed: Vec<String> = (0..2).map(|_| submit(&environment, "fake: exit 3")).collect();
    let last = submit_after(&environment, &[&failed[0], &failed[1]]);
    let output = environment.command(["result", &last, "--wait"]).run().expect_code(1);
    let first = &failed[0];
    let said = format!("none of the 2 jobs it waited for has an answer; the first, job {first}: ");
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    let hint = format!("hint: what is known about it: `agent-dispatch status {first}`\n");
    assert!(output.stderr.contains(&hint), "{}", output.stderr);
    let record = environment.record(&last);
    assert_eq!((&record["status"], &record["started_at"]), (&"failed".into(), &Value::Null));
    let remedy = json!({"action": "show_job", "arguments": {"job_id": first}});
    assert_eq!(record["result"]["remedy"], remedy);
    let alone = submit_after(&environment, &[first]);
    let output = environment.command(["result", &alone, "--wait"]).run().expect_code(1);
    let said = format!("job {first}, which it waited for, has no answer: ");
    assert!(output.stderr.contains(&said), "{}", output.stderr);
}

#[test]
fn a_job_whose_supervisor_was_killed_is_waited_for_no_longer() {
    let environment = with_agent();
    let lost = submit_endless(&environment);
    let good = submit_and_finish(&environment, "fake: answer gut");
    let last = submit_after(&environment, &[&lost, &good]);
    environment.kill_supervisor(&lost);
    let told = answer(&environment, &last);
    assert!(told.contains(&format!("job {lost}: failed (lost)")), "{told}");
}

#[test]
fn the_death_of_a_waiting_supervisor_is_noticed() {
    let environment = with_agent();
    let first = submit_endless(&environment);
    let last = submit_after(&environment, &[&first]);
    environment.kill_supervisor(&last);
    environment.command(["wait", &last]).run().expect_code(1);
    assert_eq!(environment.record(&last)["result"]["error_type"], "lost");
    environment.command(["cancel", &first]).run().expect_code(0);
}

#[test]
fn an_agent_cannot_wait_for_a_job_that_waits_for_its_own() {
    let environment = with_agent();
    let script = environment.root().join("nest.sh");
    let tool = quoted(programs::agent_dispatch());
    for line in ["$tool run $after", "$tool wait $($tool submit $after)"] {
        let line = line
            .replace("$tool", &tool)
            .replace("$after", &format!("{AGENT} hi --after $AGENT_DISPATCH_JOB"));
        fs::write(&script, format!("{line}; echo code $?")).expect("a script");
        let task = format!("fake: shell sh {}", quoted(&script));
        let output = environment.command(["run", AGENT, &task]).run();
        assert!(output.expect_code(0).stdout.contains("code 1"));
        let inner = environment.job_ids().pop().expect("a nested job");
        let error = environment.record(&inner)["error"].as_str().expect("an error").to_owned();
        assert!(error.contains("which waits for it"), "{error}");
    }
}

#[test]
fn a_job_that_does_not_exist_cannot_be_waited_for() {
    let environment = with_agent();
    let missing = "0".repeat(32);
    environment.command(["submit", AGENT, "x", "--after", &missing]).run().expect_code(3);
    assert!(environment.job_ids().is_empty());
}
