//! `agents update`: change fields of an agent.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use super::fields::{self, FieldArgs};
use crate::commands::{CommandResult, Context, completions};
use crate::config::{AGENT_KEYS, AgentChanges, AgentName, Editor};
use crate::error::{Exit, Failure};
use crate::model::{Remedy, Row, Slot};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch agents update infra --allowed-tools \"Read,Grep,Bash(docker ps *)\"
  agent-dispatch agents update infra --timeout 15m --unset model";

/// Arguments of `agents update`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UpdateArgs {
    /// The agent's name
    #[arg(value_name = "NAME", add = completions::agents())]
    name: AgentName,
    /// Another directory for the agent to work in
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
    #[command(flatten)]
    fields: FieldArgs,
    /// Remove fields, so that the settings' defaults hold again
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = removable())]
    unset: Vec<String>,
    /// Print the agent as JSON
    #[arg(long)]
    json: bool,
}

/// The fields that can be removed: all but the directory, without which there is no agent.
fn removable() -> PossibleValuesParser {
    let names = AGENT_KEYS.iter().filter(|row| !matches!(row.slot, Slot::Path(_))).map(|row| row.name);
    PossibleValuesParser::new(names)
}

pub(crate) fn run(args: &UpdateArgs, context: &Context) -> CommandResult {
    let mut changes = args.fields.changes.clone();
    changes.directory.clone_from(&args.directory);
    for row in args.unset.iter().filter_map(|name| Row::named(AGENT_KEYS, name)) {
        if !changes.unset(row) {
            let message = format!("'{}' cannot be both set and unset", row.name);
            return Err(Failure::new(Exit::Usage, message).into());
        }
    }
    if changes == AgentChanges::default() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .remedy(Remedy::ReadHelp { command: ["agents", "update"].map(str::to_owned).to_vec() })
            .into());
    }
    let config = Editor::new(context.present_config_path()?).update_agent(&args.name, &changes)?;
    fields::report(&args.name, &config, "updated", args.json, context)?;
    Ok(Exit::Success)
}
