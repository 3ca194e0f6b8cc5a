//! `agents list`: who there is.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::fields;
use crate::commands::{CommandResult, Context};
use crate::config::{Agent, AgentName};
use crate::engine::DirectoryFault;
use crate::error::Exit;
use crate::model::Remedy;
use crate::ui::{Cell, Style, Table, human};

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
    let faults = faults(&config.agents.values().map(|agent| agent.directory.as_path()).collect::<Vec<_>>());
    let agents = config.agents.iter().zip(faults);
    if args.json {
        let document = |((name, agent), fault): ((&AgentName, &Agent), Option<DirectoryFault>)| {
            let mut document = fields::to_json(name, agent);
            if let Some(exists) = DirectoryFault::exists(fault.as_ref()) {
                document["exists"] = exists.into();
            }
            document
        };
        let documents: Vec<Value> = agents.map(document).collect();
        context.ui.json(&documents)?;
        return Ok(Exit::Success);
    }
    if config.agents.is_empty() {
        context.ui.note(format_args!("no agents in {}", config.path.display()));
        context.ui.hint(&context.ui.commands().tell(&Remedy::AddAgent {}));
        return Ok(Exit::Success);
    }
    let rows = agents.map(|((name, agent), fault)| {
        let directory = agent.directory.display().to_string();
        let directory = match fault {
            None => Cell::from(directory),
            Some(fault) => Cell::styled(format!("{directory} ({})", fault.word()), Style::Bad),
        };
        vec![name.as_str().into(), directory, human::one_line(&agent.description, 100).into()]
    });
    let headings = ["AGENT", "DIRECTORY", "DESCRIPTION"];
    let table = Table { headings: &headings, spare: &[], last_at_least: 24, rows: rows.collect() };
    context.ui.data(&table.for_output(context.ui))?;
    Ok(Exit::Success)
}

/// What is wrong with each of the directories. Looking costs most of the time for many agents, and two threads look twice as fast.
fn faults(directories: &[&Path]) -> Vec<Option<DirectoryFault>> {
    let look = |directories: &[&Path]| -> Vec<_> {
        directories.iter().map(|path| DirectoryFault::of(path)).collect()
    };
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
