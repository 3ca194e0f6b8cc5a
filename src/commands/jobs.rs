//! `jobs`: the newest jobs, or those that run.

use std::collections::HashSet;

use clap::Args;
use serde_json::Value;

use super::{CommandResult, Context, completions, summary};
use crate::engine::list;
use crate::error::Exit;
use crate::store::{JobId, Record, Status};
use crate::ui::{Cell, human, table};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch jobs
  agent-dispatch jobs --status running
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
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    /// Show which jobs were dispatched by the agents of which
    #[arg(long)]
    tree: bool,
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
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let of_agent = |agent: &str| args.agent.as_deref().is_none_or(|wanted| wanted == agent);
    let listing = list(&store, args.status.map(Status::from), of_agent, limit)?;
    for damaged in &listing.damaged {
        context.ui.warn(damaged);
    }
    let jobs = listing.records;
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
    let place = |record: &Record| queued.iter().position(|id| *id == record.id).map(|place| place + 1);
    let jobs = if args.tree { tree(jobs) } else { jobs.into_iter().map(|record| (0, record)).collect() };
    let rows = jobs.iter().map(|(depth, record)| {
        let result = record.finished().map(|_| summary::result_of(record));
        let branch = if *depth == 0 { String::new() } else { format!("{:1$}└ ", "", 2 * (depth - 1)) };
        let status = record.status();
        let word = match place(record) {
            Some(place) => format!("{} ({place})", status.name()),
            None => status.name().to_owned(),
        };
        vec![
            format!("{branch}{}", record.id).into(),
            record.agent.as_str().into(),
            Cell::toned(word, summary::status_tone(status)),
            human::ago(context.now() - record.created_at).into(),
            result.and_then(|result| result.cost_usd).map(human::dollars).unwrap_or_default().into(),
            human::one_line(&record.task, 60).into(),
        ]
    });
    context.ui.data(&table(context.ui, &["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"], rows))?;
    Ok(Exit::Success)
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
