//! The command that `--on-done` names, run when the job has finished.
//!
//! It is run by the job's supervisor when the outcome has been recorded and everybody who waits for it has been told,
//! so at most once, whatever the outcome is. Only a supervisor that dies before runs it not at all: the process that finds the
//! lost job later knows the command from the record alone, and what lies in a file is never executed.
//!
//! It runs as the agent did, in its directory (in `/` when that is gone) and with its environment, and what it dispatches is dispatched by the
//! job: the limits on chains of dispatches hold for it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::job::{self, JobResources, complain};
use super::place;
use super::watch::OutputGauge;
use crate::os::{self, Exit, ProcessTree};
use crate::store::{Record, Store};

/// Runs the command, if there is one, and ends what it leaves running. Its failure is a line in the job's stderr.log.
pub(super) fn run(store: &Store, record: &Record, resources: &mut JobResources<'_>) {
    if let Err(error) = run_or_say_why_not(store, record, resources) {
        complain(&format!("--on-done: {error}"));
    }
}

fn run_or_say_why_not(
    store: &Store,
    record: &Record,
    resources: &mut JobResources<'_>,
) -> Result<(), String> {
    let spec = resources.spec;
    let [program, arguments @ ..] = spec.on_done.as_slice() else { return Ok(()) };
    let failed = |error: &dyn std::fmt::Display| format!("failed to run {}: {error}", program.display());
    let folder = resources.stop_sources.folder();
    let mut command = job::command(record, spec, program);
    // An agent may have moved or removed its own directory, a worktree say: the notification is due all the same.
    if record.launch.directory.as_ref().is_some_and(|directory| !directory.is_dir()) {
        complain("--on-done: the agent's directory is gone; the command runs in /");
        command.current_dir("/").env("PWD", "/");
    }
    // What a command like this one, after another job, was told may have led here.
    for name in FACTS.into_iter().chain(place::variables()) {
        command.env_remove(name);
    }
    let stdout = folder.append_to_stderr().map_err(|error| failed(&error))?;
    let stderr = folder.append_to_stderr().map_err(|error| failed(&error))?;
    let gauged = stderr.try_clone().map_err(|error| failed(&error))?;
    let mut gauge = OutputGauge::new(None, gauged, spec.output_limit_bytes);
    command.args(arguments).envs(facts(store, record)).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let started = Instant::now();
    let limit = Duration::from_millis(spec.on_done_limit_ms);
    let mut tree =
        ProcessTree::new(os::spawn_owned(command, spec.umask).map_err(|error| failed(&error))?.pid);
    let too_much = || format!("because it wrote more than {} MB", spec.output_limit_bytes / 1024 / 1024);
    let stopped = loop {
        tree.reap();
        if tree.exit().is_some() {
            break None;
        }
        let left = limit.saturating_sub(started.elapsed());
        // A request to cancel the job may still lie there, and it came too late to mean this.
        if left.is_zero() {
            break Some(format!("after {} s", limit.as_secs_f64()));
        }
        if gauge.is_over() {
            break Some(too_much());
        }
        resources.stop_sources.wait(None, left.min(gauge.pause()));
    };
    job::sweep(&mut tree, record);
    // It may have written any amount since it was looked at.
    let stopped = stopped.or_else(|| gauge.is_over().then(too_much));
    gauge.cut();
    if let Some(why) = stopped {
        return Err(format!("{} was ended {why}", program.display()));
    }
    match tree.exit() {
        Some(Exit::Code(0)) => Ok(()),
        Some(Exit::Code(code)) => Err(format!("{} ended with code {code}", program.display())),
        Some(Exit::Signal(signal)) => Err(format!("{} was ended by signal {signal}", program.display())),
        None => Err(format!("{} ended, and its exit status is unknown", program.display())),
    }
}

/// The variables of [`facts`].
const FACTS: [&str; 8] = [
    "AGENT_DISPATCH_JOB_ID",
    "AGENT_DISPATCH_AGENT",
    "AGENT_DISPATCH_STATUS",
    "AGENT_DISPATCH_RECORD",
    "AGENT_DISPATCH_OUTCOME",
    "AGENT_DISPATCH_ERROR_TYPE",
    "AGENT_DISPATCH_COST_USD",
    "AGENT_DISPATCH_DURATION_MS",
];

/// What the command is told. What there is not, it is not told.
fn facts(store: &Store, record: &Record) -> impl Iterator<Item = (&'static str, String)> {
    let result = record.conclusion();
    let values = [
        Some(record.id.to_string()),
        Some(record.agent.clone()),
        Some(record.status().name().to_owned()),
        Some(store.record_path(record.id).display().to_string()),
        result.outcome.map(|outcome| outcome.name().to_owned()),
        result.error_type.map(|kind| kind.name().to_owned()),
        result.cost_usd.map(|cost| cost.to_string()),
        result.duration_ms.map(|millis| millis.to_string()),
    ];
    FACTS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
}
