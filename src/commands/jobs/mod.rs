//! `jobs`: the newest jobs, or those that run.

mod watch;

use std::collections::HashSet;

use clap::Args;
use serde_json::Value;

use super::{CommandResult, Context, completions, summary, whole_number};
use crate::engine::list;
use crate::error::Exit;
use crate::store::{JobId, Record, Status};
use crate::ui::{Cell, Table, human};

const EXAMPLES: &str = "\
With --watch: `q` ends it (exit code 0), and so does Ctrl-C (130). What was shown last stays. Ctrl-Z
stops it until `fg`.

Examples:
  agent-dispatch jobs --status running
  agent-dispatch jobs --watch --agent infra
  agent-dispatch jobs --agent infra --limit 0 --json | jq 'map(.result.cost_usd // 0) | add'";

/// Arguments of `jobs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct JobsArgs {
    /// Only jobs with this status
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Option<StatusArg>,
    /// Only jobs of this agent
    #[arg(long, value_name = "AGENT", add = completions::agents())]
    agent: Option<String>,
    /// How many to list at the most; 0 lists all
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20, value_parser = whole_number(0_usize..),
          allow_negative_numbers = true)]
    limit: usize,
    /// Show which jobs were dispatched by the agents of which
    #[arg(long)]
    tree: bool,
    /// Show what is going on until `q` is pressed: jobs that are not over first, and what they do
    #[arg(long, short, conflicts_with_all = ["tree", "json"])]
    watch: bool,
    /// Print an array of records as JSON
    #[arg(long)]
    json: bool,
}

/// A status as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StatusArg {
    Pending,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl From<StatusArg> for Status {
    fn from(status: StatusArg) -> Self {
        match status {
            StatusArg::Pending => Self::Pending,
            StatusArg::Running => Self::Running,
            StatusArg::Done => Self::Done,
            StatusArg::Failed => Self::Failed,
            StatusArg::Cancelled => Self::Cancelled,
        }
    }
}

pub(crate) fn run(args: &JobsArgs, context: &Context) -> CommandResult {
    let store = context.store()?;
    if args.watch {
        return watch::run(args, &store, context);
    }
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let of_agent = |agent: &str| args.agent.as_deref().is_none_or(|wanted| wanted == agent);
    let listing = list(&store, args.status.map(Status::from), of_agent, limit)?;
    for unreadable in &listing.unreadable {
        context.ui.warn(unreadable);
    }
    if listing.more_unreadable > 0 {
        context.ui.warn(format_args!("{} more records cannot be read", listing.more_unreadable));
    }
    let newer: Vec<String> = listing
        .records
        .iter()
        .filter(|record| record.is_newer())
        .map(|record| record.id.to_string())
        .collect();
    if !newer.is_empty() {
        context.ui.warn(format_args!(
            "written by a newer version of agent-dispatch, and shown as far as this one understands it: {}",
            newer.join(", ")
        ));
    }
    let jobs = listing.records;
    // One that was removed has its history.
    if jobs.is_empty()
        && let Some(unknown) = args.agent.as_deref().and_then(|agent| context.unknown_agent(agent))
    {
        context.ui.note(unknown);
    }
    if args.json {
        let documents: Vec<Value> = jobs.iter().map(summary::to_json).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if jobs.is_empty() {
        context.ui.note("no jobs");
        return Ok(Exit::Success);
    }
    let queued = store.queued()?;
    let jobs = if args.tree { tree(jobs) } else { jobs.into_iter().map(|record| (0, record)).collect() };
    let rows = jobs.iter().map(|(depth, record)| {
        let result = record.finished().map(|_| summary::result_of(record));
        let branch = if *depth == 0 { String::new() } else { format!("{:1$}└ ", "", 2 * (depth - 1)) };
        vec![
            format!("{branch}{}", record.id).into(),
            record.agent.as_str().into(),
            status_cell(record, &queued),
            human::ago(context.now() - record.created_at).into(),
            result.and_then(|result| result.cost_usd).map(human::dollars).unwrap_or_default().into(),
            human::one_line(&record.task, 60).into(),
        ]
    });
    let table = Table {
        headings: &["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"],
        spare: &["COST", "CREATED", "AGENT", "TASK"],
        last_at_least: 8,
        rows: rows.collect(),
    };
    context.ui.data(&table.for_output(context.ui))?;
    Ok(Exit::Success)
}

/// A job's status, with its place among those that wait for a slot.
fn status_cell(record: &Record, queued: &[JobId]) -> Cell {
    let status = record.status();
    let word = match queued.iter().position(|id| *id == record.id) {
        Some(place) => format!("{} ({})", status.name(), place + 1),
        None => status.name().to_owned(),
    };
    Cell::toned(word, summary::status_tone(status))
}

/// Puts each job below the one whose agent dispatched it, with its depth in the list. The order stays otherwise.
fn tree(jobs: Vec<Record>) -> Vec<(usize, Record)> {
    let listed: HashSet<JobId> = jobs.iter().map(|record| record.id).collect();
    let parent = |record: &Record| record.launch.parent.filter(|parent| listed.contains(parent));
    let (mut open, mut rest): (Vec<Record>, Vec<Record>) =
        jobs.into_iter().partition(|record| parent(record).is_none());
    open.reverse();
    let mut open: Vec<(usize, Record)> = open.into_iter().map(|record| (0, record)).collect();
    let mut rows = Vec::new();
    while let Some((depth, record)) = open.pop() {
        let (children, others): (Vec<Record>, Vec<Record>) =
            rest.into_iter().partition(|child| child.launch.parent == Some(record.id));
        rest = others;
        open.extend(children.into_iter().map(|child| (depth + 1, child)));
        rows.push((depth, record));
    }
    rows
}
