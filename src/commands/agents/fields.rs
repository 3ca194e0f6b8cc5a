//! What can be said about an agent, shared by `add` and `update`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use crate::commands::{Context, Problem, completions};
use crate::config::{Agent, AgentChanges, AgentName, BudgetUsd, Config, Field, Timeout};
use crate::engine::{BackendRef, Backends};
use crate::error::{Exit, Failure};

/// The fields of an agent as options.
#[derive(Debug, Args)]
pub(super) struct FieldArgs {
    /// What the agent is for
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// How long a run may take: 90, 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    timeout: Option<Timeout>,
    /// How long a run may be silent: 90, 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    idle_timeout: Option<Timeout>,
    /// What a run may cost, in US dollars
    #[arg(long, value_name = "DOLLARS", allow_hyphen_values = true)]
    max_budget_usd: Option<BudgetUsd>,
    /// The model, by the name the agent CLI knows
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The permission mode: default, plan, dontAsk, acceptEdits, auto, bypassPermissions
    #[arg(long, value_name = "MODE", add = completions::permission_modes())]
    permission_mode: Option<String>,
    /// Tools that need no permission, separated by commas; an empty value allows none
    #[arg(long, value_name = "TOOLS")]
    allowed_tools: Option<String>,
    /// Tools that are refused, separated by commas; an empty value refuses none
    #[arg(long, value_name = "TOOLS")]
    disallowed_tools: Option<String>,
    /// What the agent is good at, separated by commas
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    capabilities: Option<Vec<String>>,
    /// What it can do that deserves a second thought, separated by commas
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    risky_capabilities: Option<Vec<String>>,
    /// What the agent is told with every task
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    instructions: Option<String>,
    /// Which kind of program does the work
    #[arg(long, value_parser = backends(), value_name = "KIND")]
    backend: Option<BackendRef>,
    /// For `--backend command`: the program, once, and then each of its arguments
    #[arg(long = "command", value_name = "ARG", allow_hyphen_values = true)]
    command: Vec<String>,
    /// Whether the agent takes one task at a time
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    exclusive: Option<bool>,
    /// Whether the directory is to be used without a word about other users who own it or can write to it
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    trusted: Option<bool>,
}

/// The backends, by their names.
fn backends() -> impl TypedValueParser<Value = BackendRef> {
    let profiles = Backends::of_this_program().profiles();
    let values = profiles.map(|profile| PossibleValue::new(profile.name).help(profile.about));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<BackendRef>())
}

impl FieldArgs {
    /// The changes these options ask for.
    pub(super) fn changes(&self) -> AgentChanges {
        fn set<T: Clone>(value: Option<&T>) -> Field<T> {
            value.cloned().map_or(Field::Keep, Field::Set)
        }
        AgentChanges {
            description: set(self.description.as_ref()),
            timeout: set(self.timeout.as_ref()),
            idle_timeout: set(self.idle_timeout.as_ref()),
            capabilities: set(self.capabilities.as_deref().map(words).as_ref()),
            risky_capabilities: set(self.risky_capabilities.as_deref().map(words).as_ref()),
            max_budget_usd: set(self.max_budget_usd.as_ref()),
            model: set(self.model.as_ref()),
            permission_mode: set(self.permission_mode.as_ref()),
            allowed_tools: set(self.allowed_tools.as_deref().map(tools).as_ref()),
            disallowed_tools: set(self.disallowed_tools.as_deref().map(tools).as_ref()),
            instructions: set(self.instructions.as_ref()),
            backend: set(self.backend.as_ref()),
            command: if self.command.is_empty() { Field::Keep } else { Field::Set(self.command.clone()) },
            exclusive: set(self.exclusive.as_ref()),
            trusted: set(self.trusted.as_ref()),
            directory: None,
        }
    }
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
