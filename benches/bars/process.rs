//! One process, measured from its start to its end.

#![expect(unsafe_code, reason = "wait4 and kill have no safe form in the standard library")]

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process about to be measured.
pub(crate) struct Process {
    command: Command,
    input: String,
}

/// What a process took.
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// The most memory it had at once. A child begins with that of its parent, so the benchmark stays small.
    pub(crate) max_rss_mb: f64,
    pub(crate) output: String,
}

impl Process {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, input: String::new() }
    }

    pub(crate) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    pub(crate) fn directory(mut self, path: &std::path::Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Runs it and expects that it succeeds.
    #[expect(clippy::zombie_processes, reason = "`reap` waits for it")]
    pub(crate) fn measure(mut self) -> Usage {
        let start = Instant::now();
        let mut child = self.start(Stdio::piped());
        let mut output = String::new();
        let mut stdout = child.stdout.take().expect("a pipe was asked for");
        std::io::Read::read_to_string(&mut stdout, &mut output).expect("the output is text");
        let (status, max_rss_mb) = reap(&child);
        let wall = start.elapsed();
        assert_eq!(status, 0, "{:?} failed", self.command);
        Usage { wall, max_rss_mb, output }
    }

    /// The command itself, for who needs pipes of its own.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Starts it with its output thrown away.
    pub(crate) fn spawn(mut self) -> Child {
        self.start(Stdio::null())
    }

    fn start(&mut self, stdout: Stdio) -> Child {
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        self.command.stdin(stdin).stdout(stdout).stderr(Stdio::null());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(self.input.as_bytes()).expect("the input is read");
        }
        child
    }
}

/// Sends SIGTERM to a child.
pub(crate) fn terminate(child: &Child) {
    signal(child, libc::SIGTERM);
}

/// Sends SIGINT to a child.
pub(crate) fn interrupt(child: &Child) {
    signal(child, libc::SIGINT);
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: the child was not waited for, so its pid is still its own.
    let sent = unsafe { libc::kill(child.id().cast_signed(), signal) };
    assert_eq!(sent, 0, "the child is there");
}

/// Waits for a child; returns how it ended and the most memory it had, in MB.
pub(crate) fn reap(child: &Child) -> (i32, f64) {
    let pid = child.id();
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`, and both pointers are to live values.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let reaped = libc::wait4(pid.cast_signed(), &raw mut status, 0, &raw mut usage);
        assert_eq!(reaped, pid.cast_signed(), "the child was not waited for before");
        usage
    };
    let unit = if cfg!(target_os = "macos") { 1.0 } else { 1_024.0 };
    (status, usage.ru_maxrss as f64 * unit / 1e6)
}

/// The time a process has had on a processor so far.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    // Nanoseconds; the ticks in `stat` are too coarse for what is nearly idle. One file a thread.
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}
