//! `groups update`: change a group.

use clap::{Args, ValueEnum};

use super::fields::{self, MemberArg, TextArgs};
use crate::commands::{CommandResult, Context, completions};
use crate::config::{AgentName, Editor, Field, GroupChanges, GroupName, MemberChanges};
use crate::error::{Exit, Failure};
use crate::model::Remedy;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch groups update shop --member \"db=migrations\" --remove-member web
  agent-dispatch groups update shop --unset shared_context";

/// Arguments of `groups update`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UpdateArgs {
    /// The group's name
    #[arg(value_name = "NAME", add = completions::groups())]
    name: GroupName,
    /// An agent to add, and after `=` what to use it for; of a member it changes the use
    #[arg(long = "member", value_name = "AGENT[=USE]", add = completions::agents())]
    members: Vec<MemberArg>,
    /// A member to leave out from now on
    #[arg(long = "remove-member", value_name = "AGENT", add = completions::agents())]
    removed: Vec<AgentName>,
    #[command(flatten)]
    texts: TextArgs,
    /// Remove fields
    #[arg(long, value_enum, value_name = "FIELD", value_delimiter = ',')]
    unset: Vec<Unset>,
    /// Print the group as JSON
    #[arg(long)]
    json: bool,
}

/// A field that can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Unset {
    Description,
    SharedContext,
}

pub(crate) fn run(args: &UpdateArgs, context: &Context) -> CommandResult {
    let mut changes = args.texts.changes();
    for field in &args.unset {
        let field = match field {
            Unset::Description => &mut changes.description,
            Unset::SharedContext => &mut changes.shared_context,
        };
        if matches!(field, Field::Set(_)) {
            return Err(Failure::new(Exit::Usage, "a field cannot be both set and unset").into());
        }
        *field = Field::Unset;
    }
    changes.members = MemberChanges {
        put: args.members.iter().map(|member| member.0.clone()).collect(),
        remove: args.removed.clone(),
    };
    fields::check_members(&changes.members.put, &context.config()?)?;
    if changes == GroupChanges::default() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .remedy(Remedy::ReadHelp { command: ["groups", "update"].map(str::to_owned).to_vec() })
            .into());
    }
    let config = Editor::new(context.present_config_path()?).update_group(&args.name, &changes)?;
    fields::report(&args.name, &config, "updated", args.json, context)
}
