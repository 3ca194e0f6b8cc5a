//! `wait`: until jobs are over.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use clap::Args;

use super::verdict::{Strictness, exit_of};
use super::{CommandResult, Context, summary};
use crate::config::Timeout;
use crate::engine::{Follower, look};
use crate::error::{Exit, Failure};
use crate::os::wait_readable;
use crate::store::{Answer, JobResult, JobSelector, Record};

/// Arguments of `wait`.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// Jobs: ids, beginnings of ids, or `latest`
    #[arg(value_name = "JOB", required = true)]
    jobs: Vec<JobSelector>,
    /// Give up after this long and exit with 124; the jobs go on
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    timeout: Option<Timeout>,
    /// Print the results as a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(crate) fn run(args: &WaitArgs, context: &Context) -> CommandResult {
    let store = context.store()?;
    let mut waiting = Vec::new();
    for (position, job) in args.jobs.iter().enumerate() {
        let record = look(&store, context.job(&store, job)?)?;
        if record.is_foreign() && record.finished().is_none() {
            return Err(summary::foreign(record.id).into());
        }
        waiting.push((position, Follower::new(&store, &record)?));
    }
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout.duration());
    let mut over: Vec<(usize, Record)> = Vec::new();
    while !waiting.is_empty() {
        let patience = match deadline {
            Some(deadline) if deadline <= Instant::now() => break,
            Some(deadline) => deadline - Instant::now(),
            None => Duration::from_secs(3_600),
        };
        let descriptors: Vec<BorrowedFd<'_>> =
            waiting.iter().map(|(_, follower)| follower.descriptor()).collect();
        let readable = wait_readable(&descriptors, patience);
        let mut still = Vec::new();
        for ((position, follower), is_over) in waiting.into_iter().zip(readable) {
            if is_over {
                let record = follower.wait()?;
                context.ui.note(format_args!(
                    "{} {}: {}",
                    record.id,
                    record.agent,
                    summary::closing_line(&record)
                ));
                over.push((position, record));
            } else {
                still.push((position, follower));
            }
        }
        waiting = still;
    }
    over.sort_by_key(|(position, _)| *position);
    if args.json {
        let results: Vec<JobResult> = over.iter().map(|(_, record)| summary::result_of(record)).collect();
        let answers: Vec<Answer<'_>> =
            results.iter().map(|result| store.answer(result)).collect::<Result<_, _>>()?;
        let whole =
            results.iter().zip(&answers).map(|(result, answer)| summary::WholeResult { result, answer });
        context.ui.json(&whole.collect::<Vec<_>>())?;
    }
    if !waiting.is_empty() {
        return Err(Failure::new(
            Exit::TimedOut,
            format_args!("{} of the jobs are not over yet", waiting.len()),
        )
        .hint("they go on; `agent-dispatch jobs --status running` lists them")
        .into());
    }
    // The first that went wrong, in the order they were named.
    let exits = over.iter().map(|(_, record)| exit_of(record, args.strictness));
    Ok(exits.into_iter().find(|exit| *exit != Exit::Success).unwrap_or(Exit::Success))
}
