//! Processes as the `ps` command shows them, for Unix systems without `/proc`.
//!
//! It is slower (several milliseconds a look) and cannot tell two starts within one second apart.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

#[cfg(not(target_os = "linux"))]
use super::Program;
use super::{Description, Process};
use crate::os::find_program;

fn ps(arguments: &[&str]) -> Option<String> {
    let ps = find_program("ps", std::env::var_os("PATH").as_deref(), Path::new("/")).ok()?;
    let output = Command::new(ps)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const COLUMNS: &str = "pid=,ppid=,pgid=,stat=,lstart=";

pub(super) fn snapshot() -> Vec<Process> {
    ps(&["-A", "-o", COLUMNS]).unwrap_or_default().lines().filter_map(parse).collect()
}

#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux lists them itself"))]
pub(super) fn for_each(visit: impl FnMut(Pid)) {
    snapshot().into_iter().map(|process| process.pid).for_each(visit);
}

#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux tells them"))]
pub(super) fn for_each_newborn(patience: Duration, _: impl FnMut(Pid)) {
    std::thread::sleep(patience);
}

#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has a list of its own"))]
pub(super) fn children() -> Vec<Process> {
    let me = Some(rustix::process::getpid());
    snapshot().into_iter().filter(|process| process.parent == me).collect()
}

pub(super) fn look(pid: Pid) -> Option<Process> {
    ps(&["-o", COLUMNS, "-p", &pid.as_raw_nonzero().to_string()])?.lines().find_map(parse)
}

fn parse(line: &str) -> Option<Process> {
    let mut fields = line.split_ascii_whitespace();
    let pid = Pid::from_raw(fields.next()?.parse().ok()?)?;
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    let group = fields.next()?.parse().ok()?;
    let zombie = fields.next()?.starts_with('Z');
    // "Mon Nov 23 14:56:12 2026": only ever compared with itself, so a fold of its bytes will do.
    let started = fields
        .flat_map(str::bytes)
        .fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Some(Process { pid, parent, group, started, zombie })
}

pub(super) fn is_suspended(pid: Pid) -> bool {
    ps(&["-o", "stat=", "-p", &pid.as_raw_nonzero().to_string()])
        .is_some_and(|state| state.trim_start().starts_with(['T', 't']))
}

/// The times of `ps` name the day: they tell the runs of a system apart by themselves.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux gives each run a number"))]
pub(super) fn boot() -> String {
    "any".to_owned()
}

pub(super) fn arguments(pid: Pid) -> Vec<Vec<u8>> {
    ps(&["-ww", "-o", "args=", "-p", &pid.as_raw_nonzero().to_string()])
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|argument| argument.as_bytes().to_vec())
        .collect()
}

pub(super) fn has_variable(pid: Pid, assignment: &[u8]) -> bool {
    let assignment = String::from_utf8_lossy(assignment);
    // BSD syntax: `e` appends the environment to the command.
    ps(&["eww", "-o", "command=", "-p", &pid.as_raw_nonzero().to_string()])
        .is_some_and(|line| line.split_ascii_whitespace().any(|word| word == assignment))
}

/// Words are told apart by blanks only, so an argument with blanks in it counts as several.
pub(super) fn of_this_user(variable: &str) -> Vec<Description> {
    let prefix = format!("{variable}=");
    let user = rustix::process::geteuid().as_raw().to_string();
    // BSD syntax again: `e` appends the environment to the command.
    let listed = ps(&["eww", "-U", &user, "-o", "pid=,stat=,etime=,command="]).unwrap_or_default();
    let describe = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let pid = fields.next()?.parse().ok()?;
        if fields.next()?.starts_with('Z') {
            return None;
        }
        let age = elapsed(fields.next()?);
        let words: Vec<&str> = fields.collect();
        let value = words.iter().find_map(|word| word.strip_prefix(prefix.as_str()));
        Some(Description {
            pid,
            variable: value.map(str::to_owned),
            arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            program: None,
            age,
        })
    };
    listed.lines().filter_map(describe).collect()
}

/// The longest that a process is believed to have run, in days. `ps` rounds the start of one that has just begun into
/// the future, and writes what is then less than nothing as hundreds of millions of days.
const LONGEST_DAYS: u64 = 36_500;

/// The time since a start, as `ps` writes it: `[[days-]hours:]minutes:seconds`.
fn elapsed(text: &str) -> Option<Duration> {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = 0;
    for part in rest.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    match days.parse::<u64>().ok()? {
        days if days > LONGEST_DAYS => Some(Duration::ZERO),
        days => Some(Duration::from_secs(days * 86_400 + seconds)),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn program(_: Pid) -> Option<Program> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn in_short_lived_namespace() -> bool {
    false
}

#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has pidfds; the rest is tested there"))]
pub(super) fn signal(process: Process, signal: Signal, still: impl Fn(&Process) -> bool) -> bool {
    look(process.pid).is_some_and(|now| still(&now)) && kill_process(process.pid, signal).is_ok()
}
