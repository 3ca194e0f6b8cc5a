//! `agents show`: one agent in full.

use clap::Args;
use serde_json::{Value, json};

use super::fields;
use crate::commands::{CommandResult, Context};
use crate::config::{AgentName, BudgetUsd, describe};
use crate::engine::DispatchError;
use crate::error::Exit;

/// Arguments of `agents show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The agent's name
    #[arg(value_name = "NAME")]
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
        "max_budget_usd": effective.max_budget_usd.map(BudgetUsd::dollars),
        "permission_mode": effective.permission_mode,
        "allowed_tools": effective.allowed_tools,
        "disallowed_tools": effective.disallowed_tools,
    });
    document["exists"] = agent.directory.is_dir().into();
    document["has_claude_md"] = facts.has_claude_md.into();
    document["mcp_servers"] = json!(facts.mcp_servers);
    document["stacks"] = json!(facts.stacks);
    document["databases"] = json!(facts.databases);
    document["groups"] = config.groups_of(name).map(|(group, _)| Value::String(group.to_string())).collect();
    if args.json {
        context.ui.json(&document)?;
    } else {
        context.ui.data(&in_lines(&document, 0))?;
    }
    Ok(Exit::Success)
}

/// A document as indented lines, without what is empty.
fn in_lines(document: &Value, indent: usize) -> String {
    let mut lines = Vec::new();
    for (key, value) in document.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::Array(items) if items.is_empty() => continue,
            Value::Object(_) => {
                lines.push(format!("{:indent$}{key}:", ""));
                lines.push(in_lines(value, indent + 2));
                continue;
            }
            Value::String(text) => text.replace('\n', &format!("\n{:1$}", "", indent + 2)),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        lines.push(format!("{:indent$}{key}: {text}", ""));
    }
    lines.join("\n")
}
