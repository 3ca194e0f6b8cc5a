//! `agents show`: one agent in full.

use clap::Args;
use serde_json::{Value, json};

use super::fields;
use crate::commands::{CommandResult, Context, completions};
use crate::config::{AgentName, BudgetUsd, describe};
use crate::engine::{DirectoryFault, DispatchError};
use crate::error::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch agents show infra
  agent-dispatch agents show infra --json | jq .effective";

/// Arguments of `agents show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// The agent's name
    #[arg(value_name = "NAME", add = completions::agents())]
    name: String,
    /// Print the agent as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> CommandResult {
    let config = context.config()?;
    let found = args.name.parse().ok().and_then(|name: AgentName| config.agents.get_key_value(&name));
    let Some((name, agent)) = found else {
        let nearest = config.nearest(&args.name).cloned();
        return Err(DispatchError::UnknownAgent { name: args.name.clone(), nearest }.into());
    };
    let effective = agent.effective(&config.settings);
    let facts = describe(&agent.directory);
    let mut document = fields::to_json(name, agent);
    document["effective"] = json!({
        "timeout_seconds": effective.timeout.seconds(),
        "model": effective.model,
        "max_budget_usd": effective.max_budget_usd.map(BudgetUsd::dollars),
        "permission_mode": effective.permission_mode,
        "allowed_tools": effective.allowed_tools,
        "disallowed_tools": effective.disallowed_tools,
    });
    if let Value::Object(fields) = &mut document["effective"] {
        fields.retain(|_, value| !value.is_null());
    }
    if let Some(exists) = DirectoryFault::exists(DirectoryFault::of(&agent.directory).as_ref()) {
        document["exists"] = exists.into();
    }
    document["has_claude_md"] = facts.has_claude_md.into();
    document["mcp_servers"] = json!(facts.mcp_servers);
    document["stacks"] = json!(facts.stacks);
    document["databases"] = json!(facts.databases);
    document["groups"] = config.groups_of(name).map(|(group, _)| Value::String(group.to_string())).collect();
    if args.json {
        context.ui.json(&document)?;
    } else {
        // Unlike no list, an empty one says something: it takes the place of the settings' list.
        for (key, list) in
            [("allowed_tools", &agent.allowed_tools), ("disallowed_tools", &agent.disallowed_tools)]
        {
            if list.as_ref().is_some_and(Vec::is_empty) {
                document[key] = "none".into();
                document["effective"][key] = "none".into();
            }
        }
        without_empty(&mut document);
        let text = serde_yaml::to_string(&document).map_err(|error| Failure::new(Exit::Failure, error))?;
        context.ui.data(&text)?;
    }
    Ok(Exit::Success)
}

/// Leaves out what says nothing, for people.
fn without_empty(document: &mut Value) {
    if let Value::Object(fields) = document {
        fields.values_mut().for_each(without_empty);
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        });
    }
}
