//! Short ways to hand a task to an agent of a test.

use std::path::PathBuf;

use crate::support::{Output, PATIENCE, Running, TestEnvironment, wait_until};

/// The agent of most tests; its project has the same name.
pub(crate) const AGENT: &str = "infra";

/// An environment with one agent.
pub(crate) fn with_agent() -> TestEnvironment {
    with_agent_configured("")
}

/// The same, with more lines of YAML for the agent.
pub(crate) fn with_agent_configured(yaml: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project_with(AGENT, yaml);
    environment
}

/// `run` to its end.
#[track_caller]
pub(crate) fn run(environment: &TestEnvironment, task: &str) -> Output {
    environment.command(["run", AGENT, task]).run()
}

/// `run` of a task whose result is of interest, not only its text.
#[track_caller]
pub(crate) fn run_json(environment: &TestEnvironment, task: &str) -> Output {
    environment.command(["run", AGENT, "--json", task]).run()
}

/// `submit`; returns the job's id.
#[track_caller]
pub(crate) fn submit(environment: &TestEnvironment, task: &str) -> String {
    let output = environment.command(["submit", AGENT, task]).run().expect_code(0);
    output.stdout.trim_end().to_owned()
}

/// `submit`, and the end of the job.
#[track_caller]
pub(crate) fn submit_and_finish(environment: &TestEnvironment, task: &str) -> String {
    let id = submit(environment, task);
    wait_until(PATIENCE, "the job is over", || environment.record(&id)["completed_at"].is_number());
    // Its supervisor holds the job for a moment longer.
    let lock = environment.jobs_directory().join(format!(".run/{id}.lock"));
    wait_until(PATIENCE, "the job is let go", || !lock.exists());
    id
}

/// A task that goes on until somebody ends it, and says in a file that it has begun.
pub(crate) const ENDLESS: &str = "fake: text working\nfake: write-file begun x\nfake: hang";

/// `submit` of a task without an end; returns the job's id when the agent is at it.
#[track_caller]
pub(crate) fn submit_endless(environment: &TestEnvironment) -> String {
    let id = submit(environment, ENDLESS);
    wait_for_begin(environment);
    id
}

/// `run` of a task without an end; returns when the agent is at it.
#[track_caller]
pub(crate) fn run_endless(environment: &TestEnvironment, options: &[&str]) -> Running {
    let running = environment.command(["run", AGENT, ENDLESS]).args(options).spawn();
    wait_for_begin(environment);
    running
}

/// Waits for the file of an [`ENDLESS`] task.
#[track_caller]
pub(crate) fn wait_for_begin(environment: &TestEnvironment) {
    let begun = project(environment).join("begun");
    wait_until(PATIENCE, "the agent begins", || begun.exists());
    std::fs::remove_file(begun).expect("the file was just there");
}

/// The agent's directory.
pub(crate) fn project(environment: &TestEnvironment) -> PathBuf {
    environment.root().join("projects").join(AGENT)
}
