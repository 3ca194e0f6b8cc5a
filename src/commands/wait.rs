//! `wait`: until jobs have finished.

use std::time::{Duration, Instant};

use clap::Args;

use super::verdict::{Strictness, exit_of};
use super::wait_loop::{JobsWatcher, SignalGuard};
use super::{CommandResult, Context, Problem, completions, summary};
use crate::config::Timeout;
use crate::engine::{Jobs, Ownership};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector, Remedy};
use crate::store::{Answer, JobResult, Record};

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
    #[arg(value_name = "JOB", add = completions::jobs_to_wait_for(), required = true)]
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
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    let mut records = Vec::new();
    for id in context.selected(jobs, &args.jobs)? {
        let record = jobs.get(id)?;
        if record.is_foreign() && record.finished().is_none() {
            return Err(summary::foreign(&record).into());
        }
        records.push(record);
    }
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout.duration());
    let waited = wait_for(context, jobs, &records, deadline, &|record| {
        context.ui.note(format_args!("{} {}: {}", record.id, record.agent, summary::closing_line(record)));
        summary::report(context, record, args.strictness);
    })?;
    if let Some(exit) = waited.interrupted {
        let go = if waited.left.len() == 1 { "the job goes on" } else { "the jobs go on" };
        context
            .ui
            .note(format_args!("{go}: {}", context.ui.commands().command(crate::remedy::wait(&waited.left))));
        return Ok(exit);
    }
    if args.json {
        let results: Vec<JobResult> =
            waited.over.iter().map(|record| summary::result_of(record, context.ui)).collect();
        let answers: Vec<Answer<'_>> =
            results.iter().map(|result| jobs.answer(result)).collect::<Result<_, _>>()?;
        let whole =
            results.iter().zip(&answers).map(|(result, answer)| summary::WholeResult { result, answer });
        context.ui.json(&whole.collect::<Vec<_>>())?;
    }
    if !waited.left.is_empty() {
        let (left, all) = (waited.left.len(), records.len());
        let which = match left {
            1 if all == 1 => "the job has".to_owned(),
            1 => format!("1 of {all} jobs has"),
            _ => format!("{left} of {all} jobs have"),
        };
        return Err(Failure::new(Exit::TimedOut, format_args!("{which} not finished yet"))
            .remedy(Remedy::WaitForJobs { job_ids: waited.left })
            .into());
    }
    // The first that went wrong, in the order they were named.
    let exits = waited.over.iter().map(|record| exit_of(record, args.strictness));
    Ok(exits.into_iter().find(|exit| *exit != Exit::Success).unwrap_or(Exit::Success))
}

/// How waiting for jobs ended.
pub(crate) struct Waited {
    /// The records of those that have finished, in the order given.
    pub(crate) over: Vec<Record>,
    /// Those that are not.
    pub(crate) left: Vec<JobId>,
    /// What an interrupt asks for, if one ended it.
    pub(crate) interrupted: Option<Exit>,
}

/// Waits until jobs have finished, and shows what they do meanwhile. `ended` may say something about each that has finished.
pub(crate) fn wait_for(
    context: &Context,
    jobs: &dyn Jobs,
    records: &[Record],
    deadline: Option<Instant>,
    ended: &dyn Fn(&Record),
) -> Result<Waited, Problem> {
    let signals = SignalGuard::install()?;
    let names = names(records);
    let mut over: Vec<(usize, Record)> = Vec::new();
    let mut on_finish = |number, record| {
        ended(&record);
        over.push((number, record));
        Ok(())
    };
    let mut watch = JobsWatcher::new(context, &signals, &names, Ownership::Detached, &mut on_finish);
    for (number, record) in records.iter().enumerate().filter(|(_, record)| record.finished().is_none()) {
        let since = record.started_at().unwrap_or(record.created_at);
        watch.begin(number, Duration::try_from_secs_f64(context.now() - since).unwrap_or_default());
    }
    let (interrupted, left) = watch.wait(jobs, records.iter().map(|record| record.id), deadline)?;
    over.sort_by_key(|(position, _)| *position);
    let over = over.into_iter().map(|(_, record)| record).collect();
    Ok(Waited { over, left, interrupted })
}

/// What the jobs are called: by their agents, and the ends of their ids where there are several of one agent.
fn names(records: &[Record]) -> Vec<String> {
    let several = |agent: &str| records.iter().filter(|record| record.agent == agent).count() > 1;
    let name = |record: &Record| match several(&record.agent) {
        true => format!("{} {}", record.agent, summary::tail(record)),
        false => record.agent.clone(),
    };
    records.iter().map(name).collect()
}
