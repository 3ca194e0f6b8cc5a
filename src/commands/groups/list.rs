//! `groups list`: which groups there are.

use clap::Args;
use serde_json::Value;

use super::fields;
use crate::commands::{CommandResult, Context};
use crate::error::Exit;
use crate::ui::{Table, human};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch groups list
  agent-dispatch groups list --json | jq -r '.[].name'";

/// Arguments of `groups list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// Print an array of groups as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> CommandResult {
    let config = context.config()?;
    if args.json {
        let documents: Vec<Value> =
            config.groups.iter().map(|(name, group)| fields::to_json(name, group)).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if config.groups.is_empty() {
        context.ui.note(format_args!("no groups in {}", config.path.display()));
        let add = context.ui.commands().quoted(["groups", "add", "NAME", "--member", "AGENT"]);
        context.ui.hint(&format!("make one with {add}"));
        return Ok(Exit::Success);
    }
    let rows = config.groups.iter().map(|(name, group)| {
        let members: Vec<&str> = group.members.iter().map(|member| member.agent.as_str()).collect();
        vec![name.as_str().into(), members.join(", ").into(), human::one_line(&group.description, 100).into()]
    });
    let headings = ["GROUP", "MEMBERS", "DESCRIPTION"];
    let table = Table { headings: &headings, spare: &[], last_at_least: 24, rows: rows.collect() };
    context.ui.data(&table.for_output(context.ui))?;
    Ok(Exit::Success)
}
