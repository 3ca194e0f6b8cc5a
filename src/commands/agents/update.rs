//! `agents update`: change fields of an agent.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::fields::{self, FieldArgs};
use crate::commands::{CommandResult, Context};
use crate::config::{AgentChanges, AgentName, Editor, Field};
use crate::error::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch agents update infra --allowed-tools \"Read,Grep,Bash(docker ps *)\"
  agent-dispatch agents update infra --timeout 15m --unset model";

/// Arguments of `agents update`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UpdateArgs {
    /// The agent's name
    #[arg(value_name = "NAME")]
    name: AgentName,
    /// Another directory for the agent to work in
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    fields: FieldArgs,
    /// Remove fields, so that the settings' defaults hold again
    #[arg(long, value_enum, value_name = "FIELD", value_delimiter = ',')]
    unset: Vec<Unset>,
    /// Print the agent as JSON
    #[arg(long)]
    json: bool,
}

/// A field that can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Unset {
    Description,
    Timeout,
    MaxBudgetUsd,
    Model,
    PermissionMode,
    AllowedTools,
    DisallowedTools,
    Instructions,
    Backend,
    Command,
    Exclusive,
}

pub(crate) fn run(args: &UpdateArgs, context: &Context) -> CommandResult {
    let mut changes = AgentChanges { directory: args.directory.clone(), ..args.fields.changes() };
    for field in &args.unset {
        match field {
            Unset::Description => changes.description = Field::Unset,
            Unset::Timeout => changes.timeout = Field::Unset,
            Unset::MaxBudgetUsd => changes.max_budget_usd = Field::Unset,
            Unset::Model => changes.model = Field::Unset,
            Unset::PermissionMode => changes.permission_mode = Field::Unset,
            Unset::AllowedTools => changes.allowed_tools = Field::Unset,
            Unset::DisallowedTools => changes.disallowed_tools = Field::Unset,
            Unset::Instructions => changes.instructions = Field::Unset,
            Unset::Backend => changes.backend = Field::Unset,
            Unset::Command => changes.command = Field::Unset,
            Unset::Exclusive => changes.exclusive = Field::Unset,
        }
    }
    if changes == AgentChanges::default() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .hint("name a field: `agent-dispatch agents update --help` lists them")
            .into());
    }
    let config = Editor::new(context.config_path()?).update_agent(&args.name, &changes)?;
    let Some(agent) = config.agents.get(&args.name) else {
        return Err(Failure::new(Exit::Failure, format_args!("agent '{}' is gone again", args.name)).into());
    };
    if args.json {
        context.ui.json(&fields::to_json(&args.name, agent))?;
    } else {
        context.ui.data(&format!("updated {}", args.name))?;
    }
    Ok(Exit::Success)
}
