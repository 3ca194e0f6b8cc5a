//! What can be said about an agent, shared by `add` and `update`: an option for each key of the table.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use serde_json::{Value, json};

use crate::backend::Backends;
use crate::commands::{Context, Problem, completions};
use crate::config::{AGENT_KEYS, Agent, AgentChanges, AgentName, BudgetUsd, Config, Timeout};
use crate::error::{Exit, Failure};
use crate::model::{FieldValue, Row, Slot};

/// The keys of an agent as options: what they change.
#[derive(Debug, Default)]
pub(super) struct FieldArgs {
    /// The changes these options ask for.
    pub(super) changes: AgentChanges,
}

impl Args for FieldArgs {
    fn augment_args(command: Command) -> Command {
        command.args(options().map(option))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FieldArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut fields = Self::default();
        fields.update_from_arg_matches(matches)?;
        Ok(fields)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for row in options() {
            if let Some(value) = given(row, matches) {
                self.changes.set(row, value);
            }
        }
        Ok(())
    }
}

/// The keys that are options: all but the directory, which `add` wants and `update` has an option of its own for.
fn options() -> impl Iterator<Item = &'static Row<Agent>> {
    AGENT_KEYS.iter().filter(|row| !matches!(row.slot, Slot::Path(_)))
}

/// The option for a key.
fn option(row: &'static Row<Agent>) -> Arg {
    let (value_name, more) = match row.slot {
        Slot::Path(_) => ("DIR", String::new()),
        Slot::Text(_) | Slot::Object(_) | Slot::Other => ("TEXT", String::new()),
        Slot::Word(_) => ("NAME", String::new()),
        Slot::Mode(_) => ("MODE", format!(": {}", Backends::of_this_program().permission_modes().join(", "))),
        Slot::Backend => ("KIND", String::new()),
        Slot::Duration(_) => ("DURATION", ": 90, 90s, 15m, 2h".to_owned()),
        Slot::Dollars(_) => ("DOLLARS", String::new()),
        Slot::Tools(_) => ("TOOLS", ", separated by commas; an empty value: none".to_owned()),
        Slot::Texts(_) => ("WORDS", ", separated by commas".to_owned()),
        Slot::Command(_) => ("ARG", "; once for the program and once for each argument".to_owned()),
        Slot::Flag(_) => ("true|false", String::new()),
        Slot::Count(..) => ("NUMBER", String::new()),
    };
    let option = Arg::new(row.name)
        .long(row.name.replace('_', "-"))
        .value_name(value_name)
        .help(format!("{}{more}", row.summary()));
    match row.slot {
        Slot::Mode(_) => option.add(completions::permission_modes()),
        Slot::Backend => option.value_parser(backends()),
        Slot::Duration(_) => option.allow_hyphen_values(true).value_parser(value_parser!(Timeout)),
        Slot::Dollars(_) => option.allow_hyphen_values(true).value_parser(value_parser!(BudgetUsd)),
        Slot::Texts(_) => option.action(ArgAction::Append).value_delimiter(','),
        Slot::Command(_) => option.action(ArgAction::Append).allow_hyphen_values(true),
        Slot::Flag(_) => option
            .value_parser(value_parser!(bool))
            .num_args(0..=1)
            .default_missing_value("true")
            .require_equals(true),
        Slot::Count(least, _) => option.value_parser(value_parser!(u32).range(i64::from(least)..)),
        Slot::Text(_) => option.allow_hyphen_values(true),
        Slot::Path(_) | Slot::Word(_) | Slot::Tools(_) | Slot::Object(_) | Slot::Other => option,
    }
}

/// The backends, by their names.
fn backends() -> PossibleValuesParser {
    let profiles = Backends::of_this_program().profiles();
    PossibleValuesParser::new(profiles.map(|profile| PossibleValue::new(profile.name).help(profile.about)))
}

/// The value that was given for a key.
fn given(row: &Row<Agent>, matches: &ArgMatches) -> Option<FieldValue> {
    let text = || matches.get_one::<String>(row.name);
    let texts = || Some(matches.get_many::<String>(row.name)?.cloned().collect::<Vec<_>>());
    Some(match row.slot {
        Slot::Path(_) | Slot::Object(_) | Slot::Other => return None,
        Slot::Text(_) | Slot::Word(_) | Slot::Mode(_) | Slot::Backend => FieldValue::Text(text()?.clone()),
        Slot::Duration(_) => FieldValue::Duration(*matches.get_one(row.name)?),
        Slot::Dollars(_) => FieldValue::Dollars(*matches.get_one(row.name)?),
        Slot::Tools(_) => FieldValue::Texts(tools(text()?)),
        Slot::Texts(_) => FieldValue::Texts(words(&texts()?)),
        Slot::Command(_) => FieldValue::Texts(texts()?),
        Slot::Flag(_) => FieldValue::Flag(*matches.get_one(row.name)?),
        Slot::Count(..) => FieldValue::Count(*matches.get_one(row.name)?),
    })
}

/// Splits a list of tools at the commas outside parentheses: `Read,Bash(git add, git rm)` names two.
fn tools(list: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut tools = vec![String::new()];
    for character in list.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                tools.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(tool) = tools.last_mut() {
            tool.push(character);
        }
    }
    words(&tools)
}

/// The items of a list that are not empty, without the spaces around them.
fn words(list: &[String]) -> Vec<String> {
    list.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// An agent as JSON: its name first, then what is configured.
pub(super) fn to_json(name: &AgentName, agent: &Agent) -> Value {
    let mut document = json!({ "name": name });
    if let (Some(document), Ok(Value::Object(fields))) =
        (document.as_object_mut(), serde_json::to_value(agent))
    {
        document.extend(fields);
    }
    document
}

/// Prints what became of an agent that was just written, and what to beware of about it.
pub(super) fn report<'a>(
    name: &AgentName,
    config: &'a Config,
    verb: &str,
    as_json: bool,
    context: &Context,
) -> Result<&'a Agent, Problem> {
    let Some(agent) = config.agents.get(name) else {
        return Err(Failure::new(Exit::Failure, format_args!("agent '{name}' is gone again")).into());
    };
    let fields = format!("agents.{name}.");
    for warning in config.warnings.iter().filter(|warning| warning.key.starts_with(&fields)) {
        context.ui.warn(format_args!("{}: {warning}", config.path.display()));
    }
    if as_json {
        context.ui.json(&to_json(name, agent))?;
    } else {
        context.ui.done(&format!("{verb} {name} in {}", agent.directory.display()))?;
    }
    Ok(agent)
}

#[cfg(test)]
mod tests {
    use super::tools;

    #[test]
    fn tools_are_split_at_commas_outside_parentheses() {
        assert_eq!(tools("Read, Bash(git add, git rm),,Edit"), ["Read", "Bash(git add, git rm)", "Edit"]);
        assert!(tools("").is_empty());
    }
}
