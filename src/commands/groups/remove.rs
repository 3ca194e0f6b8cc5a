//! `groups remove`: forget a group.

use clap::Args;
use serde_json::json;

use crate::commands::{CommandResult, Context, completions};
use crate::config::{Editor, GroupName};
use crate::error::Exit;

const EXAMPLES: &str = "\
Example:
  agent-dispatch groups remove shop";

/// Arguments of `groups remove`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RemoveArgs {
    /// The group's name
    #[arg(value_name = "NAME", add = completions::groups())]
    name: GroupName,
    /// Print what was removed as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RemoveArgs, context: &Context) -> CommandResult {
    Editor::new(context.present_config_path()?).remove_group(&args.name)?;
    if args.json {
        context.ui.json(&json!({ "removed": args.name }))?;
    } else {
        context.ui.done(&format!("removed {}", args.name))?;
    }
    Ok(Exit::Success)
}
