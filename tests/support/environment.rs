//! A home, a configuration, projects and a `PATH` of their own for each test.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::dispositions::default_signals;
use super::messages_api::MessagesApi;
use super::{Invocation, leak, programs};

/// Everything one test touches lies in one temporary directory, and no process may outlive the test.
pub struct TestEnvironment {
    root: TempDir,
    variables: BTreeMap<OsString, OsString>,
    leak_grace: Duration,
}

/// How long processes may take to be gone at the end of a test.
const LEAK_GRACE: Duration = Duration::from_secs(2);

impl TestEnvironment {
    /// An environment whose `claude` is the fake agent, with no agent configured yet.
    pub fn new() -> Self {
        Self::with_claude(&programs::fake_agent())
    }

    /// An environment with this program as `claude`.
    pub fn with_claude(program: &Path) -> Self {
        let environment = Self::without_claude();
        environment.link("claude", program);
        environment
    }

    /// An environment where `claude` is not installed.
    pub fn without_claude() -> Self {
        // No symbolic link in any path, so that paths compare equal however they are read.
        let parent = std::env::temp_dir().canonicalize().expect("the temporary directory");
        let root = tempfile::Builder::new().prefix("agent-dispatch-test-").tempdir_in(parent);
        let mut environment = Self {
            root: root.expect("a temporary directory"),
            variables: BTreeMap::new(),
            leak_grace: LEAK_GRACE,
        };
        let root = environment.root().to_owned();
        for directory in ["home", "home/.config", "home/.config/agent-dispatch", "bin", "projects", "tmp"] {
            fs::DirBuilder::new().mode(0o700).create(root.join(directory)).expect("a directory of the test");
        }
        let mut path = root.join("bin").into_os_string();
        path.push(":/usr/bin:/bin");
        for (name, value) in [
            ("HOME", root.join("home").as_os_str()),
            ("PATH", &path),
            ("TMPDIR", root.join("tmp").as_os_str()),
            ("LANG", OsStr::new("C.UTF-8")),
            // What the leak check finds descendants by; the other paths serve as well.
            ("AGENT_DISPATCH_TEST", root.as_os_str()),
        ] {
            environment.variables.insert(name.into(), value.into());
        }
        environment
    }

    /// The directory everything lies in.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The home directory.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The first directory of `PATH`.
    pub fn bin(&self) -> PathBuf {
        self.root().join("bin")
    }

    /// `agents.yaml`.
    pub fn config(&self) -> PathBuf {
        self.home().join(".config/agent-dispatch/agents.yaml")
    }

    /// Where the records are.
    pub fn jobs_directory(&self) -> PathBuf {
        self.home().join(".config/agent-dispatch/jobs")
    }

    /// Puts a program into the first directory of `PATH`.
    pub fn link(&self, name: &str, program: &Path) -> &Self {
        symlink(program, self.bin().join(name)).expect("a link in bin");
        self
    }

    /// Puts a script into the first directory of `PATH`.
    pub fn executable(&self, name: &str, script: &str) -> &Self {
        use std::io::Write;
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o755).open(self.bin().join(name));
        file.and_then(|mut file| file.write_all(script.as_bytes())).expect("a script in bin");
        self
    }

    /// Sets a variable for every command of this environment.
    pub fn variable(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.variables.insert(name.into(), value.as_ref().into());
        self
    }

    /// Sets how long processes may take to be gone (2 s unless set).
    pub fn leak_grace(&mut self, grace: Duration) -> &mut Self {
        self.leak_grace = grace;
        self
    }

    /// Lets every claude of this environment talk to this API, and to nothing else.
    pub fn messages_api(&mut self, api: &MessagesApi) -> &mut Self {
        self.variable("ANTHROPIC_BASE_URL", api.url()).variable("ANTHROPIC_API_KEY", "sk-fake");
        for quiet in [
            "DISABLE_TELEMETRY",
            "DISABLE_ERROR_REPORTING",
            "DISABLE_AUTOUPDATER",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        ] {
            self.variable(quiet, "1");
        }
        self
    }

    /// Creates a project and registers the agent that lives there, under the same name.
    pub fn project(&self, name: &str) -> PathBuf {
        self.project_with(name, "")
    }

    /// The same with more lines of YAML for the agent: `"timeout: 5\nmodel: opus"`.
    pub fn project_with(&self, name: &str, yaml: &str) -> PathBuf {
        let directory = self.root().join("projects").join(name);
        fs::create_dir_all(&directory).expect("a project directory");
        let mut entry = format!(
            "  {name}:\n    directory: {}\n    description: the {name} project\n",
            directory.display()
        );
        for line in yaml.lines() {
            entry.push_str(&format!("    {line}\n"));
        }
        let mut config = fs::read_to_string(self.config()).unwrap_or_else(|_| "agents:\n".to_owned());
        // Agents stay together at the head, so that `configure` may have added other sections.
        let at = config.find("agents:\n").map_or(0, |at| at + "agents:\n".len());
        config.insert_str(at, &entry);
        self.write_config(&config);
        directory
    }

    /// Appends sections to the configuration: `"settings:\n  max_parallel: 1\n"`.
    pub fn configure(&self, yaml: &str) -> &Self {
        let config = fs::read_to_string(self.config()).unwrap_or_else(|_| "agents:\n".to_owned());
        self.write_config(&format!("{config}{yaml}"));
        self
    }

    /// Replaces the configuration.
    pub fn write_config(&self, yaml: &str) {
        use std::io::Write;
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(self.config());
        file.and_then(|mut file| file.write_all(yaml.as_bytes())).expect("the configuration");
    }

    /// Scripts what the fake agent does whenever it runs in this project.
    pub fn script(&self, name: &str, directives: &str) -> &Self {
        let file = self.root().join("projects").join(name).join(".fake-agent");
        fs::write(file, directives).expect("a script for the fake agent");
        self
    }

    /// `agent-dispatch` with these arguments.
    pub fn command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Invocation {
        self.program(programs::agent_dispatch(), arguments)
    }

    /// The fake agent itself with these arguments.
    pub fn fake_agent<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Invocation {
        self.program(&programs::fake_agent(), arguments)
    }

    /// Any program, in this environment and no other.
    pub fn program<I: IntoIterator<Item: AsRef<OsStr>>>(&self, program: &Path, arguments: I) -> Invocation {
        default_signals();
        let mut command = std::process::Command::new(program);
        command.args(arguments).env_clear().envs(&self.variables).current_dir(self.root());
        Invocation::new(command, self.root())
    }

    /// The ids of all recorded jobs, the oldest first.
    pub fn job_ids(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.jobs_directory()) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<String> = names
            .filter(|name| !name.starts_with("."))
            .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
            .collect();
        ids.sort();
        ids
    }

    /// A job's record.
    #[track_caller]
    pub fn record(&self, id: &str) -> Value {
        let path = self.jobs_directory().join(format!("{id}.json"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Sends a signal to the supervisor of a job, which the job's lock names.
    #[track_caller]
    pub fn signal_supervisor(&self, id: &str, signal: i32) {
        let lock = self.jobs_directory().join(".run").join(format!("{id}.lock"));
        let pid = fs::read_to_string(&lock).unwrap_or_else(|error| panic!("{}: {error}", lock.display()));
        leak::signal(pid.lines().next().unwrap_or_default().trim().parse().expect("a pid"), signal);
    }

    /// Kills the supervisor of a job.
    #[track_caller]
    pub fn kill_supervisor(&self, id: &str) {
        self.signal_supervisor(id, libc::SIGKILL);
    }

    /// The record of the only job there is.
    #[track_caller]
    pub fn only_record(&self) -> Value {
        let ids = self.job_ids();
        assert_eq!(ids.len(), 1, "exactly one job is expected, there are {ids:?}");
        self.record(&ids[0])
    }

    /// Every process that belongs to this test, as `pid: command line`.
    pub fn processes(&self) -> Vec<String> {
        leak::processes(self.root()).iter().map(ToString::to_string).collect()
    }

    /// Panics unless every process this test started is gone within the grace.
    #[track_caller]
    pub fn assert_nothing_running(&self) {
        let left = leak::wait_for_none(self.root(), self.leak_grace);
        assert!(left.is_empty(), "still running:\n{}", leak::describe(&left));
    }

    /// The same with these processes let alone.
    #[track_caller]
    pub fn assert_nothing_running_but(&self, pids: &[i32]) {
        let others = || -> Vec<String> {
            let running = self.processes().into_iter();
            running.filter(|line| !pids.iter().any(|pid| line.starts_with(&format!("{pid}: ")))).collect()
        };
        let end = std::time::Instant::now() + self.leak_grace;
        while !others().is_empty() && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(others(), [""; 0], "still running");
    }

    /// Panics when a writer left its temporary file in the jobs directory.
    #[track_caller]
    pub fn assert_no_temporary_files(&self) {
        let Ok(entries) = fs::read_dir(self.jobs_directory()) else { return };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let left: Vec<String> = names.filter(|name| name.starts_with(".tmp-")).collect();
        assert!(left.is_empty(), "temporary files were left in the jobs directory: {left:?}");
    }
}

impl TestEnvironment {
    /// Removes the private places of jobs that no process has recovered: they lie outside of the test's own directory.
    fn remove_tickets(&self) {
        for id in self.job_ids() {
            let _ = fs::remove_dir_all(Path::new("/tmp").join(format!("agent-dispatch-{id}")));
        }
    }
}

impl Drop for TestEnvironment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            leak::kill_all(self.root());
            self.remove_tickets();
            return;
        }
        let left = leak::wait_for_none(self.root(), self.leak_grace);
        let told = leak::describe(&left);
        leak::kill_all(self.root());
        self.remove_tickets();
        assert!(left.is_empty(), "the test left processes running:\n{told}");
        self.assert_no_temporary_files();
    }
}
