//! `cancel`: stop jobs.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{CommandResult, Context, completions, summary};
use crate::engine::{Cancelled, Follower, cancel, descendants, stoppable};
use crate::error::{Exit, Failure};
use crate::os::wait_readable;
use crate::store::JobSelector;

/// How long to wait for a job to end: the agent's grace, the sweep, and then some.
const PATIENCE: Duration = Duration::from_secs(30);

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
        ids = stoppable(&store, |damaged| {
            context.ui.warn(format_args!("{damaged}; its job was asked to stop"));
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
    // All are told before any is waited for.
    let mut requested = Vec::new();
    for id in ids {
        requested.push((id, cancel(&store, id)?));
    }
    let requested_none = requested.is_empty();
    let mut documents = Vec::new();
    for (id, outcome) in requested {
        let (record, stopped) = match outcome {
            Cancelled::WasOver(record) => (*record, false),
            Cancelled::Requested => {
                let follower = Follower::new(&store, &store.read(id)?)?;
                if !wait_readable(&[follower.descriptor()], PATIENCE)[0] {
                    let message = format!("job {id} was asked to stop and has not ended within 30 s");
                    return Err(Failure::new(Exit::Failure, message)
                        .hint(format!("the request stands; see `agent-dispatch status {id}`"))
                        .into());
                }
                (follower.wait()?, true)
            }
        };
        if args.json {
            documents.push(json!({ "job_id": id, "status": record.status(), "stopped": stopped }));
        } else {
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
