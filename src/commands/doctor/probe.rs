//! Running a program for what it says about itself, within a time limit.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};

use crate::os::DoomedGroup;

/// Why a program did not say anything about itself.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands) enum ProbeError {
    /// It could not be started, or not be talked to.
    #[error("it cannot be started: {0}")]
    Io(#[from] io::Error),
    /// It took too long, and was killed.
    #[error("it did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// It failed.
    #[error("it ended with {status}{}", last_line(.said))]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error, or else to standard output.
        said: String,
    },
    /// It answered something else.
    #[error("it answered something else: {0}")]
    Garbled(String),
}

fn last_line(said: &str) -> String {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map(|line| format!(": {}", line.chars().take(200).collect::<String>())).unwrap_or_default()
}

/// A program in a process group of its own. When it is over, whatever it has left in the group ends with it; so does all
/// of the group when a signal ends this process, which the terminal sends to its own group only.
struct Probed {
    child: Child,
    /// Until it is over.
    group: Option<DoomedGroup>,
}

impl Probed {
    fn start(mut command: Command) -> io::Result<Self> {
        let (child, group) = DoomedGroup::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        Ok(Self { group: Some(group), child })
    }

    /// Waits for its end until `end`.
    fn wait(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        let pid = WaitId::Pid(Pid::from_child(&self.child));
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(pid.clone(), look)?.is_none() {
            if Instant::now() >= end {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.finish().map(Some)
    }

    /// Kills the group and reaps its leader. As long as that is not reaped, the group's number is not reused.
    fn finish(&mut self) -> io::Result<ExitStatus> {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            drop(group);
        }
        self.child.wait()
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// How much of an output is kept, in bytes.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// Reads something to its end on a thread of its own, which a pipe that stays open cannot hold up. Only the beginning of
/// a long output is kept; its writer is not held up.
fn read_all(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        sender.send(bytes)
    });
    receiver
}

/// What `program` writes to standard output when it is run with these arguments.
pub(in crate::commands) fn output(
    program: &Path,
    arguments: &[&str],
    limit: Duration,
) -> Result<String, ProbeError> {
    let end = Instant::now() + limit;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut probed = Probed::start(command)?;
    let (Some(stdout), Some(stderr)) = (probed.child.stdout.take(), probed.child.stderr.take()) else {
        return Err(io::Error::other("it has no output").into());
    };
    let (stdout, stderr) = (read_all(stdout), read_all(stderr));
    let text = |pipe: Receiver<Vec<u8>>| {
        let bytes = pipe.recv_timeout(end.saturating_duration_since(Instant::now()));
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let (Ok(stdout), Ok(stderr)) = (text(stdout), text(stderr)) else {
        return Err(ProbeError::Silent(limit));
    };
    match probed.wait(end)? {
        None => Err(ProbeError::Silent(limit)),
        Some(status) if status.success() => Ok(stdout),
        Some(status) => {
            let said = [stderr, stdout].map(|text| text.trim().to_owned());
            Err(ProbeError::Failed {
                status,
                said: said.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
            })
        }
    }
}

/// What an MCP server calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerInfo {
    pub(super) name: String,
    pub(super) version: String,
}

/// Starts an MCP server, lets it introduce itself and ends it.
pub(super) fn introduce(mut command: Command, limit: Duration) -> Result<ServerInfo, ProbeError> {
    let end = Instant::now() + limit;
    command.stdin(Stdio::piped());
    let mut probed = Probed::start(command)?;
    let pipes = (probed.child.stdin.take(), probed.child.stdout.take(), probed.child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("it has no standard streams").into());
    };
    let stderr = read_all(stderr);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
    });
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "agent-dispatch-doctor", "version": env!("CARGO_PKG_VERSION")},
    }});
    // One that has ended already says why in another way.
    let _ = writeln!(stdin, "{request}");
    loop {
        let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) else {
            // It is silent, or has closed its output: then it is about to end.
            let soon = end.min(Instant::now() + Duration::from_millis(500));
            return Err(match probed.wait(soon)? {
                None => ProbeError::Silent(limit),
                Some(status) => {
                    let stderr = stderr.recv_timeout(Duration::from_millis(100)).unwrap_or_default();
                    ProbeError::Failed { status, said: String::from_utf8_lossy(&stderr).into_owned() }
                }
            });
        };
        let Ok(answer) = serde_json::from_str::<Value>(&line) else {
            return Err(ProbeError::Garbled(line.chars().take(200).collect()));
        };
        // Notifications may come first.
        if answer["id"] != 1 {
            continue;
        }
        let info = &answer["result"]["serverInfo"];
        let (Some(name), Some(version)) = (info["name"].as_str(), info["version"].as_str()) else {
            return Err(ProbeError::Garbled(answer.to_string().chars().take(200).collect()));
        };
        let info = ServerInfo { name: name.to_owned(), version: version.to_owned() };
        drop(stdin);
        probed.wait(Instant::now() + Duration::from_secs(1))?;
        return Ok(info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "/bin/sh";

    fn shell(script: &str, limit: Duration) -> Result<String, ProbeError> {
        output(Path::new(SHELL), &["-c", script], limit)
    }

    #[test]
    fn a_program_that_answers_is_heard_and_one_that_fails_is_quoted() {
        let patient = Duration::from_secs(30);
        assert_eq!(shell("echo 1.2.3", patient).unwrap(), "1.2.3\n");
        let error = shell("echo first >&2; echo no such thing >&2; exit 3", patient).unwrap_err();
        assert!(error.to_string().ends_with("exit status: 3: no such thing"), "{error}");
        assert!(matches!(output(Path::new("/missing"), &[], patient), Err(ProbeError::Io(_))));
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_what_it_started() {
        let start = Instant::now();
        let error = shell("sleep 60 & wait", Duration::from_millis(200)).unwrap_err();
        assert!(matches!(error, ProbeError::Silent(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_server_introduces_itself_or_says_why_not() {
        let limit = Duration::from_secs(30);
        let serve = |script: &str| {
            let mut server = Command::new(SHELL);
            server.args(["-c", script]);
            introduce(server, limit)
        };
        let answer = r#"read r; echo '{"method": "x"}'; echo '{"id": 1, "result": {"serverInfo": {"name": "a", "version": "1"}}}'; read r"#;
        assert_eq!(serve(answer).unwrap(), ServerInfo { name: "a".into(), version: "1".into() });
        let error = serve("echo broken >&2; exit 1").unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
        assert!(matches!(serve("echo hello; read r"), Err(ProbeError::Garbled(_))));
    }
}
