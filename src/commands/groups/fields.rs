//! What can be said about a group, shared by the commands for groups.

use std::str::FromStr;

use clap::Args;
use serde_json::{Value, json};

use crate::commands::Context;
use crate::config::{
    Config, EditError, EntryKind, Field, Group, GroupChanges, GroupName, InvalidName, Member,
};
use crate::engine::DispatchError;
use crate::error::{Exit, Failure};
use crate::ui::human;

/// The texts of a group as options.
#[derive(Debug, Args)]
pub(super) struct TextArgs {
    /// What the group is for, told to callers
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// What every member is told before its own context
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    shared_context: Option<String>,
}

impl TextArgs {
    /// The changes these options ask for.
    pub(super) fn changes(&self) -> GroupChanges {
        let set = |text: &Option<String>| text.clone().map_or(Field::Keep, Field::Set);
        GroupChanges {
            description: set(&self.description),
            shared_context: set(&self.shared_context),
            ..GroupChanges::default()
        }
    }
}

/// A member as it is typed: `AGENT` or `AGENT=what to use it for`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemberArg(pub(super) Member);

impl FromStr for MemberArg {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (agent, use_for) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self(Member { agent: agent.trim().parse()?, use_for: use_for.trim().to_owned() }))
    }
}

/// Refuses members that are no agents.
pub(super) fn check_members(members: &[Member], config: &Config) -> Result<(), Failure> {
    for Member { agent, .. } in members {
        if !config.agents.contains_key(agent) {
            let nearest = config.nearest(agent.as_str()).cloned();
            return Err(DispatchError::UnknownAgent { name: agent.to_string(), nearest }.into());
        }
    }
    Ok(())
}

/// The group of this name.
pub(super) fn find<'a>(name: &str, config: &'a Config) -> Result<(&'a GroupName, &'a Group), Failure> {
    config.groups.iter().find(|(known, _)| known.as_str() == name).ok_or_else(|| {
        let nearest = config.nearest_group(name).map(ToString::to_string);
        EditError::Unknown { kind: EntryKind::Group, name: name.to_owned(), nearest }.into()
    })
}

/// A group as JSON: its name first, then what is configured.
pub(super) fn to_json(name: &GroupName, group: &Group) -> Value {
    let mut document = json!({ "name": name });
    if let (Some(document), Ok(Value::Object(fields))) =
        (document.as_object_mut(), serde_json::to_value(group))
    {
        document.extend(fields);
    }
    document
}

/// Prints what became of a group that was just written.
pub(super) fn report(
    name: &GroupName,
    config: &Config,
    verb: &str,
    as_json: bool,
    context: &Context,
) -> crate::commands::CommandResult {
    let (name, group) = find(name.as_str(), config)?;
    if as_json {
        context.ui.json(&to_json(name, group))?;
    } else {
        context.ui.done(&format!("{verb} {name}: {}", human::count(group.members.len(), "member")))?;
    }
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AgentName;

    fn member(agent: &AgentName, use_for: &str) -> MemberArg {
        MemberArg(Member { agent: agent.clone(), use_for: use_for.to_owned() })
    }

    #[test]
    fn a_member_is_an_agent_and_what_to_use_it_for() {
        let api: AgentName = "api".parse().unwrap();
        assert_eq!("api".parse(), Ok(member(&api, "")));
        assert_eq!("api = routes=all ".parse(), Ok(member(&api, "routes=all")));
        assert!("=x".parse::<MemberArg>().is_err());
    }
}
