//! `agents list`: who there is.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::fields;
use crate::commands::{CommandResult, Context};
use crate::config::{Agent, AgentName};
use crate::error::Exit;
use crate::ui::{Cell, Table, Tone, human};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch agents list
  agent-dispatch agents list --json | jq -r '.[] | select(.exists | not) | .name'";

/// Arguments of `agents list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// Print an array of agents as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> CommandResult {
    let config = context.config()?;
    let exist = exist(&config.agents.values().map(|agent| agent.directory.as_path()).collect::<Vec<_>>());
    let agents = config.agents.iter().zip(exist);
    if args.json {
        let document = |((name, agent), exists): ((&AgentName, &Agent), bool)| {
            let mut document = fields::to_json(name, agent);
            document["exists"] = exists.into();
            document
        };
        let documents: Vec<Value> = agents.map(document).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if config.agents.is_empty() {
        context.ui.note(format_args!("no agents in {}", config.path.display()));
        context.ui.hint("add one with `agent-dispatch agents add NAME DIR`");
        return Ok(Exit::Success);
    }
    let rows = agents.map(|((name, agent), exists)| {
        let directory = agent.directory.display().to_string();
        let directory = if exists {
            Cell::from(directory)
        } else {
            Cell::toned(format!("{directory} (missing)"), Tone::Bad)
        };
        vec![name.as_str().into(), directory, human::one_line(&agent.description, 100).into()]
    });
    let headings = ["AGENT", "DIRECTORY", "DESCRIPTION"];
    let table = Table { headings: &headings, spare: &[], last_at_least: 24, rows: rows.collect() };
    context.ui.data(&table.for_output(context.ui))?;
    Ok(Exit::Success)
}

/// Which of the directories exist. Looking costs most of the time for many agents, and two threads look twice as fast.
fn exist(directories: &[&Path]) -> Vec<bool> {
    let look =
        |directories: &[&Path]| -> Vec<bool> { directories.iter().map(|path| path.is_dir()).collect() };
    if directories.len() < 100 {
        return look(directories);
    }
    let (one, other) = directories.split_at(directories.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| look(other));
        let mut all = look(one);
        all.extend(other.join().unwrap_or_default());
        all
    })
}
