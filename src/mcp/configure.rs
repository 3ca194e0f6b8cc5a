//! `configure_agent`: adds, changes and removes agents, for clients that were allowed to.

use std::path::PathBuf;

use serde_json::json;

use super::arguments::Arguments;
use super::dispatch::refused;
use super::refused::Refused;
use super::result::Reply;
use super::server_state::ServerState;
use crate::config::{
    AgentChanges, AgentName, BudgetUsd, EditError, Editor, Field, agent_directory, describe,
};

/// Does what `action` says.
pub(super) fn configure(state: &ServerState, mut arguments: Arguments) -> Result<Reply, Refused> {
    let action = arguments.required_text("action")?;
    let name: AgentName = arguments.parsed("name")?.ok_or_else(|| arguments.missing("name"))?;
    let unset = arguments.texts("unset")?.unwrap_or_default();
    let mut changes = changes(&mut arguments)?;
    arguments.end()?;
    for field in &unset {
        remove(&mut changes, field).map_err(|problem| arguments.refuse(problem))?;
    }
    if !state.shows(name.as_str()) {
        return Err(arguments.refuse(format_args!("this server is not for the agent '{name}'")));
    }
    if matches!(action.as_str(), "update" | "remove") {
        let engine = state.engine()?;
        let config = engine.config();
        state.check_agent(name.as_str(), config).map_err(|error| refused(state, config, error))?;
    }
    let editor = Editor::new(state.config_path());
    let unusable = |error| match error {
        EditError::Config(error) => state.unusable_config(error),
        error => Refused::from(error),
    };
    match action.as_str() {
        "add" => {
            let Some(directory) = changes.directory.take() else {
                return Err(arguments.refuse("an agent needs a directory"));
            };
            let directory = agent_directory(&directory)?;
            if changes.description == Field::Keep {
                let description = describe(&directory).description;
                if !description.is_empty() {
                    changes.description = Field::Set(description);
                }
            }
            editor.add_agent(&name, &directory, &changes).map_err(unusable)?;
        }
        "update" if changes == AgentChanges::default() => {
            return Err(arguments.refuse("there is nothing to change: name a field, or one in unset"));
        }
        "update" => drop(editor.update_agent(&name, &changes).map_err(unusable)?),
        "remove" => drop(editor.remove_agent(&name).map_err(unusable)?),
        other => {
            return Err(arguments.refuse(format_args!("action must be add, update or remove, not {other:?}")));
        }
    }
    Ok(Reply::of_fields(json!({ "name": name, "action": action })))
}

fn changes(arguments: &mut Arguments) -> Result<AgentChanges, Refused> {
    fn set<T>(value: Option<T>) -> Field<T> {
        value.map_or(Field::Keep, Field::Set)
    }
    let budget = match arguments.number("max_budget_usd")? {
        None => None,
        Some(dollars) => Some(
            BudgetUsd::new(dollars)
                .map_err(|error| arguments.refuse(format_args!("max_budget_usd: {error}")))?,
        ),
    };
    Ok(AgentChanges {
        directory: arguments.text("directory")?.map(PathBuf::from),
        description: set(arguments.text("description")?),
        timeout: set(arguments.timeout("timeout_seconds")?),
        idle_timeout: set(arguments.timeout("idle_timeout_seconds")?),
        max_budget_usd: set(budget),
        model: set(arguments.text("model")?),
        permission_mode: set(arguments.text("permission_mode")?),
        allowed_tools: set(arguments.texts("allowed_tools")?),
        disallowed_tools: set(arguments.texts("disallowed_tools")?),
        capabilities: set(arguments.texts("capabilities")?),
        risky_capabilities: set(arguments.texts("risky_capabilities")?),
        instructions: set(arguments.text("instructions")?),
        exclusive: set(arguments.optional_flag("exclusive")?),
        // Whom to trust stays with the user.
        trusted: Field::Keep,
        // Which program an agent is stays with the user: it would be any program.
        backend: Field::Keep,
        command: Field::Keep,
    })
}

/// Removes a field, so that the settings' default holds again.
fn remove(changes: &mut AgentChanges, field: &str) -> Result<(), String> {
    match field {
        "description" => changes.description = Field::Unset,
        "timeout_seconds" => changes.timeout = Field::Unset,
        "idle_timeout_seconds" => changes.idle_timeout = Field::Unset,
        "max_budget_usd" => changes.max_budget_usd = Field::Unset,
        "model" => changes.model = Field::Unset,
        "permission_mode" => changes.permission_mode = Field::Unset,
        "allowed_tools" => changes.allowed_tools = Field::Unset,
        "disallowed_tools" => changes.disallowed_tools = Field::Unset,
        "capabilities" => changes.capabilities = Field::Unset,
        "risky_capabilities" => changes.risky_capabilities = Field::Unset,
        "instructions" => changes.instructions = Field::Unset,
        "exclusive" => changes.exclusive = Field::Unset,
        other => return Err(format!("unset: there is no field {other} that could be removed")),
    }
    Ok(())
}
