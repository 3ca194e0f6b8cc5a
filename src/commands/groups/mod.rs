//! `groups`: working sets of agents that belong together.

mod add;
mod fields;
mod list;
mod remove;
mod show;
mod update;

use clap::Subcommand;

use super::{CommandResult, Context};

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a group of agents
    Add(add::AddArgs),
    /// List the groups
    List(list::ListArgs),
    /// Show a group, its members and what they are told
    Show(show::ShowArgs),
    /// Change a group
    Update(update::UpdateArgs),
    /// Forget a group; its agents stay
    Remove(remove::RemoveArgs),
}

pub(crate) fn run(command: &Command, context: &Context) -> CommandResult {
    match command {
        Command::Add(args) => add::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Update(args) => update::run(args, context),
        Command::Remove(args) => remove::run(args, context),
    }
}
