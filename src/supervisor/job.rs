//! The state machine of one job: pending, running, finished.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::admission::Granted;
use super::silence::Silence;
use super::stop_sources::{StopSources, TICK};
use super::strays::Strays;
use super::watch::{OutputGauge, StreamWatch, as_evidence, open_output};
use super::{DEPTH_VARIABLE, JOB_VARIABLE, LaunchSpec, ancestry, place};
use crate::backend::{Backends, Ending, Evidence, FarewellSignal, Program, Stop};
use crate::model::UnixSeconds;
use crate::os::{self, Exit, ProcessTree, Spawned, Sweep};
use crate::remedy::Commands;
use crate::store::{
    ErrorType, Finished, Halt, HeldJob, JobFolder, JobResult, Journal, Record, RecordedLimit, State,
    StoreError, Verdict,
};
use crate::text::redact;

/// How long processes are given to disappear after SIGKILL. Only one that is stuck in the kernel takes long.
const SWEEP_PATIENCE: Duration = Duration::from_secs(10);

/// How long the outcome is kept in hand when it cannot be written, a full disk being the usual reason.
const RECORD_PATIENCE: Duration = Duration::from_secs(20);

/// What a supervisor works with.
pub(super) struct JobResources<'a> {
    pub(super) spec: &'a LaunchSpec,
    /// What is run.
    pub(super) program: &'static dyn Program,
    pub(super) prompt: File,
    pub(super) stop_sources: StopSources,
}

/// How the agent's process came to its end.
struct Ended {
    /// `None` when its exit status is unknown.
    exit: Option<Exit>,
    stop: Option<Stop>,
    /// Whether there can be anything left of what it started.
    any_left: bool,
}

/// Takes a job whose turn it is, or will never be, from its record to its outcome.
pub(super) fn run(
    job: HeldJob<'_>,
    mut record: Record,
    resources: &mut JobResources<'_>,
    granted: Granted,
    clock: fn() -> UnixSeconds,
) -> Result<Record, StoreError> {
    let journal = resources.spec.journal();
    let refused = match granted {
        Granted::Yes(permit) => Ok(permit),
        Granted::Stopped(stop) => Err((ErrorType::Cancelled, stopped_before_start(stop).to_owned(), None)),
        Granted::Busy(reason, remedy) => Err((ErrorType::CliError, reason, Some(remedy))),
        Granted::Pointless(reason, remedy) => Err((ErrorType::Incomplete, reason, Some(remedy))),
        Granted::Failed(error) => Err((ErrorType::CliError, error.to_string(), None)),
    };
    // Held until the outcome is recorded.
    let _permit = match refused {
        Ok(permit) => permit,
        Err((kind, error, remedy)) => {
            let result = not_started(&record, kind, &error).with_remedy(remedy);
            return finish(job, record, result, &journal, clock);
        }
    };
    record.state = State::Running { started_at: clock() };
    if let Err(error) = job.save(&record) {
        record.state = State::Pending;
        let result = not_started(&record, ErrorType::CliError, &error.to_string());
        return finish(job, record, result, &journal, clock);
    }

    let started = Instant::now();
    let folder = resources.stop_sources.folder();
    let (agent, mut gauge) = match spawn(&record, resources, folder) {
        Ok(started) => started,
        Err(error) => {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ErrorType::NotFound,
                _ => ErrorType::CliError,
            };
            let program = resources.spec.argv.first().map_or(Path::new("nothing"), Path::new);
            // The system says the same of a script's interpreter, of the program and of the directory.
            let is_there = program.is_file() && record.launch.directory.as_deref().is_some_and(Path::is_dir);
            let error = match kind {
                ErrorType::NotFound if is_there => {
                    "the interpreter that its first line names is missing".into()
                }
                _ => error.to_string(),
            };
            let error = format!("failed to start {}: {error}", program.display());
            place::clear(folder, record.id);
            let result = not_started(&record, kind, &error);
            return finish(job, record, result, &journal, clock);
        }
    };
    // The agent has its own copy; this one would only keep the file's space in use.
    if let Ok(nothing) = File::open("/dev/null") {
        resources.prompt = nothing;
    }

    let program = resources.program;
    let watch = StreamWatch::start(program, folder);
    let mut tree = ProcessTree::new(agent.pid);
    let ended = attend(agent, &mut tree, started, &record, resources, &watch, &mut gauge);
    drop(watch);
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if ended.any_left || ended.stop.is_some() {
        sweep(&mut tree, &record);
    }
    // Now that nothing writes any more: one that ended by itself may have written any amount since it was looked at.
    let stop = ended.stop.or_else(|| {
        let limit_bytes = resources.spec.output_limit_bytes;
        gauge.is_over().then(|| note(Stop::OutputLimit { limit_bytes }, resources))
    });
    let folder = resources.stop_sources.folder();
    place::clear(folder, record.id);
    let output = open_output(folder, RECORD_PATIENCE);
    let evidence = Evidence {
        folder,
        stdout: as_evidence(&output),
        ending: ended.exit.map(|exit| match exit {
            Exit::Code(code) => Ending::Exited(code),
            Exit::Signal(signal) => Ending::Signalled(signal),
        }),
        stop,
        duration_ms: Some(duration_ms),
    };
    let result = program.conclude(&record, &evidence);
    gauge.cut();
    finish(job, record, result, &journal, clock)
}

/// Why a job that was to stop has no answer: its agent was not started.
pub(super) fn stopped_before_start(stop: Stop) -> &'static str {
    match stop {
        Stop::OwnerGone => "the process that waited for it ended before its turn came",
        _ => "it was cancelled before its agent was started",
    }
}

pub(super) fn not_started(record: &Record, kind: ErrorType, error: &str) -> JobResult {
    JobResult::failure(record.id, &record.agent, kind, error)
}

fn spawn(
    record: &Record,
    resources: &JobResources<'_>,
    folder: &JobFolder,
) -> std::io::Result<(Spawned, OutputGauge)> {
    let [program, arguments @ ..] = resources.spec.argv.as_slice() else {
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, "there is no program to start"));
    };
    let stdout = folder.append_to_stdout().map_err(std::io::Error::other)?;
    let stderr = folder.append_to_stderr().map_err(std::io::Error::other)?;
    let limit = resources.spec.output_limit_bytes;
    let gauge = OutputGauge::new(Some(stdout.try_clone()?), stderr.try_clone()?, limit);
    let mut command = command(record, resources.spec, program);
    let place = place::make(folder, record.id);
    for variable in place::variables() {
        match &place {
            Ok(place) => command.env(variable, place),
            // Nor that of another job.
            Err(_) => command.env_remove(variable),
        };
    }
    if let Err(error) = place {
        complain(&format!("the agent has no place of its own for its sockets: {error}"));
    }
    command.args(arguments).stdin(resources.prompt.try_clone()?).stdout(stdout).stderr(stderr);
    Ok((os::spawn_owned(command, resources.spec.umask)?, gauge))
}

/// A program to be started in the agent's directory and environment, marked as belonging to the job.
pub(super) fn command(record: &Record, spec: &LaunchSpec, program: &OsStr) -> Command {
    let mut command = Command::new(program);
    if let Some(directory) = &record.launch.directory {
        command.current_dir(directory).env("PWD", directory);
    }
    let backends = Backends::of_this_program();
    for (name, _) in std::env::vars_os().filter(|(name, _)| backends.strip(name)) {
        command.env_remove(name);
    }
    command
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .env(JOB_VARIABLE, record.id.to_string())
        .env(DEPTH_VARIABLE, record.launch.depth.unwrap_or(1).to_string());
    command
}

/// Watches over the agent until its process has ended, and ends it when there is a reason to.
fn attend(
    agent: Spawned,
    tree: &mut ProcessTree,
    started: Instant,
    record: &Record,
    resources: &mut JobResources<'_>,
    watch: &StreamWatch,
    gauge: &mut OutputGauge,
) -> Ended {
    let limit = record.launch.timeout_seconds.as_ref().and_then(RecordedLimit::seconds);
    let idle_limit = record.launch.idle_timeout_seconds.as_ref().and_then(RecordedLimit::seconds);
    let farewell = resources.program.farewell();
    let grace = farewell.grace;
    let mut strays = Strays::new(agent.pid, record.id, resources.stop_sources.notes());
    let (mut silence, mut written) = (Silence::new(started), gauge.stdout_bytes());
    let mut stopping: Option<(Stop, Instant)> = None;
    let mut killed = false;
    loop {
        let now = Instant::now();
        let next = match (&stopping, limit) {
            (Some((_, since)), _) if !killed => grace.saturating_sub(now - *since),
            (Some(_), _) | (None, None) => TICK,
            (None, Some(limit)) => limit.saturating_sub(now - started),
        };
        let planned = next.min(gauge.pause());
        let called = resources.stop_sources.wait(None, planned);

        let any_left = tree.reap();
        if tree.exit().is_some() || !any_left {
            let any_left = any_left || !tree.sees_every_descendant();
            return Ended { exit: tree.exit(), stop: stopping.map(|(stop, _)| stop), any_left };
        }
        if let Some((_, since)) = stopping {
            if !killed && (since.elapsed() >= grace || gauge.is_far_over()) {
                sweep(tree, record);
                killed = true;
            }
            continue;
        }
        strays.look(resources.stop_sources.notes());
        let heard = std::mem::replace(&mut written, gauge.stdout_bytes()) != written;
        let silent = silence.look(Instant::now(), planned, heard);
        let over = |limit: Option<Duration>, time: Duration| limit.filter(|limit| time >= *limit);
        let reason = if called.is_some() {
            called
        } else if let Some(limit) = over(limit, started.elapsed()) {
            Some(Stop::Timeout {
                limit_seconds: limit.as_secs_f64(),
                usual: usual_duration(resources.spec, record),
            })
        } else if let Some(limit) = over(idle_limit, silent) {
            Some(Stop::Idle { limit_seconds: limit.as_secs_f64() })
        } else if gauge.is_over() {
            Some(Stop::OutputLimit { limit_bytes: resources.spec.output_limit_bytes })
        } else {
            watch.hopeless().map(Stop::Unrecoverable)
        };
        if let Some(reason) = reason {
            let reason = note(reason, resources);
            agent.signal_group(match farewell.signal {
                FarewellSignal::Interrupt => Signal::INT,
                FarewellSignal::Terminate => Signal::TERM,
            });
            stopping = Some((reason, Instant::now()));
        }
    }
}

/// Notes a reason to stop, as far as it is not noted yet.
fn note(reason: Stop, resources: &JobResources<'_>) -> Stop {
    if let Some(halt) = halt(reason) {
        resources.stop_sources.notes().halt(halt);
    }
    reason
}

/// What of a reason to stop only this process knows: noted, it is told as the reason also when no record can be written.
/// What called the job off has been noted where it came in.
fn halt(stop: Stop) -> Option<Halt> {
    match stop {
        Stop::Timeout { .. } => Some(Halt::Timeout),
        Stop::Idle { .. } => Some(Halt::Silence),
        Stop::OutputLimit { limit_bytes } => Some(Halt::OutputLimit { bytes: limit_bytes }),
        // Seen in the output again.
        Stop::Unrecoverable(_) => None,
        Stop::Cancelled | Stop::OwnerGone | Stop::SupervisorStopped | Stop::Lost => None,
    }
}

/// What nine of ten successful runs of the agent take, as far as that is known.
fn usual_duration(spec: &LaunchSpec, record: &Record) -> Option<Duration> {
    let usual = spec.journal()?.usual(&record.agent)?;
    Some(Duration::from_millis(usual.p90_ms))
}

/// Ends whatever the agent has started and left, except other jobs: they have supervisors of their own.
pub(super) fn sweep(tree: &mut ProcessTree, record: &Record) {
    let left = tree.kill(SWEEP_PATIENCE, ancestry::is_supervisor);
    let marked =
        os::kill_marked(JOB_VARIABLE, &record.id.to_string(), SWEEP_PATIENCE, ancestry::is_supervisor);
    for sweep in [left, marked] {
        if let Sweep::Left { alive } = sweep {
            let processes = if alive == 1 { "process" } else { "processes" };
            complain(&format!(
                "{alive} {processes} of the agent cannot be killed; see `ps -eo pid,stat,args`"
            ));
        }
    }
}

/// Records the outcome, exactly once, and returns the record.
///
/// The agent's own output stays in the job's folder, so even when the record cannot be written the answer is
/// not lost: the next process that looks at the job finds it there.
fn finish(
    mut job: HeldJob<'_>,
    mut record: Record,
    result: JobResult,
    journal: &Option<Journal>,
    clock: fn() -> UnixSeconds,
) -> Result<Record, StoreError> {
    conclude_record(&mut record, result, clock());
    let deadline = Instant::now() + RECORD_PATIENCE;
    let mut pause = Duration::from_millis(50);
    loop {
        match job.finish(&record, journal.as_ref()) {
            Ok(()) => return Ok(record),
            Err((held, error)) if Instant::now() < deadline => {
                complain(&format!("{error}; trying again"));
                job = held;
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err((_, error)) => return Err(error),
        }
    }
}

/// Puts the outcome into the record, in memory. What would help stands there in words too: versions of this program that
/// do not know the remedy, and other programs, read only these.
pub(super) fn conclude_record(record: &mut Record, mut result: JobResult, completed_at: UnixSeconds) {
    result.hint = result.advice(|remedy| Commands::default().tell(remedy));
    record.state = State::Finished(Box::new(Finished {
        started_at: record.started_at(),
        completed_at,
        verdict: match result.error_type {
            _ if result.success => Verdict::Done,
            Some(ErrorType::Cancelled) => Verdict::Cancelled,
            _ => Verdict::Failed,
        },
        error: result.error.clone(),
        result: Some(result),
    }));
}

/// Leaves a line in the job's stderr.log, which is this process's standard error.
pub(super) fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "agent-dispatch: supervisor: {}", redact(message));
}
