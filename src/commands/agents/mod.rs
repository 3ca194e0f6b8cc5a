//! `agents`: the registry of directories that tasks can be handed to.

mod add;
mod fields;
mod list;
mod remove;
mod schema;
mod show;
mod update;

use clap::Subcommand;

use super::{CommandResult, Context};

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register a directory as an agent
    Add(add::AddArgs),
    /// List the agents
    List(list::ListArgs),
    /// Show what is configured for an agent, and what its directory holds
    Show(show::ShowArgs),
    /// Change an agent
    Update(update::UpdateArgs),
    /// Forget an agent; its directory stays
    Remove(remove::RemoveArgs),
    /// Print the JSON Schema of the config, for editors
    Schema(schema::SchemaArgs),
}

pub(crate) fn run(command: &Command, context: &Context) -> CommandResult {
    match command {
        Command::Add(args) => add::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Update(args) => update::run(args, context),
        Command::Remove(args) => remove::run(args, context),
        Command::Schema(args) => schema::run(args, context),
    }
}
