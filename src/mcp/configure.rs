//! `configure_agent`: adds, changes and removes agents, for clients that were allowed to.

use serde_json::json;

use super::arguments::{Arguments, settable};
use super::dispatch::refused;
use super::refused::Refused;
use super::result::Reply;
use super::server_state::ServerState;
use crate::config::{Agent, AgentChanges, AgentName, EditError, Editor, agent_directory};
use crate::model::{Row, Slot};

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
        let view = state.view()?;
        let config = view.config.as_ref();
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
            changes.describe(&directory);
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
    let mut changes = AgentChanges::default();
    for row in settable() {
        if let Some(value) = arguments.field(row)? {
            changes.set(row, value);
        }
    }
    Ok(changes)
}

/// Removes a field, so that the settings' default holds again.
fn remove(changes: &mut AgentChanges, field: &str) -> Result<(), String> {
    let removable = |row: &&Row<Agent>| row.json == field && !matches!(row.slot, Slot::Path(_));
    let row = settable().find(removable);
    let row = row.ok_or_else(|| format!("unset: there is no field {field} that could be removed"))?;
    changes.unset(row);
    Ok(())
}
