//! An agent that is the real claude, and the API it talks to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use test_support::messages_api::{MessagesApi, Reply, Request};
use test_support::{Invocation, PATIENCE, TestEnvironment, programs, wait_until};

/// The agent's name.
pub(crate) const AGENT: &str = "worker";

/// A shell command for the agent's Bash tool that says it has begun and then runs until `go` exists.
pub(crate) const HELD: &str = "touch began; until [ -e go ]; do sleep 0.05; done; echo released";

pub(crate) struct Scene {
    // Dropped first: its leak check must not depend on the API being gone.
    pub(crate) environment: TestEnvironment,
    pub(crate) api: MessagesApi,
    pub(crate) project: PathBuf,
}

impl Scene {
    /// One agent, configured by these lines of YAML, and an API that gives these replies in order.
    pub(crate) fn new(yaml: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_api(&newest(), yaml, MessagesApi::replying(replies))
    }

    /// The same with this claude instead of the newest: for what depends on the version.
    pub(crate) fn with(claude: &Path, yaml: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_api(claude, yaml, MessagesApi::replying(replies))
    }

    /// The same with an API that asks this for each reply.
    pub(crate) fn scripted(yaml: &str, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_api(&newest(), yaml, MessagesApi::start(script))
    }

    /// The same with this claude instead of the newest.
    pub(crate) fn scripted_with(
        claude: &Path,
        yaml: &str,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with_api(claude, yaml, MessagesApi::start(script))
    }

    fn with_api(claude: &Path, yaml: &str, api: MessagesApi) -> Self {
        let mut environment = TestEnvironment::with_claude(claude);
        environment.messages_api(&api);
        let project = environment.project_with(AGENT, yaml);
        Self { environment, api, project }
    }

    /// `agent-dispatch run worker …`.
    pub(crate) fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Invocation {
        self.environment.command(["run", AGENT]).args(arguments)
    }

    /// Dispatches in the background; returns the job's id.
    #[track_caller]
    pub(crate) fn submit<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> String {
        let output = self.environment.command(["submit", AGENT]).args(arguments).run().expect_code(0);
        output.stdout.trim_end().to_owned()
    }

    /// `agent-dispatch status JOB --json`.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> Value {
        self.environment.command(["status", id, "--json"]).run().expect_code(0).json()
    }

    /// Waits until the agent's Bash tool has made this file in the project.
    #[track_caller]
    pub(crate) fn wait_for_file(&self, name: &str) {
        wait_until(PATIENCE, &format!("the agent makes {name}"), || self.project.join(name).exists());
    }

    /// Waits until the model was asked this often.
    #[track_caller]
    pub(crate) fn wait_for_turns(&self, count: usize) {
        wait_until(PATIENCE, &format!("turn {count}"), || self.api.turns().len() >= count);
    }

    /// What the model was told in its last turn, the system prompt included.
    #[track_caller]
    pub(crate) fn last_told(&self) -> String {
        let turns = self.api.turns();
        let turn = turns.last().expect("the model was asked");
        format!("{}\n{}", turn.system(), turn.conversation())
    }

    /// Sends SIGKILL to a process.
    #[track_caller]
    pub(crate) fn kill(&self, pid: i32) {
        rustix::process::kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("a process");
    }

    /// Sends SIGKILL to a process group.
    #[track_caller]
    pub(crate) fn kill_group(&self, pid: i32) {
        let group = Pid::from_raw(pid).expect("a pid");
        rustix::process::kill_process_group(group, Signal::KILL).expect("a group");
    }

    /// Runs something that must be quick.
    #[track_caller]
    pub(crate) fn within<T>(limit: Duration, run: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = run();
        let took = start.elapsed();
        assert!(took < limit, "it took {took:?}, {limit:?} are allowed");
        value
    }
}

fn newest() -> PathBuf {
    programs::claude().expect("in_namespace made sure of it")
}
