//! `run`: hand over a task, watch, print the answer.

use clap::Args;

use super::dispatch::{self, WaitArgs};
use super::request::RequestArgs;
use super::{CommandResult, Context};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch run infra \"which containers restart?\"
  git diff --cached | agent-dispatch run reviewer -
  agent-dispatch run infra \"go on\" --session 6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb

The exit code tells how the job ended: `agent-dispatch help` lists them.";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    waiting: WaitArgs,
}

pub(crate) fn run(args: &RunArgs, context: &Context) -> CommandResult {
    let dispatch = context.dispatch()?;
    let request = args.request.to_request(context, dispatch.jobs())?;
    dispatch::submit_and_wait(&request, &args.waiting, dispatch.as_ref(), context)
}
