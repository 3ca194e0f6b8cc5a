//! `agents list`: who there is.

use clap::Args;
use serde_json::Value;

use super::fields;
use crate::commands::{CommandResult, Context};
use crate::config::{Agent, AgentName};
use crate::error::Exit;
use crate::ui::{Tone, human, table};

/// Arguments of `agents list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Print an array of agents as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> CommandResult {
    let config = context.config()?;
    if args.json {
        let document = |(name, agent): (&AgentName, &Agent)| {
            let mut document = fields::to_json(name, agent);
            document["exists"] = agent.directory.is_dir().into();
            document
        };
        let documents: Vec<Value> = config.agents.iter().map(document).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if config.agents.is_empty() {
        context.ui.note(format_args!("no agents in {}", config.path.display()));
        context.ui.hint("add one with `agent-dispatch agents add NAME DIR`");
        return Ok(Exit::Success);
    }
    let rows = config.agents.iter().map(|(name, agent)| {
        let directory = agent.directory.display().to_string();
        let directory = if agent.directory.is_dir() {
            directory
        } else {
            format!("{directory} {}", context.ui.tone("(missing)", Tone::Bad))
        };
        vec![name.to_string(), directory, human::one_line(&agent.description, 100)]
    });
    context.ui.data(&table(&["AGENT", "DIRECTORY", "DESCRIPTION"], rows))?;
    Ok(Exit::Success)
}
