//! `groups update`: change a group.

use clap::{Args, ValueEnum};

use super::fields::{self, MemberArg, TextArgs};
use crate::commands::{CommandResult, Context, completions};
use crate::config::{AgentName, Editor, Field, GroupChanges, GroupName, Member};
use crate::error::{Exit, Failure};

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
    let config = context.config()?;
    let (_, group) = fields::find(args.name.as_str(), &config)?;
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
    if !(args.members.is_empty() && args.removed.is_empty()) {
        let added: Vec<Member> = args.members.iter().map(|member| member.0.clone()).collect();
        fields::check_members(&added, &config)?;
        changes.members = Field::Set(merge(&group.members, &added, &args.removed)?);
    }
    if changes == GroupChanges::default() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .hint("name a member or a field: `agent-dispatch groups update --help` lists them")
            .into());
    }
    let config = Editor::new(context.config_path()?).update_group(&args.name, &changes)?;
    fields::report(&args.name, &config, "updated", args.json, context)
}

/// The members there will be: those who stay in their order, then the new ones.
fn merge(present: &[Member], added: &[Member], removed: &[AgentName]) -> Result<Vec<Member>, Failure> {
    if let Some(stranger) = removed.iter().find(|name| present.iter().all(|member| member.agent != **name)) {
        return Err(Failure::new(Exit::NotFound, format_args!("'{stranger}' is not a member"))
            .hint("`agent-dispatch groups list` lists the members"));
    }
    let mut members: Vec<Member> =
        present.iter().filter(|member| !removed.contains(&member.agent)).cloned().collect();
    for new in added {
        match members.iter_mut().find(|member| member.agent == new.agent) {
            Some(member) => *member = new.clone(),
            None => members.push(new.clone()),
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(agent: &str, use_for: &str) -> Member {
        Member { agent: agent.parse().unwrap(), use_for: use_for.to_owned() }
    }

    #[test]
    fn members_keep_their_order_and_new_ones_come_last() {
        let present = [member("api", "routes"), member("web", ""), member("db", "")];
        let added = [member("ops", ""), member("db", "schema")];
        let merged = merge(&present, &added, &["web".parse().unwrap()]).unwrap();
        assert_eq!(merged, [member("api", "routes"), member("db", "schema"), member("ops", "")]);
        assert!(merge(&present, &[], &["ops".parse().unwrap()]).is_err());
    }
}
