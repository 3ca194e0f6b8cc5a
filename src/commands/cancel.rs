//! `cancel`: stop jobs.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::wait_loop::wait_until;
use super::{CommandResult, Context, Problem, completions, summary};
use crate::engine::{Bell, Cancelled, Jobs, Waited, Watcher, descendants, stoppable};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector};
use crate::store::Record;

/// How long to wait for a job to end: the agent's grace, the sweep, and then some.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait without a word: longer than the agent's grace.
const SILENCE: Duration = Duration::from_secs(4);

const EXAMPLES: &str = "\
Examples:
  agent-dispatch cancel latest
  agent-dispatch cancel 01a20916e67173b7 01a20916e8ab7304 --cascade
  agent-dispatch cancel --all

The exit code is 0 also for jobs that had finished already.";

/// Arguments of `cancel`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CancelArgs {
    /// Jobs: ids, beginnings of ids, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs_to_stop(), required_unless_present = "all")]
    jobs: Vec<JobSelector>,
    /// Stop every job that has not finished
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
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    // A wrong name among them stops nothing.
    let mut ids = Vec::new();
    let mut exit = Exit::Success;
    if args.all {
        ids = stoppable(jobs, |unreadable, asked| {
            match asked {
                Ok(_) => context.ui.warn(format_args!("{unreadable}; its job was asked to stop")),
                Err(error) => {
                    context.ui.warn(format_args!("{unreadable}; its job cannot be stopped: {error}"));
                }
            }
            exit = Exit::Failure;
        })?;
    }
    for id in context.selected(jobs, &args.jobs)? {
        jobs.get(id)?;
        let below = if args.cascade { descendants(jobs, id)? } else { Vec::new() };
        for id in std::iter::once(id).chain(below) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // All are told before any is waited for, and one that cannot be told keeps none of the others from it.
    let mut requested = Vec::new();
    for id in ids {
        match jobs.cancel(id) {
            Ok(outcome) => requested.push((id, outcome)),
            Err(error) => {
                let failure = Failure::from(error);
                let remedy = failure.remedy.as_deref().map(|remedy| context.ui.commands().tell(remedy));
                context.ui.failure(format_args!("job {id}: {}", failure.message), remedy.as_deref());
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
            Err(()) => match end_of(jobs, id, deadline, context)? {
                Some(record) => (record, true),
                None => {
                    let message = format!(
                        "job {id} was asked to stop and has not ended within {} s{}",
                        PATIENCE.as_secs(),
                        suspension(jobs, id).map(|what| format!(": {what}")).unwrap_or_default()
                    );
                    let status = context.ui.commands().quoted(["status", &id.to_string()]);
                    let hint = format!("the request stands; see {status}");
                    context.ui.failure(message, Some(&hint));
                    exit = Exit::Failure;
                    (jobs.get(id)?, false)
                }
            },
        };
        if args.json {
            documents.push(json!({ "job_id": id, "status": record.status(), "stopped": stopped }));
        } else if record.finished().is_some() {
            let line = summary::closing_line(&record);
            let line = if stopped { line } else { format!("had finished already: {line}") };
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
fn end_of(
    jobs: &dyn Jobs,
    id: JobId,
    deadline: Instant,
    context: &Context,
) -> Result<Option<Record>, Problem> {
    let mut end = OneEnd(None);
    let silence = deadline.min(Instant::now() + SILENCE);
    for until in [silence, deadline] {
        let (waited, _) = wait_until(jobs, [id], Some(until), &mut end, Bell::wait)?;
        if waited == Waited::Finished {
            break;
        }
        if until < deadline {
            let what = suspension(jobs, id).unwrap_or_else(|| {
                let process = jobs.supervisor(id).map(|process| format!(", process {},", process.pid));
                format!("its supervisor{} ends the agent and records that", process.unwrap_or_default())
            });
            context.ui.note(format_args!("waiting for job {id}: {what}"));
        }
    }
    Ok(end.0)
}

/// The record of a job that is waited for without a word.
struct OneEnd(Option<Record>);

impl Watcher for OneEnd {
    type Error = Problem;

    fn finished(&mut self, _number: usize, record: Record) -> Result<(), Problem> {
        self.0 = Some(record);
        Ok(())
    }
}

/// That the supervisor of a job cannot do anything now, if so, and what helps.
fn suspension(jobs: &dyn Jobs, id: JobId) -> Option<String> {
    let pid = jobs.supervisor(id).filter(|process| process.is_suspended)?.pid;
    Some(format!("its supervisor is stopped or frozen; `kill -CONT {pid}` lets it go on if it was stopped"))
}
