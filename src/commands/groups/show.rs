//! `groups show`: one group in full.

use clap::Args;

use super::fields;
use crate::commands::{CommandResult, Context, completions};
use crate::error::{Exit, Failure};

const EXAMPLES: &str = "\
Example:
  agent-dispatch groups show shop";

/// Arguments of `groups show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// The group's name
    #[arg(value_name = "NAME", add = completions::groups())]
    name: String,
    /// Print the group as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> CommandResult {
    let config = context.config()?;
    let (name, group) = fields::find(&args.name, &config)?;
    let document = fields::to_json(name, group);
    if args.json {
        context.ui.json(&document)?;
    } else {
        let text = serde_yaml::to_string(&document).map_err(|error| Failure::new(Exit::Failure, error))?;
        context.ui.data(&text)?;
    }
    Ok(Exit::Success)
}
