//! `agents remove`: forget an agent.

use clap::Args;
use serde_json::json;

use crate::commands::{CommandResult, Context, completions};
use crate::config::{AgentName, Editor};
use crate::error::Exit;

const EXAMPLES: &str = "\
Example:
  agent-dispatch agents remove infra";

/// Arguments of `agents remove`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RemoveArgs {
    /// The agent's name
    #[arg(value_name = "NAME", add = completions::agents())]
    name: AgentName,
    /// Print what was removed as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RemoveArgs, context: &Context) -> CommandResult {
    let config = Editor::new(context.present_config_path()?).remove_agent(&args.name)?;
    if args.json {
        context.ui.json(&json!({ "removed": args.name }))?;
    } else {
        context.ui.done(&format!("removed {}", args.name))?;
    }
    let groups: Vec<String> = config.groups_of(&args.name).map(|(group, _)| group.to_string()).collect();
    if !groups.is_empty() {
        context.ui.warn(format_args!("still a member of these groups: {}", groups.join(", ")));
    }
    for group in groups {
        let leave = ["groups", "update", &group, "--remove-member", args.name.as_str()];
        context.ui.hint(&context.ui.commands().quoted(leave));
    }
    Ok(Exit::Success)
}
