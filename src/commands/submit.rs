//! `submit`: hand over a task and leave.

use clap::Args;

use super::request::RequestArgs;
use super::{CommandResult, Context, dispatch};

const EXAMPLES: &str = "\
Example:
  id=$(agent-dispatch submit infra \"audit every log\")
  agent-dispatch wait $id && agent-dispatch result $id";

/// Arguments of `submit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Print the id and what it belongs to as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SubmitArgs, context: &Context) -> CommandResult {
    let dispatch = context.dispatch()?;
    let request = args.request.to_request(context, dispatch.jobs())?;
    dispatch::submit_detached(&request, args.json, dispatch.as_ref(), context)
}
