//! `wait`: until jobs are over.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use clap::Args;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::dispatch::{SPIN, doing, exit_of_signal};
use super::verdict::{Strictness, exit_of};
use super::{CommandResult, Context, completions, summary};
use crate::config::Timeout;
use crate::engine::{Activity, Followers, look};
use crate::error::{Exit, Failure};
use crate::os::{SignalWatch, wait_readable};
use crate::store::{Answer, JobResult, JobSelector, Record};
use crate::ui::Board;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch wait latest
  agent-dispatch wait 01a20916e67173b7 01a20916e8ab7304 --timeout 10m

The exit code is that of the first job that went wrong, in the order they were named; 124 when
the time is up.";

/// Arguments of `wait`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WaitArgs {
    /// Jobs: ids, beginnings of ids, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs(), required = true)]
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
    let mut records = Vec::new();
    for job in &args.jobs {
        let record = look(&store, context.job(&store, job)?)?;
        if record.is_foreign() && record.finished().is_none() {
            return Err(summary::foreign(record.id).into());
        }
        records.push(record);
    }
    let signals = SignalWatch::new(&[SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::new(Exit::Failure, format_args!("failed to watch for signals: {error}")))?;
    let mut waiting = Followers::new(&store, records.iter().map(|record| record.id))?;
    let mut board = Board::new(context.ui);
    for (number, record) in records.iter().enumerate().filter(|(_, record)| record.finished().is_none()) {
        let since = record.started_at().unwrap_or(record.created_at);
        let elapsed = Duration::try_from_secs_f64(context.now() - since).unwrap_or_default();
        board.begin(number, &record.agent, elapsed);
    }
    let mut activities = vec![Activity::default(); records.len()];
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout.duration());
    let mut over: Vec<(usize, Record)> = Vec::new();
    while !waiting.is_empty() {
        let patience = match deadline {
            Some(deadline) if deadline <= Instant::now() => break,
            Some(deadline) => deadline - Instant::now(),
            None => Duration::from_secs(3_600),
        };
        let patience = if board.is_shown() { patience.min(SPIN) } else { patience };
        let mut descriptors: Vec<BorrowedFd<'_>> = vec![signals.descriptor()];
        descriptors.extend(waiting.descriptors());
        wait_readable(&descriptors, patience);
        if let Some(signal) = signals.take().into_iter().next_back() {
            board.finish();
            context.ui.note("the jobs go on");
            return Ok(exit_of_signal(signal));
        }
        let ended = if board.is_shown() {
            waiting.catch_up(&mut |number, event| {
                activities[number].observe(&event);
                board.doing(number, &records[number].agent, doing(&activities[number]));
            })?
        } else {
            waiting.take_ended()?
        };
        for (number, record) in ended {
            let line = format!("{} {}: {}", record.id, record.agent, summary::closing_line(&record));
            board.over(number, &line);
            over.push((number, record));
        }
        board.turn();
    }
    let left = waiting.unfinished().count();
    board.finish();
    over.sort_by_key(|(position, _)| *position);
    if args.json {
        let results: Vec<JobResult> = over.iter().map(|(_, record)| summary::result_of(record)).collect();
        let answers: Vec<Answer<'_>> =
            results.iter().map(|result| store.answer(result)).collect::<Result<_, _>>()?;
        let whole =
            results.iter().zip(&answers).map(|(result, answer)| summary::WholeResult { result, answer });
        context.ui.json(&whole.collect::<Vec<_>>())?;
    }
    if left > 0 {
        return Err(Failure::new(Exit::TimedOut, format_args!("{left} of the jobs are not over yet"))
            .hint("they go on; `agent-dispatch jobs --status running` lists them")
            .into());
    }
    // The first that went wrong, in the order they were named.
    let exits = over.iter().map(|(_, record)| exit_of(record, args.strictness));
    Ok(exits.into_iter().find(|exit| *exit != Exit::Success).unwrap_or(Exit::Success))
}
