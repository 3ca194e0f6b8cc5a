//! `agents add`: register a directory.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::fields::{self, FieldArgs};
use crate::commands::{CommandResult, Context};
use crate::config::{AgentName, Editor, agent_directory};
use crate::error::Exit;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch agents add infra ~/projects/infra
  agent-dispatch agents add lint . --backend command --command ./lint.sh --command --strict";

/// Arguments of `agents add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AddArgs {
    /// A name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    name: AgentName,
    /// The directory the agent works in
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
    #[command(flatten)]
    fields: FieldArgs,
    /// Print the agent as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AddArgs, context: &Context) -> CommandResult {
    let directory = agent_directory(&args.directory)?;
    let mut changes = args.fields.changes.clone();
    changes.describe(&directory);
    let editor = Editor::new(context.config_path()?);
    let config = editor.add_agent(&args.name, &directory, &changes)?;
    let agent = fields::report(&args.name, &config, "added", args.json, context)?;
    if !(args.json || agent.description.is_empty()) {
        context.ui.note(&agent.description);
    }
    Ok(Exit::Success)
}
