//! Jobs take turns: a limit on running agents for everybody who shares the jobs directory, first come first served,
//! and things only one job has at a time.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use test_support::{PATIENCE, TestEnvironment, quoted, wait_until};

fn with_limit(settings: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.configure(&format!("settings:\n{settings}"));
    environment
}

fn submit(environment: &TestEnvironment, agent: &str, task: &str) -> String {
    let output = environment.command(["submit", agent, task]).run().expect_code(0);
    output.stdout.trim().to_owned()
}

fn wait_for_status(environment: &TestEnvironment, id: &str, status: &str) {
    wait_until(PATIENCE, &format!("job {id} is {status}"), || environment.record(id)["status"] == status);
}

/// An agent that runs until the returned file exists.
fn gate(environment: &TestEnvironment, name: &str) -> (PathBuf, String) {
    let gate = environment.root().join(name);
    let task = format!("fake: shell until [ -e {} ]; do sleep 0.01; done", quoted(&gate));
    (gate, task)
}

fn open(gate: &Path) {
    fs::write(gate, "").expect("the gate opens");
}

fn status(environment: &TestEnvironment, id: &str) -> Value {
    environment.command(["status", id, "--json"]).run().expect_code(0).json()
}

#[test]
fn no_more_agents_run_at_once_than_the_limit_allows_and_in_the_order_of_submission() {
    let environment = with_limit("  max_concurrency: 2\n");
    environment.project("infra");
    let log = environment.root().join("log");
    let task = format!("fake: log {}\nfake: sleep 20ms", log.display());
    // The first two run until they are seen to do so at once.
    let (gate, held) = gate(&environment, "gate");
    let mut ids: Vec<String> =
        (0..2).map(|_| submit(&environment, "infra", &format!("{task}\n{held}"))).collect();
    ids.extend((0..18).map(|_| submit(&environment, "infra", &task)));
    ids[..2].iter().for_each(|id| wait_for_status(&environment, id, "running"));
    open(&gate);
    environment.command(["wait"]).args(ids.iter().map(String::as_str)).run().expect_code(0);

    let mut running = 0;
    let mut most = 0;
    for line in fs::read_to_string(&log).expect("the agents' log").lines() {
        running += if line.starts_with("start") { 1 } else { -1 };
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 2));
    let started = |id: &String| environment.record(id)["started_at"].as_f64().expect("it was started");
    let starts: Vec<f64> = ids.iter().map(started).collect();
    // Two that get their slots at the same moment note the time in either order.
    assert!(starts.iter().zip(&starts[2..]).all(|(one, next_but_one)| one < next_but_one), "{starts:?}");
}

#[test]
fn a_waiting_job_shows_its_place_and_can_be_cancelled() {
    let environment = with_limit("  max_concurrency: 1\n");
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let first = submit(&environment, "infra", &task);
    wait_for_status(&environment, &first, "running");
    let second = submit(&environment, "infra", "fake: answer two");
    let third = submit(&environment, "infra", "fake: answer three");
    assert_eq!(status(&environment, &second)["queue_position"], 1);
    assert_eq!(status(&environment, &third)["queue_position"], 2);
    let shown = environment.command(["status", &third]).run().expect_code(0).stdout;
    assert!(shown.contains("number 2 of 2 waiting"), "{shown}");
    let listed = environment.command(["jobs", "--status", "pending"]).run().expect_code(0).stdout;
    assert!(listed.contains("pending (1)") && listed.contains("pending (2)"), "{listed}");

    environment.command(["cancel", &second]).run().expect_code(0);
    assert_eq!(environment.record(&second)["status"], "cancelled");
    assert_eq!(environment.record(&second)["started_at"], Value::Null);
    assert_eq!(status(&environment, &third)["queue_position"], 1);
    open(&gate);
    environment.command(["wait", &first, &third]).run().expect_code(0);
}

#[test]
fn a_request_to_stop_reaches_a_waiting_job_without_a_signal() {
    let environment = with_limit("  max_concurrency: 1\n");
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let first = submit(&environment, "infra", &task);
    wait_for_status(&environment, &first, "running");
    let behind: Vec<String> = (0..2).map(|_| submit(&environment, "infra", "fake: answer two")).collect();
    // As a caller in another PID namespace leaves it, whose signals do not arrive.
    for id in &behind {
        fs::write(environment.jobs_directory().join(id).join("cancel"), "").expect("a request to stop");
        wait_for_status(&environment, id, "cancelled");
    }
    open(&gate);
    environment.command(["wait", &first]).run().expect_code(0);
}

#[test]
fn a_limit_that_is_changed_takes_effect_for_jobs_that_wait() {
    let environment = with_limit("  max_concurrency: 1\n");
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let jobs: Vec<String> = (0..3).map(|_| submit(&environment, "infra", &task)).collect();
    wait_for_status(&environment, &jobs[0], "running");
    let config = fs::read_to_string(environment.config()).expect("the config");
    environment.write_config(&config.replace("max_concurrency: 1", "max_concurrency: 2"));
    wait_for_status(&environment, &jobs[1], "running");
    assert_eq!(environment.record(&jobs[2])["status"], "pending");
    open(&gate);
    environment.command(["wait"]).args(jobs.iter().map(String::as_str)).run().expect_code(0);
}

#[test]
fn a_slot_is_free_again_when_its_supervisor_is_killed() {
    let environment = with_limit("  max_concurrency: 1\n");
    environment.project("infra");
    let first = submit(&environment, "infra", "fake: hang");
    wait_for_status(&environment, &first, "running");
    let second = submit(&environment, "infra", "fake: answer two");
    let third = submit(&environment, "infra", "fake: answer three");
    environment.kill_supervisor(&second);
    environment.kill_supervisor(&first);
    environment.command(["wait", &third]).run().expect_code(0);
    environment.command(["wait", &first, &second]).run().expect_code(1);
}

#[test]
fn a_queue_that_is_full_refuses_more() {
    let environment = with_limit("  max_concurrency: 1\n  max_queued: 1\n");
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let first = submit(&environment, "infra", &task);
    wait_for_status(&environment, &first, "running");
    let second = submit(&environment, "infra", "hi");
    let refused = environment.command(["submit", "infra", "hi"]).run().expect_code(6);
    assert!(refused.stderr.contains("the queue is full: ") && refused.stderr.contains("max_queued"));
    assert_eq!(environment.job_ids().len(), 2);
    open(&gate);
    environment.command(["wait", &first, &second]).run().expect_code(0);
}

#[test]
fn a_directory_is_one_place_by_whatever_path_an_exclusive_agent_names_it() {
    let environment = TestEnvironment::new();
    let directory = environment.project_with("infra", "exclusive: true");
    let link = environment.root().join("link");
    std::os::unix::fs::symlink(&directory, &link).expect("a link");
    let (first, others) = ("infra", ["link", "slash", "dots"]);
    let paths = [
        link.display().to_string(),
        format!("{}/", directory.display()),
        format!("{0}/../{first}", directory.display()),
    ];
    let config = fs::read_to_string(environment.config()).expect("the config");
    let agents: Vec<String> = others
        .iter()
        .zip(paths)
        .map(|(name, path)| format!("  {name}:\n    directory: {path}\n    exclusive: true\n"))
        .collect();
    environment.write_config(&config.replacen("agents:\n", &format!("agents:\n{}", agents.concat()), 1));
    let (gate, held) = gate(&environment, "gate");
    let running = submit(&environment, first, &held);
    wait_for_status(&environment, &running, "running");
    for other in others {
        let refused = environment.command(["run", other, "hi", "--no-wait"]).run().expect_code(1);
        assert!(refused.stderr.contains(&format!("is in use by job {running}")), "{}", refused.stderr);
    }
    open(&gate);
    environment.command(["wait", &running]).run().expect_code(0);
}

#[test]
fn twenty_who_submit_at_once_do_not_fill_the_queue_beyond_its_limit() {
    let environment = with_limit("  max_concurrency: 2\n  max_queued: 5\n");
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let submits: Vec<_> = (0..20).map(|_| environment.command(["submit", "infra", &task]).spawn()).collect();
    let codes: Vec<_> = submits.into_iter().map(|submit| submit.wait().code).collect();
    // Two run, five wait.
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 7, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(6)).count(), 13, "{codes:?}");
    open(&gate);
    let ids = environment.job_ids();
    assert_eq!(ids.len(), 7);
    environment.command(["wait"]).args(&ids).run().expect_code(0);
}

#[test]
fn an_exclusive_agent_takes_one_task_at_a_time() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "exclusive: true");
    environment.project("other");
    let (gate, task) = gate(&environment, "gate");
    let first = submit(&environment, "infra", &task);
    wait_for_status(&environment, &first, "running");
    let second = submit(&environment, "infra", "fake: answer two");
    environment.command(["run", "other", "fake: answer meanwhile"]).run().expect_code(0);
    assert_eq!(environment.record(&second)["status"], "pending");
    let refused = environment.command(["run", "infra", "hi", "--no-wait"]).run().expect_code(1);
    assert!(refused.stderr.contains(&format!("in use by job {first}")), "{}", refused.stderr);
    let hint = format!(
        "hint: without --no-wait the job waits for its turn; `agent-dispatch wait {first}` waits for that one\n"
    );
    assert!(refused.stderr.contains(&hint), "{}", refused.stderr);
    open(&gate);
    environment.command(["wait", &first, &second]).run().expect_code(0);
}

#[test]
fn two_runs_never_go_on_with_one_session_at_once() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let (gate, task) = gate(&environment, "gate");
    let first = submit(&environment, "infra", &task);
    wait_for_status(&environment, &first, "running");
    let session = environment.record(&first)["session_id"].as_str().expect("a session").to_owned();
    let resume = ["submit", "infra", "fake: answer two", "--session", &session];
    let second = environment.command(resume).run().expect_code(0).stdout.trim().to_owned();
    let refused =
        environment.command(["run", "infra", "hi", "--session", &session, "--no-wait"]).run().expect_code(1);
    assert!(refused.stderr.contains(&format!("session {session} is in use by job {first}")));
    assert_eq!(environment.record(&second)["status"], "pending");
    open(&gate);
    environment.command(["wait", &first, &second]).run().expect_code(0);
}

#[test]
fn silence_ends_a_run_and_output_does_not() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "idle_timeout: 0.4");
    let talk: String = (0..8).map(|n| format!("fake: text {n}\nfake: sleep 100ms\n")).collect();
    environment.command(["run", "infra", &talk]).run().expect_code(0);
    let silent = environment.command(["run", "infra", "fake: text on it\nfake: hang"]).run().expect_code(124);
    assert!(silent.stderr.contains("silent for 0.4s"), "{}", silent.stderr);
    let patient = ["run", "infra", "fake: sleep 700ms", "--idle-timeout", "30s"];
    environment.command(patient).run().expect_code(0);
}

#[test]
fn an_agent_runs_no_more_jobs_at_once_than_it_may_and_holds_up_no_other_agent() {
    let environment = with_limit("  max_concurrency: 5\n");
    environment.project_with("infra", "max_concurrency: 2");
    environment.project("web");
    let (gate, task) = gate(&environment, "gate");
    let jobs: Vec<String> = (0..4).map(|_| submit(&environment, "infra", &task)).collect();
    jobs[..2].iter().for_each(|id| wait_for_status(&environment, id, "running"));
    let refused = environment.command(["run", "infra", "--no-wait", "hi"]).run().expect_code(1);
    assert!(refused.stderr.contains("max_concurrency"), "{}", refused.stderr);
    // Another agent's job passes those that wait for their agent's turn.
    environment.command(["run", "web", "fake: answer hi"]).run().expect_code(0);
    assert!(jobs[2..].iter().all(|id| environment.record(id)["status"] == "pending"));
    open(&gate);
    environment.command(["wait"]).args(jobs.iter().map(String::as_str)).run().expect_code(0);
}

#[test]
fn a_job_that_an_agent_dispatches_to_itself_uses_its_turn() {
    let environment = with_limit("  max_concurrency: 5\n");
    environment.project_with("infra", "max_concurrency: 1");
    let tool = quoted(test_support::programs::agent_dispatch());
    let task = format!("fake: shell {tool} run infra 'fake: answer inner'");
    environment.command(["run", "infra", &task]).run().expect_code(0);
}
