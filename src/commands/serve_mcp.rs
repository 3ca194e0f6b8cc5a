//! `serve-mcp`: the jobs as tools for MCP clients.

use clap::Args;

use super::{CommandResult, Context, completions};
use crate::config::AgentName;
use crate::error::{Exit, Failure};
use crate::mcp::{self, Authority};
use crate::remedy::Commands;

const EXAMPLES: &str = "\
Example:
  claude mcp add agent-dispatch -s user -- agent-dispatch serve-mcp";

/// Arguments of `serve-mcp`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeMcpArgs {
    /// Only these agents exist for the client, separated by commas
    #[arg(long, value_name = "NAMES", add = completions::agents(), value_delimiter = ',')]
    agents: Option<Vec<AgentName>>,
    /// Only look: no tool that starts, stops or deletes anything
    #[arg(long, conflicts_with = "allow_configure")]
    read_only: bool,
    /// Let the client add, change and remove agents: it can then grant permissions, to itself too
    #[arg(long)]
    allow_configure: bool,
}

pub(crate) fn run(args: &ServeMcpArgs, context: &Context) -> CommandResult {
    for unknown in args.agents.iter().flatten().filter_map(|agent| context.unknown_agent(agent.as_str())) {
        context.ui.warn(unknown);
    }
    let authority = Authority {
        agents: args.agents.clone(),
        read_only: args.read_only,
        allow_configure: args.allow_configure,
    };
    let options = context.place_options()?;
    let commands = Commands::with_options(options.iter().map(|option| option.to_string_lossy()));
    mcp::serve(context.config_path()?, context.jobs_path()?, commands, authority)
        .map_err(|error| Failure::new(Exit::Failure, format_args!("failed to serve: {error}")))?;
    Ok(Exit::Success)
}
