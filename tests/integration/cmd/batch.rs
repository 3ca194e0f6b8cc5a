//! `batch`: many tasks at once, all of them or none.

use std::fs;

use serde_json::{Value, json};

use test_support::{Invocation, PATIENCE, Running, TestEnvironment, programs, quoted, wait_until};

/// An environment with the agents `infra` and `web`.
fn with_agents() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.project("web");
    environment
}

fn batch(environment: &TestEnvironment, text: &str, options: &[&str]) -> Invocation {
    environment.command(["batch", "-"]).args(options).stdin(text)
}

fn statuses(environment: &TestEnvironment) -> Vec<Value> {
    environment.job_ids().iter().map(|id| environment.record(id)["status"].clone()).collect()
}

#[test]
fn all_results_are_in_one_table_in_the_order_of_the_file() {
    let environment = with_agents();
    let file = environment.root().join("two.yaml");
    let text = "- agent: infra\n  task: |\n    fake: answer eins\n    fake: sleep 100ms\n\
                - {agent: web, task: 'fake: answer zwei', caller: me}\n";
    fs::write(&file, text).expect("a batch");
    let output = environment.command(["batch".as_ref(), file.as_os_str()]).run().expect_code(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let ids = environment.job_ids();
    assert!(
        lines[1].starts_with("1  infra") && lines[1].ends_with(&format!("{}  eins", ids[0])),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("2  web") && lines[2].contains("$0.0125") && lines[2].ends_with("zwei"));
    assert!(output.stderr.contains("2 of 2 jobs have finished, $0.0250\n"), "{}", output.stderr);
    assert_eq!(environment.record(&ids[1])["caller"], "me");
}

#[test]
fn an_aggregate_gets_all_results_and_its_answer_is_the_output() {
    let environment = with_agents();
    environment.configure("settings:\n  max_concurrency: 1\n");
    let text = json!({
        "dispatches": [
            {"agent": "infra", "task": "fake: answer eins"},
            {"agent": "web", "task": "fake: exit 3"},
        ],
        "aggregate": "web",
        "aggregate_task": "fake: echo-prompt",
    });
    let output = batch(&environment, &text.to_string(), &[]).run().expect_code(1);
    assert!(output.stdout.starts_with("fake: echo-prompt\n\n## Results\n"), "{}", output.stdout);
    assert!(
        output.stdout.contains("done\n```\neins\n```\n") && output.stdout.contains("failed ("),
        "{}",
        output.stdout
    );
    assert!(output.stderr.contains("1  infra"), "{}", output.stderr);
    let ids = environment.job_ids();
    assert_eq!(environment.record(&ids[2])["after"], json!(ids[..2]));
}

#[test]
fn as_json_there_is_one_document_with_every_result() {
    let environment = with_agents();
    let long = 9 * 1024 * 1024;
    environment.script("web", "cost 0.25");
    let text = format!(
        "{{\"agent\": \"infra\", \"task\": \"fake: cost 0.5\\nfake: answer-bytes {long}\"}}\n\
         {{\"agent\": \"web\", \"task\": \"hi\"}}\n"
    );
    let output = batch(&environment, &text, &["--json", "--aggregate", "web"]).run().expect_code(0);
    let document = output.json();
    let results = document["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["result"].as_str().map(str::len), Some(long));
    assert_eq!((&results[1]["agent"], &results[1]["result"]), (&json!("web"), &json!("ok")));
    assert_eq!((&document["aggregate"]["success"], &document["cost_usd"]), (&json!(true), &json!(1.0)));
}

#[test]
fn everything_that_is_wrong_is_told_before_anything_starts() {
    let environment = with_agents();
    let text = "- {agent: infa, task: x}\n- {agent: web, task: x}\n- {agent: web, tusk: x}\n";
    let output = batch(&environment, text, &["--aggregate", "wb"]).run().expect_code(2);
    for part in [
        "item 1: there is no agent 'infa' (did you mean 'infra'?",
        "item 3: 'tusk' is not a known field; did you mean 'task'?",
        "item 3: 'task' is missing",
        "the aggregate: there is no agent 'wb'",
    ] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
    assert!(!output.stderr.contains("item 2"), "{}", output.stderr);
    // All of one item, whether it is read or checked, and whatever else is wrong.
    let one = "{agent: web, task: x, group: zz, model: '-x', session_id: '-y', response_schema: {type: 7}";
    for (rest, code, unknown) in [("}", 3, false), (", mdl: x}", 2, true)] {
        let output = batch(&environment, &format!("- {one}{rest}\n"), &[]).run().expect_code(code);
        for part in [
            "item 1: there is no group 'zz'",
            "item 1: the model '-x' begins with '-'",
            "item 1: '-y' is no session id: it must be a UUID",
            "item 1: the JSON Schema for the answer is not valid",
        ] {
            assert_eq!(output.stderr.matches(part).count(), 1, "{part}: {}", output.stderr);
        }
        assert_eq!(output.stderr.contains("item 1: 'mdl' is not a known field"), unknown);
    }
    // What only the agents' configuration can tell has the exit code it has elsewhere.
    let output = batch(&environment, "[{agent: web, task: x}, {agent: infa, task: x}]", &[]).run();
    assert!(output.expect_code(3).stderr.contains("item 2: there is no agent 'infa'"));
    let lines = "{\"agent\": \"web\", \"task\": \"x\"}\n\n{\"agent\": \"web\", \"task\": 5}\n";
    let output = batch(&environment, lines, &[]).run().expect_code(2);
    assert!(output.stderr.contains("item 2 (line 3): 'task': expected a text, found 5"), "{}", output.stderr);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn a_file_that_is_no_batch_is_refused() {
    let environment = with_agents();
    for (text, part) in [
        ("", "there is nothing to dispatch"),
        ("[]", "there is nothing to dispatch"),
        ("hello", "expected a list of dispatches"),
        ("- agent: [\n", "line"),
        ("dispatches: [{agent: web, task: x}]\naggregate_task: sum up\n", "no agent"),
    ] {
        let output = batch(&environment, text, &[]).run().expect_code(2);
        assert!(output.stderr.contains(part), "{text:?}: {}", output.stderr);
    }
    environment.command(["batch", "missing.yaml"]).run().expect_code(3);
    environment.command(["batch", "-"]).stdin_file("/dev/zero").run().expect_code(2);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn a_batch_that_would_not_fit_the_queue_starts_nothing() {
    let environment = with_agents();
    environment.configure("settings:\n  max_queued: 2\n");
    let text = "- &x {agent: web, task: hi}\n- *x\n- *x\n";
    let output = batch(&environment, text, &[]).run().expect_code(6);
    assert!(output.stderr.contains("max_queued"), "{}", output.stderr);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn the_exit_code_is_that_of_the_first_job_that_went_wrong() {
    let environment = with_agents();
    let text = "- {agent: web, task: hi}\n- {agent: web, task: 'fake: budget'}\n- {agent: web, task: 'fake: exit 1'}\n";
    let output = batch(&environment, text, &[]).run().expect_code(5);
    assert!(output.stderr.contains("2 of them went wrong"), "{}", output.stderr);
    let strict = "- {agent: web, task: 'fake: answer x\n\n    fake: status partial'}\n";
    batch(&environment, strict, &[]).run().expect_code(0);
    batch(&environment, strict, &["--strict"]).run().expect_code(9);
}

#[test]
fn what_is_wrong_with_a_job_stands_in_its_row_and_what_to_do_about_it_below() {
    let environment = with_agents();
    let text = "- {agent: web, task: 'fake: denied Bash\n\n    fake: answer x'}\n\
                - {agent: web, task: 'fake: answer y\n\n    fake: status blocked'}\n\
                - {agent: web, task: 'fake: answer \\n'}\n\
                - {agent: web, task: 'fake: is-error 401 Invalid API key'}\n\
                - {agent: infra, task: 'fake: is-error 401 Invalid API key'}\n";
    let output = batch(&environment, text, &[]).run().expect_code(8);
    let rows: Vec<&str> = output.stdout.lines().skip(1).collect();
    for (row, end) in rows.iter().zip([
        "  tools were denied: Bash: x",
        "  the agent reports that its work is blocked: y",
        "  the answer is empty",
        "  the API refused the credentials: Invalid API key",
    ]) {
        assert!(row.ends_with(end), "{end}: {row}");
    }
    assert!(output.stderr.contains("; the agent reports that its work is blocked\n"), "{}", output.stderr);
    assert_eq!(
        output.stderr.matches("hint: 4 web, 5 infra: check ANTHROPIC_API_KEY").count(),
        1,
        "{}",
        output.stderr
    );
    batch(&environment, text, &["--strict"]).run().expect_code(4);
}

#[test]
fn jobs_in_the_background_belong_to_nobody() {
    let environment = with_agents();
    let text = "- {agent: web, task: hi}\n- {agent: infra, task: hi}\n";
    let output = batch(&environment, text, &["--background", "--aggregate", "web"]).run().expect_code(0);
    let ids: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(ids, environment.job_ids());
    environment.command(["wait"]).args(&ids).run().expect_code(0);
    let output = batch(&environment, text, &["--background", "--json"]).run().expect_code(0);
    let document = output.json();
    assert_eq!(document["jobs"].as_array().map(Vec::len), Some(2));
    let ids = document["jobs"].as_array().expect("ids").iter().filter_map(Value::as_str);
    environment.command(["wait"]).args(ids).run().expect_code(0);
}

fn endless(environment: &TestEnvironment) -> Running {
    let text = "- {agent: web, task: 'fake: hang'}\n- {agent: infra, task: 'fake: hang'}\n";
    let running = batch(environment, text, &["--aggregate", "web", "--json"]).spawn();
    running.wait_for_stderr("3 jobs started");
    wait_until(PATIENCE, "both jobs run", || {
        statuses(environment).iter().filter(|status| *status == "running").count() == 2
    });
    running
}

#[test]
fn an_interrupt_stops_all_jobs_and_their_records_are_waited_for() {
    let environment = with_agents();
    let running = endless(&environment);
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.json()["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(statuses(&environment), ["cancelled"; 3]);
    environment.assert_nothing_running();
}

#[test]
fn the_death_of_a_batch_stops_all_its_jobs() {
    let environment = with_agents();
    endless(&environment).signal(libc::SIGKILL);
    wait_until(PATIENCE, "all jobs are cancelled", || statuses(&environment) == ["cancelled"; 3]);
    environment.assert_nothing_running();
}

#[test]
fn more_jobs_than_a_process_may_have_files_open_are_no_problem() {
    let environment = with_agents();
    let text = "{\"agent\": \"web\", \"task\": \"hi\"}\n".repeat(100);
    let tool = quoted(programs::agent_dispatch());
    let script = format!("ulimit -n 256; exec {tool} batch - --json");
    let output = environment.program("/bin/sh".as_ref(), ["-c", &script]).stdin(text).run().expect_code(0);
    assert_eq!(output.json()["results"].as_array().map(Vec::len), Some(100));
}
