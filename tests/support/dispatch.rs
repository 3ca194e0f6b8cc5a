//! Short ways to hand a task to an agent of a test.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

use agent_dispatch::model::JobId;
use agent_dispatch::store::{JobKind, Launch, Record, Store};
use agent_dispatch::supervisor::{AdmissionRules, ENTRY, LaunchSpec};

use crate::{Invocation, Output, PATIENCE, Running, TestEnvironment, wait_until};

/// The agent of most tests; its project has the same name.
pub const AGENT: &str = "infra";

/// An environment with one agent.
pub fn with_agent() -> TestEnvironment {
    with_agent_configured("")
}

/// The same, with more lines of YAML for the agent.
pub fn with_agent_configured(yaml: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project_with(AGENT, yaml);
    environment
}

/// `run` to its end.
#[track_caller]
pub fn run(environment: &TestEnvironment, task: &str) -> Output {
    environment.command(["run", AGENT, task]).run()
}

/// `run` of a task whose result is of interest, not only its text.
#[track_caller]
pub fn run_json(environment: &TestEnvironment, task: &str) -> Output {
    environment.command(["run", AGENT, "--json", task]).run()
}

/// `submit`; returns the job's id.
#[track_caller]
pub fn submit(environment: &TestEnvironment, task: &str) -> String {
    let output = environment.command(["submit", AGENT, task]).run().expect_code(0);
    output.stdout.trim_end().to_owned()
}

/// `submit`, and the end of the job.
#[track_caller]
pub fn submit_and_finish(environment: &TestEnvironment, task: &str) -> String {
    let id = submit(environment, task);
    wait_until(PATIENCE, "the job has finished", || environment.record(&id)["completed_at"].is_number());
    // Its supervisor holds the job for a moment longer.
    let lock = environment.jobs_directory().join(format!(".run/{id}.lock"));
    wait_until(PATIENCE, "the job is let go", || !lock.exists());
    id
}

/// A task that goes on until somebody ends it, and says in a file that it has begun.
pub const ENDLESS: &str = "fake: text working\nfake: write-file begun x\nfake: hang";

/// `submit` of a task without an end; returns the job's id when the agent is at it.
#[track_caller]
pub fn submit_endless(environment: &TestEnvironment) -> String {
    let id = submit(environment, ENDLESS);
    wait_for_begin(environment);
    id
}

/// `run` of a task without an end; returns when the agent is at it.
#[track_caller]
pub fn run_endless(environment: &TestEnvironment, options: &[&str]) -> Running {
    let running = environment.command(["run", AGENT, ENDLESS]).args(options).spawn();
    wait_for_begin(environment);
    running
}

/// Waits for the file of an [`ENDLESS`] task.
#[track_caller]
pub fn wait_for_begin(environment: &TestEnvironment) {
    let begun = project(environment).join("begun");
    wait_until(PATIENCE, "the agent begins", || begun.exists());
    std::fs::remove_file(begun).expect("the file was just there");
}

/// The agent's directory.
pub fn project(environment: &TestEnvironment) -> PathBuf {
    environment.root().join("projects").join(AGENT)
}

/// Runs a supervisor for a job as `submit` would have started it, with an order that `change` has changed. Returns
/// what became of it, and what it said when it took over.
#[track_caller]
pub fn supervise(
    environment: &TestEnvironment,
    command: Invocation,
    task: &str,
    change: impl FnOnce(&mut LaunchSpec),
) -> (Output, String) {
    let store = Store::open(&environment.jobs_directory()).expect("the jobs directory");
    let mut record = Record::pending(JobId::generate(), AGENT, task, 1_700_000_000.0);
    record.launch =
        Launch { directory: Some(project(environment)), kind: JobKind::agent("claude"), ..Launch::default() };
    let mut order = LaunchSpec {
        launch: record.launch.clone(),
        argv: vec![
            environment.bin().join("claude").into(),
            "-p".into(),
            "--output-format=stream-json".into(),
            "--verbose".into(),
        ],
        environment: Vec::new(),
        rules: AdmissionRules { exclusive: true, ..AdmissionRules::default() },
        parent_waits: None,
        max_concurrency: 2,
        config: environment.config().into(),
        usage_log: Some(environment.config().with_file_name("usage.jsonl").into()),
        umask: None,
        on_done: Vec::new(),
        output_limit_bytes: 1 << 30,
        on_done_limit_ms: 1,
    };
    change(&mut order);
    let job = store.create(&record).expect("a job");
    let folder = job.folder().expect("its folder");
    let order = folder.nameless(&serde_json::to_vec(&order).expect("JSON")).expect("room");
    let prompt = folder.nameless(task.as_bytes()).expect("room");
    let (ready, ready_write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let descriptors = [job.descriptor(), order.as_fd(), prompt.as_fd(), ready_write.as_fd()];
    let numbers = descriptors.map(|descriptor| descriptor.as_raw_fd().to_string());
    let id = record.id.to_string();
    let running = command.arg(ENTRY).arg(store.path()).arg(&id).args(numbers).inherit(&descriptors).spawn();
    drop((job, order, prompt, ready_write));
    let output = running.wait();
    let mut word = String::new();
    File::from(ready).read_to_string(&mut word).expect("a pipe");
    (output, word)
}
