//! `agents schema`: what a config may say, for editors.

use clap::Args;

use crate::commands::{CommandResult, Context};
use crate::config;
use crate::error::Exit;

const EXAMPLES: &str = "\
Example, for editors with the YAML language server:
  cd ~/.config/agent-dispatch
  agent-dispatch agents schema > agents.schema.json
and as the first line of agents.yaml:
  # yaml-language-server: $schema=agents.schema.json";

/// Arguments of `agents schema`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaArgs {}

pub(crate) fn run(_: &SchemaArgs, context: &Context) -> CommandResult {
    context.ui.data(config::SCHEMA)?;
    Ok(Exit::Success)
}
