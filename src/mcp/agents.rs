//! `list_agents`: who there is, told from files alone.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::dispatch::refused;
use super::refused::Refused;
use super::result::Reply;
use super::server_state::ServerState;
use super::window::PART_CHARS;
use crate::config::{Agent, AgentName, BudgetUsd, Config, Group, GroupName, claude_md, describe};
use crate::engine::DirectoryFault;
use crate::model::Remedy;
use crate::store::RunStats;
use crate::ui::human;

/// How much of a description a list has, in characters.
const DESCRIPTION_CHARS: usize = 200;

/// How much of an agent's `CLAUDE.md` is shown, in characters.
const PREVIEW_CHARS: usize = 2_000;

/// Lists the agents, those of a group, or tells one in full.
pub(super) fn list(state: &ServerState, mut arguments: Arguments) -> Result<Reply, Refused> {
    let name = arguments.text("name")?;
    let group = arguments.text("group")?;
    arguments.end()?;
    let view = state.view()?;
    let config = view.config.as_ref();
    if let Some(name) = name {
        state.check_agent(&name, config).map_err(|error| refused(state, config, error))?;
        let found = config.agents.iter().find(|(known, _)| known.as_str() == name);
        let (name, agent) = found.ok_or_else(|| Refused::new("the agent is gone"))?;
        return Ok(Reply::of_fields(in_full(name, agent, config, view.dispatch.usual(name.as_str()))));
    }
    let usual = view.dispatch.typical_by_agent();
    let Some(group) = group else {
        let mut fields = listed(state.agents(config), config, None, &usual);
        if fields["agents"].as_array().is_some_and(Vec::is_empty) {
            let add = state.advisor().tell(&Remedy::AddAgent {}, &|_| None);
            fields.insert("next".to_owned(), format!("there are no agents; {add}").into());
        }
        return Ok(Reply::of_fields(Value::Object(fields)));
    };
    let (group_name, group) = group_named(&group, config)?;
    let members =
        state.agents(config).filter(|(name, _)| group.members.iter().any(|member| member.agent == **name));
    let mut fields = listed(members, config, Some(group), &usual);
    fields.insert("group".to_owned(), json!(group_name));
    if !group.description.is_empty() {
        fields.insert("description".to_owned(), json!(group.description));
    }
    Ok(Reply::of_fields(Value::Object(fields)))
}

fn group_named<'a>(name: &str, config: &'a Config) -> Result<(&'a GroupName, &'a Group), Refused> {
    config.groups.iter().find(|(known, _)| known.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = config.groups.keys().map(GroupName::as_str).collect();
        let known = if names.is_empty() {
            "There are no groups".to_owned()
        } else {
            format!("The groups are {}", names.join(", "))
        };
        Refused::with_advice(format_args!("there is no group '{name}'"), known)
    })
}

/// As many agents as fit into one result, and the names of the others.
fn listed<'a>(
    agents: impl Iterator<Item = (&'a AgentName, &'a Agent)>,
    config: &Config,
    group: Option<&Group>,
    usual: &HashMap<String, RunStats>,
) -> Map<String, Value> {
    let mut told = Vec::new();
    let mut more = Vec::new();
    let mut chars = 0;
    for (name, agent) in agents {
        if chars > PART_CHARS {
            more.push(name.as_str());
            continue;
        }
        let entry = in_short(name, agent, config, group, usual.get(name.as_str()).copied());
        chars += entry.to_string().len();
        told.push(entry);
    }
    let mut fields = Map::new();
    fields.insert("agents".to_owned(), told.into());
    if !more.is_empty() {
        fields.insert("more_agents".to_owned(), more.into());
        fields.insert("next".to_owned(), "list_agents with name or group tells about these".into());
    }
    fields
}

fn in_short(
    name: &AgentName,
    agent: &Agent,
    config: &Config,
    group: Option<&Group>,
    usual: Option<RunStats>,
) -> Value {
    let facts = describe(&agent.directory);
    let description = if agent.description.is_empty() { &facts.description } else { &agent.description };
    let member = group.and_then(|group| group.members.iter().find(|member| member.agent == *name));
    let groups: Vec<&str> = match group {
        Some(_) => Vec::new(),
        None => config.groups_of(name).map(|(group, _)| group.as_str()).collect(),
    };
    let mut entry = json!({
        "name": name,
        "description": human::one_line(description, DESCRIPTION_CHARS),
        "use_for": member.map(|member| member.use_for.as_str()),
        "groups": groups,
        "capabilities": agent.capabilities,
        "risky_capabilities": agent.risky_capabilities,
        "mcp_servers": facts.mcp_servers,
        "stacks": facts.stacks,
        "databases": facts.databases,
        "usually": usual.map(usually),
        "problem": problem(agent),
    });
    without_empty(&mut entry);
    entry
}

/// What a run takes and costs.
fn usually(usual: RunStats) -> String {
    let took = |millis| human::duration(Duration::from_millis(millis));
    let cost = usual.median_cost_usd.map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
    format!("{} (9 of 10 within {}){cost}", took(usual.median_ms), took(usual.p90_ms))
}

fn in_full(name: &AgentName, agent: &Agent, config: &Config, usual: Option<RunStats>) -> Value {
    let mut entry = in_short(name, agent, config, None, usual);
    let effective = agent.effective(&config.settings);
    let mut more = json!({
        "description": agent.description,
        "directory": agent.directory,
        "backend": agent.backend,
        "timeout_seconds": effective.timeout.seconds(),
        "max_budget_usd": effective.max_budget_usd.map(BudgetUsd::dollars),
        "model": effective.model,
        "permission_mode": effective.permission_mode,
        "allowed_tools": effective.allowed_tools,
        "disallowed_tools": effective.disallowed_tools,
        "exclusive": agent.exclusive.then_some(true),
        "claude_md": claude_md(&agent.directory, PREVIEW_CHARS),
    });
    without_empty(&mut more);
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}

/// Why a dispatch to the agent could not work, as far as a look at its directory tells.
fn problem(agent: &Agent) -> Option<String> {
    DirectoryFault::of(&agent.directory).map(|fault| format!("its directory {fault}"))
}

/// Leaves out what says nothing.
fn without_empty(entry: &mut Value) {
    if let Value::Object(fields) = entry {
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        });
    }
}
