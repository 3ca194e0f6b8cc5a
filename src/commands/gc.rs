//! `gc`: delete jobs that have finished.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{CommandResult, Context};
use crate::config;
use crate::error::{Exit, Failure};
use crate::model::Remedy;
use crate::store::Policy;
use crate::ui::human;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch gc --older-than 7d --dry-run
  agent-dispatch gc --all";

/// Arguments of `gc`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GcArgs {
    /// Delete jobs that ended longer ago than this: 12h, 7d [default: `job_retention_days` of the config]
    #[arg(long, value_name = "DURATION", value_parser = config::age, allow_hyphen_values = true)]
    older_than: Option<Duration>,
    /// Delete every job that has finished
    #[arg(long, conflicts_with = "older_than")]
    all: bool,
    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// Print what was deleted as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &GcArgs, context: &Context) -> CommandResult {
    let policy = match (args.all, args.older_than) {
        (true, _) => Policy::All,
        (false, Some(age)) => Policy::OlderThan(age),
        (false, None) => match context.config()?.settings.job_retention_days {
            0 => {
                return Err(Failure::new(Exit::Usage, "which jobs to delete?")
                    .remedy(Remedy::ChooseAge {})
                    .into());
            }
            days => Policy::OlderThan(Duration::from_secs(u64::from(days) * 86_400)),
        },
    };
    let plan = context.jobs()?.collect(policy, context.now(), args.dry_run)?;
    let jobs = &plan.jobs;
    if args.json {
        context.ui.json(&json!({
            "dry_run": args.dry_run,
            "deleted": jobs.delete,
            "deleted_leftovers": plan.leftovers.len(),
            "kept_unfinished": jobs.unfinished,
            "kept_recent": jobs.recent,
            "kept_not_ours": plan.not_ours,
        }))?;
        return Ok(Exit::Success);
    }
    let verb = if args.dry_run { "would delete" } else { "deleted" };
    let leftovers = match plan.leftovers.len() {
        0 => String::new(),
        count => format!(" and {}", human::count(count, "leftover file")),
    };
    let not_ours = match plan.not_ours {
        0 => String::new(),
        count => format!(", and {count} that a newer version wrote or that cannot be read"),
    };
    context.ui.done(&format!(
        "{verb} {}{leftovers}; kept {} unfinished and {} recent{not_ours}",
        human::count(jobs.delete.len(), "job"),
        jobs.unfinished,
        jobs.recent
    ))?;
    Ok(Exit::Success)
}
