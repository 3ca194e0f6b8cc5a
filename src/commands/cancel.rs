//! `cancel`: stop jobs.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{CommandResult, Context, Problem, completions, summary};
use crate::engine::{Cancelled, Follower, cancel, descendants, stoppable, suspended_supervisor};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector};
use crate::os::wait_readable;
use crate::store::{Record, Store};

/// How long to wait for a job to end: the agent's grace, the sweep, and then some.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait without a word: longer than the agent's grace.
const SILENCE: Duration = Duration::from_secs(4);

const EXAMPLES: &str = "\
Examples:
  agent-dispatch cancel latest
  agent-dispatch cancel 01a20916e67173b7 01a20916e8ab7304 --cascade
  agent-dispatch cancel --all

The exit code is 0 also for jobs that were over already.";

/// Arguments of `cancel`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CancelArgs {
    /// Jobs: ids, beginnings of ids, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs_to_stop(), required_unless_present = "all")]
    jobs: Vec<JobSelector>,
    /// Stop every job that is not over
    #[arg(long, conflicts_with_all = ["jobs", "cascade"])]
    all: bool,
    /// Also stop the jobs that their agents have dispatched
    #[arg(long)]
    cascade: bool,
    /// Print what became of each as a JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CancelArgs, context: &Context) -> CommandResult {
    let store = context.store()?;
    // A wrong name among them stops nothing.
    let mut ids = Vec::new();
    let mut exit = Exit::Success;
    if args.all {
        ids = stoppable(&store, |unreadable, asked| {
            match asked {
                Ok(_) => context.ui.warn(format_args!("{unreadable}; its job was asked to stop")),
                Err(error) => {
                    context.ui.warn(format_args!("{unreadable}; its job cannot be stopped: {error}"));
                }
            }
            exit = Exit::Failure;
        })?;
    }
    for id in context.jobs(&store, &args.jobs)? {
        store.read(id)?;
        let below = if args.cascade { descendants(&store, id)? } else { Vec::new() };
        for id in std::iter::once(id).chain(below) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // All are told before any is waited for, and one that cannot be told keeps none of the others from it.
    let mut requested = Vec::new();
    for id in ids {
        match cancel(&store, id) {
            Ok(outcome) => requested.push((id, outcome)),
            Err(error) => {
                let failure = Failure::from(error);
                context.ui.failure(format_args!("job {id}: {}", failure.message), failure.hint.as_deref());
                exit = Exit::Failure;
            }
        }
    }
    let requested_none = requested.is_empty();
    let deadline = Instant::now() + PATIENCE;
    let mut documents = Vec::new();
    for (id, outcome) in requested {
        let record = match outcome {
            Cancelled::WasOver(record) => Ok(record),
            Cancelled::Requested => Err(()),
            Cancelled::OnlyTold(error) => {
                context.ui.warn(format_args!(
                    "{error}: the request to stop job {id} is not on disk; its supervisor was told by a signal"
                ));
                Err(())
            }
        };
        let (record, stopped) = match record {
            Ok(record) => (*record, false),
            Err(()) => match end_of(&store, id, deadline, context)? {
                Some(record) => (record, true),
                None => {
                    let message = format!(
                        "job {id} was asked to stop and has not ended within {} s{}",
                        PATIENCE.as_secs(),
                        suspension(&store, id).map(|what| format!(": {what}")).unwrap_or_default()
                    );
                    let hint = format!("the request stands; see `agent-dispatch status {id}`");
                    context.ui.failure(message, Some(&hint));
                    exit = Exit::Failure;
                    (store.read(id)?, false)
                }
            },
        };
        if args.json {
            documents.push(json!({ "job_id": id, "status": record.status(), "stopped": stopped }));
        } else if record.finished().is_some() {
            let line = summary::closing_line(&record);
            let line = if stopped { line } else { format!("was over already: {line}") };
            context.ui.done(&format!("{id} {}: {line}", record.agent))?;
        }
    }
    if args.json {
        context.ui.json(&documents)?;
    } else if requested_none && exit == Exit::Success {
        context.ui.note("no job of this tool runs or waits");
    }
    Ok(exit)
}

/// Waits for the end of a job that was asked to stop; `None` when it does not come before `deadline`. What keeps it
/// waiting for long is said.
fn end_of(store: &Store, id: JobId, deadline: Instant, context: &Context) -> Result<Option<Record>, Problem> {
    let follower = Follower::new(store, &store.read(id)?)?;
    let mut silence = Some(SILENCE);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if wait_readable(&[follower.descriptor()], silence.map_or(left, |silence| silence.min(left)))[0] {
            return Ok(Some(follower.wait()?));
        }
        if left.is_zero() {
            return Ok(None);
        }
        if silence.take().is_some() {
            let what = suspension(store, id).unwrap_or_else(|| {
                let pid = store.supervisor_pid(id).map(|pid| format!(", process {pid},")).unwrap_or_default();
                format!("its supervisor{pid} ends the agent and records that")
            });
            context.ui.note(format_args!("waiting for job {id}: {what}"));
        }
    }
}

/// That the supervisor of a job cannot do anything now, if so, and what helps.
fn suspension(store: &Store, id: JobId) -> Option<String> {
    let pid = suspended_supervisor(store, id)?;
    Some(format!("its supervisor is stopped or frozen; `kill -CONT {pid}` lets it go on if it was stopped"))
}
