//! Running a program for what it says about itself, within a time limit.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::DoomedGroup;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Why a program did not say anything about itself.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
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

/// A program that is asked, in a process group of its own. When it has finished, whatever it has left in the group ends with it; so does all
/// of the group when a signal ends this process, which the terminal sends to its own group only.
#[derive(Debug)]
pub struct Probe {
    /// Its process, with the pipes that were not taken.
    pub child: Child,
    /// Until it has finished.
    group: Option<DoomedGroup>,
}

impl Probe {
    /// Starts it; its outputs are pipes.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let (child, group) = DoomedGroup::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        Ok(Self { group: Some(group), child })
    }

    /// Waits for its end until `end`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn wait(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
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

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// How much of an output is kept, in bytes.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// Reads something to its end on a thread of its own, which a pipe that stays open cannot hold up. Only the beginning of
/// a long output is kept; its writer is not held up.
pub fn read_all(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
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
///
/// # Errors
///
/// Why it does not say anything.
pub fn ask(program: &Path, arguments: &[&str], limit: Duration) -> Result<String, ProbeError> {
    let end = Instant::now() + limit;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut probed = Probe::start(command)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "/bin/sh";

    fn shell(script: &str, limit: Duration) -> Result<String, ProbeError> {
        ask(Path::new(SHELL), &["-c", script], limit)
    }

    #[test]
    fn a_program_that_answers_is_heard_and_one_that_fails_is_quoted() {
        let patient = Duration::from_secs(30);
        assert_eq!(shell("echo 1.2.3", patient).unwrap(), "1.2.3\n");
        let error = shell("echo first >&2; echo no such thing >&2; exit 3", patient).unwrap_err();
        assert!(error.to_string().ends_with("exit status: 3: no such thing"), "{error}");
        assert!(matches!(ask(Path::new("/missing"), &[], patient), Err(ProbeError::Io(_))));
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_what_it_started() {
        let start = Instant::now();
        let error = shell("sleep 60 & wait", Duration::from_millis(200)).unwrap_err();
        assert!(matches!(error, ProbeError::Silent(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
