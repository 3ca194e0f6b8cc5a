//! `retry`: the same request once more.

use clap::Args;

use super::dispatch::{Manner, hand_over};
use super::request::Conditions;
use super::{CommandResult, Context, completions, dialogue, summary};
use crate::engine::{Request, load_and_recover};
use crate::error::{Exit, Failure};
use crate::model::JobSelector;

const EXAMPLES: &str = "\
Agent, task, context, goal, caller, group, schema, model and limits are those of the job, as its
record has them; options take their place. The session is a new one, and `--on-done` is not repeated.

Examples:
  agent-dispatch retry latest
  agent-dispatch retry 01a20916e67173b7 --timeout 30m --background";

/// Arguments of `retry`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RetryArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs())]
    job: JobSelector,
    #[command(flatten)]
    conditions: Conditions,
    #[command(flatten)]
    manner: Manner,
}

pub(crate) fn run(args: &RetryArgs, context: &Context) -> CommandResult {
    let engine = context.engine()?;
    let record = load_and_recover(engine.store(), context.job(engine.store(), &args.job)?)?;
    if summary::is_dialogue(&record) {
        let message = format_args!("job {} is a dialogue, which is no request to one agent", record.id);
        return Err(Failure::new(Exit::Usage, message)
            .hint(format!("have it once more with `{}`", dialogue::again(&record)))
            .into());
    }
    let request = args.conditions.apply(Request::again(&record)?);
    hand_over(&request, &args.manner, &engine, context)
}
