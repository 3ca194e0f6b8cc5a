//! Finding every process of a test, whatever became of its parents and its environment: by the test's temporary
//! directory, and by the locks that the fake agent's leftovers hold.

#![expect(unsafe_code, reason = "kill(2) has no safe form in the standard library")]

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Something that still runs.
pub struct Leftover {
    /// What to signal: a process, or minus a group.
    target: i32,
    command_line: String,
}

impl fmt::Display for Leftover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.target, self.command_line)
    }
}

/// Every other process whose environment, arguments, working directory or program names the test's directory.
pub fn processes(root: &Path) -> Vec<Leftover> {
    let own = std::process::id().cast_signed();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let marker = root.as_os_str().as_encoded_bytes();
    let contains = |bytes: &[u8]| bytes.windows(marker.len()).any(|window| window == marker);
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| {
            let of = |name: &str| format!("/proc/{pid}/{name}");
            // All of these are empty for a zombie: it has gone, only nobody has waited for it.
            let arguments = fs::read(of("cmdline")).ok()?;
            let link = |name| {
                fs::read_link(of(name)).is_ok_and(|path| contains(path.as_os_str().as_encoded_bytes()))
            };
            let environment = || fs::read(of("environ")).is_ok_and(|environment| contains(&environment));
            if !(contains(&arguments) || environment() || link("cwd") || link("exe")) {
                return None;
            }
            let command_line = String::from_utf8_lossy(&arguments).replace('\0', " ").trim_end().to_owned();
            Some(Leftover { target: pid, command_line })
        })
        .collect()
}

/// The groups of those leftovers of the fake agent that hold their lock. A chain of processes that replace each
/// other within a millisecond escapes every scan, but not this.
fn locked(root: &Path) -> Vec<Leftover> {
    let entries = fs::read_dir(root.join("leftovers")).into_iter().flatten();
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let TryLockError::WouldBlock = File::open(&path).ok()?.try_lock().err()? else { return None };
            let group: i32 = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
            let kind = path.file_name()?.to_string_lossy().into_owned();
            Some(Leftover {
                target: -group,
                command_line: format!("the group of fake-agent leftover {kind}"),
            })
        })
        .collect()
}

fn everything(root: &Path) -> Vec<Leftover> {
    let mut all = processes(root);
    all.extend(locked(root));
    all
}

/// Waits until nothing of the test is left; returns what stays.
pub fn wait_for_none(root: &Path, grace: Duration) -> Vec<Leftover> {
    let end = Instant::now() + grace;
    loop {
        let left = everything(root);
        if left.is_empty() || Instant::now() >= end {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills every process of the test, until none is found.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: sends a signal; nothing of this process is touched.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "the process {pid} is there");
}

pub fn kill_all(root: &Path) {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let left = everything(root);
        if left.is_empty() || Instant::now() >= end {
            return;
        }
        for process in left {
            // SAFETY: the process was just seen to carry this test's own directory, the group to hold its lock.
            unsafe { libc::kill(process.target, libc::SIGKILL) };
        }
    }
}

/// One line a process.
pub fn describe(left: &[Leftover]) -> String {
    left.iter().map(|process| format!("  {process}\n")).collect()
}
