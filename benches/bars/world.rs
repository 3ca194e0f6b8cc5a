//! A home of its own for each measurement, with the fake agent as `claude`.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::process::Process;

/// The directory everything of one measurement lies in.
pub(crate) struct World {
    root: PathBuf,
}

/// The directories of all measurements. They stay until the last one is made: an ext4 without a journal does not use the
/// inodes of deleted files again for a minute, and takes its time to find others.
static ROOTS: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

/// Deletes what the measurements have left when it is dropped, also when one of them fails.
pub(crate) struct End;

impl Drop for End {
    fn drop(&mut self) {
        ROOTS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The fake agent of this build.
pub(crate) fn agent() -> Result<PathBuf, String> {
    let tool = Path::new(env!("CARGO_BIN_EXE_agent-dispatch"));
    let agent = tool.with_file_name("examples").join("fake-agent");
    if agent.exists() {
        Ok(agent)
    } else {
        Err(format!("{} is missing: run `cargo build --profile dist --example fake-agent`", agent.display()))
    }
}

impl World {
    /// With the agent `infra`, which is claude, and the agent `stamp`, which answers with the time in nanoseconds
    /// at which it ends.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("agent-dispatch-bench-").tempdir().expect("a directory");
        let world = Self { root: root.path().to_owned() };
        ROOTS.lock().expect("nobody panicked").push(root);
        for directory in ["bin", "infra", "config", "config/jobs"] {
            let path = world.path(directory);
            fs::DirBuilder::new().mode(0o700).create(path).expect("a directory");
        }
        symlink(agent().expect("it was looked for at the start"), world.path("bin/claude")).expect("a link");
        world.configure("");
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn jobs(&self) -> PathBuf {
        self.path("config/jobs")
    }

    /// Writes the config, with these lines of YAML after the agents.
    pub(crate) fn configure(&self, more: &str) {
        let directory = self.path("infra");
        let directory = directory.display();
        let stamp = "[sh, -c, 'cat >&2; sleep 0.3; exec date +%s%N']";
        let config = format!(
            "agents:\n  infra:\n    directory: {directory}\n  stamp:\n    directory: {directory}\n    \
             backend: command\n    command: {stamp}\n{more}"
        );
        fs::write(self.path("config/agents.yaml"), config).expect("the config");
    }

    /// Writes a config with so many agents, each with a directory and what people write about one.
    pub(crate) fn configure_agents(&self, count: usize) {
        let mut config = "agents:\n".to_owned();
        for number in 0..count {
            let directory = self.path(&format!("infra/project-{number}"));
            fs::create_dir(&directory).expect("a directory");
            let directory = directory.display();
            writeln!(
                config,
                "  agent-{number}:\n    directory: {directory}\n    description: The project number {number}, in one \
                 line\n    timeout: 600\n    max_budget_usd: 2.5\n    allowed_tools: [Read, Grep, 'Bash(git log:*)']"
            )
            .expect("a text takes any text");
        }
        fs::write(self.path("config/agents.yaml"), config).expect("the config");
    }

    /// The tool with these arguments.
    pub(crate) fn tool<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Process {
        self.program(env!("CARGO_BIN_EXE_agent-dispatch").as_ref(), arguments)
    }

    /// Any program with these arguments.
    pub(crate) fn program<I: IntoIterator<Item: AsRef<OsStr>>>(
        &self,
        program: &Path,
        arguments: I,
    ) -> Process {
        let mut path = self.path("bin").into_os_string();
        path.push(":/usr/bin:/bin");
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", path).env("HOME", &self.root);
        command.env("AGENT_DISPATCH_CONFIG", self.path("config/agents.yaml"));
        Process::new(command).directory(&self.path("infra"))
    }

    /// Submits a task and returns the job's id.
    pub(crate) fn submit(&self, agent: &str, task: &str) -> String {
        self.tool(["submit", agent, task]).measure().output.trim().to_owned()
    }

    /// Waits until these jobs have finished, successful or not.
    pub(crate) fn wait(&self, ids: &[String]) {
        let mut waiting = self.tool(["wait"].into_iter().chain(ids.iter().map(String::as_str))).spawn();
        waiting.wait().expect("a child of this process");
    }
}
