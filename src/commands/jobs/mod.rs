//! `jobs`: the newest jobs, or those that run.

mod watch;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use clap::Args;
use serde::{Serialize, Serializer};

use super::{CommandResult, Context, completions, summary, whole_number};
use crate::engine::{Filter, Listed};
use crate::error::Exit;
use crate::model::JobId;
use crate::store::{Record, Status};
use crate::ui::{Cell, OutputError, Table, Ui, human};

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
    /// Show what is going on until `q` is pressed: jobs that have not finished first, and what they do
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
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let filter =
        Filter { status: args.status.map(Status::from), agent: args.agent.as_deref(), only: None, limit };
    if args.watch {
        return watch::run(filter, jobs, context);
    }
    let mut listed = Listed::new(jobs, &filter)?;
    let mut newer = Newer::default();
    let shown = {
        let mut records = listed.by_ref().inspect(|record| newer.note(record)).peekable();
        let is_empty = records.peek().is_none();
        // One that was removed has its history.
        if is_empty
            && let Some(unknown) = args.agent.as_deref().and_then(|agent| context.unknown_agent(agent))
        {
            context.ui.note(unknown);
        }
        if args.json {
            context.ui.json(&Documents { records: RefCell::new(records), ui: context.ui })
        } else if is_empty {
            context.ui.note("no jobs");
            Ok(())
        } else {
            let queued = jobs.queue()?;
            let places = queued.into_iter().enumerate().map(|(place, id)| (id, place + 1)).collect();
            if args.tree {
                table(tree(records.collect()).into_iter(), &places, context)
            } else {
                table(records.map(|record| (0, record)), &places, context)
            }
        }
    };
    for unreadable in &listed.unreadable {
        context.ui.warn(unreadable);
    }
    if listed.more_unreadable > 0 {
        context.ui.warn(format_args!("{} more records cannot be read", listed.more_unreadable));
    }
    newer.warn(context);
    shown?;
    Ok(Exit::Success)
}

/// Records that a newer version wrote.
#[derive(Default)]
struct Newer {
    ids: Vec<JobId>,
    more: usize,
}

impl Newer {
    /// How many are named.
    const NAMED: usize = 10;

    fn note(&mut self, record: &Record) {
        match record.is_newer() {
            true if self.ids.len() < Self::NAMED => self.ids.push(record.id),
            true => self.more += 1,
            false => {}
        }
    }

    fn warn(&self, context: &Context) {
        if self.ids.is_empty() {
            return;
        }
        let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        context.ui.warn(format_args!(
            "written by a newer version of agent-dispatch, and shown as far as this one understands it: {}{more}",
            ids.join(", ")
        ));
    }
}

/// An array of records, each read when it is its turn to be written.
struct Documents<I> {
    records: RefCell<I>,
    ui: Ui,
}

impl<I: Iterator<Item = Record>> Serialize for Documents<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut records = self.records.borrow_mut();
        serializer.collect_seq((&mut *records).map(|record| summary::to_json(&record, self.ui)))
    }
}

/// How many rows are laid out at once. With more, the widths of the first ones hold for all.
const ROWS: usize = 1_000;

/// Prints jobs, each with its depth in the tree.
fn table(
    jobs: impl Iterator<Item = (usize, Record)>,
    places: &HashMap<JobId, usize>,
    context: &Context,
) -> Result<(), OutputError> {
    let mut rows = jobs.map(|(depth, record)| row(depth, &record, places, context));
    let mut widths = None;
    loop {
        let part = Table {
            headings: &["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"],
            spare: &["COST", "CREATED", "AGENT", "TASK"],
            last_at_least: 8,
            rows: rows.by_ref().take(ROWS).collect(),
        };
        match &widths {
            None if part.rows.len() < ROWS => return context.ui.data(&part.for_output(context.ui)),
            None => {
                let wide = part.widths_for_output();
                context.ui.data(&part.first_part(&wide, context.ui))?;
                widths = Some(wide);
            }
            Some(_) if part.rows.is_empty() => return Ok(()),
            Some(widths) => context.ui.data(&part.next_part(widths, context.ui))?,
        }
    }
}

fn row(depth: usize, record: &Record, places: &HashMap<JobId, usize>, context: &Context) -> Vec<Cell> {
    let result = record.finished().map(|_| record.conclusion());
    let branch = if depth == 0 { String::new() } else { format!("{:1$}└ ", "", 2 * (depth - 1)) };
    vec![
        format!("{branch}{}", record.id).into(),
        record.agent.as_str().into(),
        summary::status_cell(record, places.get(&record.id).copied()),
        human::ago(context.now() - record.created_at).into(),
        result.and_then(|result| result.cost_usd).map(human::dollars).unwrap_or_default().into(),
        human::one_line(&record.task, 60).into(),
    ]
}

/// Puts each job below the one whose agent dispatched it, with its depth in the list. The order stays otherwise.
fn tree(jobs: Vec<Record>) -> Vec<(usize, Record)> {
    let listed: HashSet<JobId> = jobs.iter().map(|record| record.id).collect();
    let mut open: Vec<(usize, Record)> = Vec::new();
    let mut children: HashMap<JobId, Vec<Record>> = HashMap::new();
    let mut rows = Vec::with_capacity(jobs.len());
    // What is open last comes first.
    for record in jobs.into_iter().rev() {
        match record.launch.parent.filter(|parent| listed.contains(parent)) {
            None => open.push((0, record)),
            Some(parent) => children.entry(parent).or_default().push(record),
        }
    }
    while let Some((depth, record)) = open.pop() {
        let below = children.remove(&record.id).unwrap_or_default();
        open.extend(below.into_iter().rev().map(|child| (depth + 1, child)));
        rows.push((depth, record));
    }
    rows
}
