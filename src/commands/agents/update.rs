//! `agents update`: change fields of an agent.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::fields::{self, FieldArgs};
use crate::commands::{CommandResult, Context, completions};
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
    #[arg(value_name = "NAME", add = completions::agents())]
    name: AgentName,
    /// Another directory for the agent to work in
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
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
    IdleTimeout,
    MaxBudgetUsd,
    Model,
    PermissionMode,
    AllowedTools,
    DisallowedTools,
    Capabilities,
    RiskyCapabilities,
    Instructions,
    Backend,
    Command,
    Exclusive,
    Trusted,
}

pub(crate) fn run(args: &UpdateArgs, context: &Context) -> CommandResult {
    let mut changes = AgentChanges { directory: args.directory.clone(), ..args.fields.changes() };
    for field in &args.unset {
        let is_free = match field {
            Unset::Description => unset(&mut changes.description),
            Unset::Timeout => unset(&mut changes.timeout),
            Unset::IdleTimeout => unset(&mut changes.idle_timeout),
            Unset::Capabilities => unset(&mut changes.capabilities),
            Unset::RiskyCapabilities => unset(&mut changes.risky_capabilities),
            Unset::MaxBudgetUsd => unset(&mut changes.max_budget_usd),
            Unset::Model => unset(&mut changes.model),
            Unset::PermissionMode => unset(&mut changes.permission_mode),
            Unset::AllowedTools => unset(&mut changes.allowed_tools),
            Unset::DisallowedTools => unset(&mut changes.disallowed_tools),
            Unset::Instructions => unset(&mut changes.instructions),
            Unset::Backend => unset(&mut changes.backend),
            Unset::Command => unset(&mut changes.command),
            Unset::Exclusive => unset(&mut changes.exclusive),
            Unset::Trusted => unset(&mut changes.trusted),
        };
        if !is_free {
            let name = field.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            return Err(
                Failure::new(Exit::Usage, format_args!("'{name}' cannot be both set and unset")).into()
            );
        }
    }
    if changes == AgentChanges::default() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .hint("name a field: `agent-dispatch agents update --help` lists them")
            .into());
    }
    let config = Editor::new(context.present_config_path()?).update_agent(&args.name, &changes)?;
    fields::report(&args.name, &config, "updated", args.json, context)?;
    Ok(Exit::Success)
}

/// Marks a field to be removed; says whether nothing else was to happen to it.
fn unset<T: PartialEq>(field: &mut Field<T>) -> bool {
    matches!(std::mem::replace(field, Field::Unset), Field::Keep | Field::Unset)
}
