//! One run of a program: its input, its output, and a deadline on everything.

#![expect(
    unsafe_code,
    reason = "kill(2) and code between fork and exec have no safe form in the standard library"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{PATIENCE, leak, wait_until};

/// A program about to be run. Its standard input is empty unless something else is said.
pub struct Invocation {
    command: Command,
    root: PathBuf,
    input: Input,
    deadline: Duration,
}

enum Input {
    Nothing,
    Bytes(Vec<u8>),
    File(PathBuf),
    Open,
}

impl Invocation {
    pub(crate) fn new(command: Command, root: &Path) -> Self {
        Self { command, root: root.to_owned(), input: Input::Nothing, deadline: PATIENCE }
    }

    /// Writes this to standard input and closes it.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Makes this file standard input.
    pub fn stdin_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.input = Input::File(path.into());
        self
    }

    /// Leaves standard input open: [`Running::write`] and [`Running::close_stdin`] serve it.
    pub fn stdin_open(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, arguments: I) -> Self {
        self.command.args(arguments);
        self
    }

    /// Hands these descriptors on, under the numbers they have here.
    pub fn inherit(mut self, descriptors: &[BorrowedFd<'_>]) -> Self {
        let numbers: Vec<i32> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        // SAFETY: only async-signal-safe calls, no allocation.
        unsafe {
            self.command.pre_exec(move || {
                for &number in &numbers {
                    libc::fcntl(number, libc::F_SETFD, 0);
                }
                Ok(())
            });
        }
        self
    }

    /// Starts it with this signal ignored, as a parent may leave it over exec.
    pub fn ignoring(mut self, signal: i32) -> Self {
        // SAFETY: only an async-signal-safe call, no allocation.
        unsafe {
            self.command.pre_exec(move || {
                libc::signal(signal, libc::SIG_IGN);
                Ok(())
            });
        }
        self
    }

    /// Starts it with these signals blocked, as a parent may leave them over exec.
    pub fn blocking(mut self, signals: &'static [i32]) -> Self {
        // SAFETY: only async-signal-safe calls on a set of this frame, no allocation.
        unsafe {
            self.command.pre_exec(move || {
                let mut set: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut set);
                for &signal in signals {
                    libc::sigaddset(&raw mut set, signal);
                }
                libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
                Ok(())
            });
        }
        self
    }

    /// Lets the modes of files hold for the program, also where the tests run as root, who may read everything.
    pub fn bound_by_modes(mut self) -> Self {
        #[cfg(target_os = "linux")]
        {
            const CAP_DAC_OVERRIDE: libc::c_ulong = 1;
            const CAP_DAC_READ_SEARCH: libc::c_ulong = 2;
            // SAFETY: only async-signal-safe calls, no allocation. Who is not root has nothing to lose, and is refused.
            unsafe {
                self.command.pre_exec(|| {
                    for capability in [CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH] {
                        libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
                    }
                    Ok(())
                });
            }
        }
        self
    }

    /// Runs in this directory instead of the environment's root.
    pub fn directory(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Panics when the run takes longer than this (60 s unless set).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The command itself, for who needs pipes of its own.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs to the end.
    #[track_caller]
    pub fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Starts it.
    #[track_caller]
    pub fn spawn(mut self) -> Running {
        let shown = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let stdin = match &self.input {
            Input::Nothing => Stdio::null(),
            Input::File(path) => {
                File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
            }
            Input::Bytes(_) | Input::Open => Stdio::piped(),
        };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let mut stdin = child.stdin.take();
        if let Input::Bytes(bytes) = self.input {
            let mut stdin = stdin.take().expect("a pipe was asked for");
            // A program that does not read its input closes the pipe: that is its right.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        let stdout = Captured::start(child.stdout.take().expect("a pipe was asked for"));
        let stderr = Captured::start(child.stderr.take().expect("a pipe was asked for"));
        Running { child, stdin, stdout, stderr, shown, root: self.root, end: Instant::now() + self.deadline }
    }
}

/// A program that runs. It is killed when this is dropped.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Captured,
    stderr: Captured,
    shown: String,
    root: PathBuf,
    end: Instant,
}

impl Running {
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Sends a signal (`libc::SIGINT`) to this one process.
    pub fn signal(&self, signal: i32) -> &Self {
        // SAFETY: the child was not waited for, so its pid is still its own.
        unsafe { libc::kill(self.pid(), signal) };
        self
    }

    /// Writes to standard input, which `stdin_open` left open.
    #[track_caller]
    pub fn write(&mut self, text: &str) -> &mut Self {
        let stdin = self.stdin.as_mut().expect("stdin_open was not asked for, or stdin is closed");
        stdin.write_all(text.as_bytes()).expect("the program reads its standard input");
        self
    }

    pub fn close_stdin(&mut self) -> &mut Self {
        self.stdin = None;
        self
    }

    /// What it wrote so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until standard output contains this.
    #[track_caller]
    pub fn wait_for_stdout(&self, text: &str) -> &Self {
        let what = format!("{} writes {text:?} to stdout", self.shown);
        wait_until(PATIENCE, &what, || self.stdout().contains(text));
        self
    }

    /// Waits until standard error contains this.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) -> &Self {
        let what = format!("{} writes {text:?} to stderr", self.shown);
        wait_until(PATIENCE, &what, || self.stderr().contains(text));
        self
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child of this process").is_none()
    }

    /// Waits for its end, and for the end of everything that holds its output.
    #[track_caller]
    pub fn wait(mut self) -> Output {
        self.stdin = None;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child of this process") {
                break status;
            }
            if Instant::now() >= self.end {
                self.fail("did not end in time");
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        while !(self.stdout.is_complete() && self.stderr.is_complete()) {
            if Instant::now() >= self.end {
                self.fail("ended, but something it started still holds its output");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Output {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout(),
            stderr: self.stderr(),
            shown: self.shown.clone(),
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let left = leak::describe(&leak::processes(&self.root));
        panic!(
            "{} {what}\nstdout: {}\nstderr: {}\nrunning:\n{left}",
            self.shown,
            self.stdout(),
            self.stderr()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    shown: String,
}

impl Output {
    /// Panics with all output unless the exit code is this one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "{}: exit code {code} expected, not {:?} (signal {:?})\nstdout: {}\nstderr: {}",
            self.shown,
            self.code,
            self.signal,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{}: no JSON: {error}\nstdout: {}\nstderr: {}", self.shown, self.stdout, self.stderr)
        })
    }

    /// Standard output as one JSON document a line; lines that are none are left out.
    pub fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(Value::is_object)
            .collect()
    }

    /// The last `result` event of a stream.
    #[track_caller]
    pub fn last_result(&self) -> Value {
        let last = self.events().into_iter().rfind(|event| event["type"] == "result");
        last.unwrap_or_else(|| {
            panic!("{}: no result event\nstdout: {}\nstderr: {}", self.shown, self.stdout, self.stderr)
        })
    }
}

/// What a pipe delivered so far.
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Captured {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 65536];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}
