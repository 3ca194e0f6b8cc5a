//! `groups add`: make a group of agents.

use clap::Args;

use super::fields::{self, MemberArg, TextArgs};
use crate::commands::{CommandResult, Context, completions};
use crate::config::{Editor, GroupName};

const EXAMPLES: &str = "\
Example:
  agent-dispatch groups add shop --member \"api=routes and their tests\" --member web \\
    --shared-context \"Prices are in cents.\"";

/// Arguments of `groups add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AddArgs {
    /// A name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    name: GroupName,
    /// An agent that belongs to it, and after `=` what to use it for; can be given again
    #[arg(long = "member", value_name = "AGENT[=USE]", add = completions::agents())]
    members: Vec<MemberArg>,
    #[command(flatten)]
    texts: TextArgs,
    /// Print the group as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AddArgs, context: &Context) -> CommandResult {
    let mut changes = args.texts.changes();
    changes.members.put = args.members.iter().map(|member| member.0.clone()).collect();
    if !args.members.is_empty() {
        fields::check_members(&changes.members.put, &context.config()?)?;
    }
    let config = Editor::new(context.config_path()?).add_group(&args.name, &changes)?;
    fields::report(&args.name, &config, "added", args.json, context)
}
