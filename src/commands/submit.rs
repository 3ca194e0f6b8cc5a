//! `submit`: hand over a task and leave.

use clap::Args;
use serde_json::json;

use super::request::{RequestArgs, warn_of_ignored, warn_of_short_timeout};
use super::{CommandResult, Context};
use crate::engine::Ownership;
use crate::error::Exit;

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
    let engine = context.engine()?;
    let request = args.request.to_request(engine.store())?;
    let submitted = engine.submit(&request, Ownership::Nobody, context.now())?;
    warn_of_ignored(&submitted, &request.agent, context);
    warn_of_short_timeout(&engine, &request, context);
    if args.json {
        context.ui.json(&json!({ "job_id": submitted.id, "agent": request.agent, "status": "pending" }))?;
    } else {
        context.ui.data(&submitted.id.to_string())?;
    }
    Ok(Exit::Success)
}
