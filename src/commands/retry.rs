//! `retry`: the same request once more.

use clap::Args;

use super::dispatch::{WaitMode, submit_or_wait};
use super::request::RunOptions;
use super::{CommandResult, Context, completions, dialogue};
use crate::engine::Request;
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
    options: RunOptions,
    #[command(flatten)]
    mode: WaitMode,
}

pub(crate) fn run(args: &RetryArgs, context: &Context) -> CommandResult {
    let dispatch = context.dispatch()?;
    let jobs = dispatch.jobs();
    let record = jobs.get(context.job(jobs, &args.job)?)?;
    if record.is_dialogue() {
        let message = format_args!("job {} is a dialogue, which is no request to one agent", record.id);
        return Err(Failure::new(Exit::Usage, message).remedy(dialogue::again(&record, None)).into());
    }
    let request = args.options.apply(Request::again(&record)?);
    submit_or_wait(&request, &args.mode, dispatch.as_ref(), context)
}
