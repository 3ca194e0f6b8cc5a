//! `jobs`: the newest jobs, or those that run.

use clap::Args;
use serde_json::Value;

use super::{CommandResult, Context, summary};
use crate::engine::look;
use crate::error::{Exit, Failure};
use crate::store::{Record, Status, Store, StoreError};
use crate::ui::{human, table};

/// Arguments of `jobs`.
#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    /// Only jobs with this status
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Option<StatusArg>,
    /// Only jobs of this agent
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// How many to list at the most; 0 lists all
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    limit: usize,
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
    let jobs = select(args, &store, context)?;
    if args.json {
        let documents: Vec<Value> = jobs.iter().map(summary::to_json).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if jobs.is_empty() {
        context.ui.note("no jobs");
        return Ok(Exit::Success);
    }
    let rows = jobs.iter().map(|record| {
        let result = record.finished().map(|_| summary::result_of(record));
        vec![
            record.id.to_string(),
            record.agent.clone(),
            summary::status_word(context.ui, record.status()),
            human::ago(context.now() - record.created_at),
            result.and_then(|result| result.cost_usd).map(human::dollars).unwrap_or_default(),
            human::one_line(&record.task, 60),
        ]
    });
    context.ui.data(&table(&["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"], rows))?;
    Ok(Exit::Success)
}

fn select(args: &JobsArgs, store: &Store, context: &Context) -> Result<Vec<Record>, Failure> {
    let wanted = args.status.map(Status::from);
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    // What is not over has a lock, so nothing else needs to be read for it.
    let mut ids = match wanted {
        Some(Status::Pending | Status::Running) => {
            let mut ids = store.unretired()?;
            ids.reverse();
            ids
        }
        _ => store.ids()?,
    };
    let mut jobs = Vec::new();
    for id in ids.drain(..) {
        if jobs.len() == limit {
            break;
        }
        match look(store, id) {
            Ok(record) => {
                let agent_fits = args.agent.as_ref().is_none_or(|agent| *agent == record.agent);
                if agent_fits && wanted.is_none_or(|status| status == record.status()) {
                    jobs.push(record);
                }
            }
            Err(error @ StoreError::Damaged { .. }) => context.ui.warn(error),
            // Collected since the directory was read.
            Err(StoreError::NoSuchJob(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(jobs)
}
