//! The command line: what can be typed, parsed straight into the types the rest works with. No I/O.

mod mistyped;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};

#[cfg(feature = "mcp")]
use crate::commands::serve_mcp;
use crate::commands::{
    agents, batch, cancel, completions, dialogue, doctor, gc, groups, hook, init, jobs, logs, result, resume,
    retry, run, stats, status, submit, wait,
};
use crate::ui::{ColorChoice, Ui, Volume};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the agent failed, or an internal error
  2    wrong usage or a broken config
  3    no such agent, job, file, directory or agent CLI
  4    denied (with --strict: also a success with denied tools)
  5    spend cap reached
  6    account usage limit, or the API overloaded: try later
  7    dispatch depth exceeded
  8    not logged in, bad key, no credit
  9    with --strict: the agent reports partial or blocked, answered nothing, or left
       commands that had to be stopped
  124  timed out
  130  interrupted or cancelled (143: told to terminate)";

/// Hand tasks to coding agents that live in other project directories.
#[derive(Debug, Parser)]
#[command(name = "agent-dispatch", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The command line of this process; exits when it is not understood, or asks for help.
    pub(crate) fn of_this_process() -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        let command = Self::command();
        let parsed = match mistyped::find(&command, &words) {
            Some(error) => Err(error),
            None => command.try_get_matches_from(words).and_then(|matches| Self::from_arg_matches(&matches)),
        };
        parsed.unwrap_or_else(|error| {
            Ui::new(ColorChoice::Auto, Volume::Normal).usage(&error);
            std::process::exit(error.exit_code())
        })
    }
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    // The variables are read where the paths are made: empty ones count as unset there.
    /// The config file [env: AGENT_DISPATCH_CONFIG] [default: ~/.config/agent-dispatch/agents.yaml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The directory with the jobs [env: AGENT_DISPATCH_JOBS_DIR] [default: jobs/ beside the config file]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) jobs_dir: Option<PathBuf>,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,
    /// Say only what went wrong
    #[arg(long, short, global = true, overrides_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also say which config and jobs are used, and all that the agent does
    #[arg(long, short, global = true, action = ArgAction::Count, overrides_with = "quiet")]
    pub(crate) verbose: u8,
}

impl Global {
    pub(crate) fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (false, 1..) => Volume::Verbose,
            (false, 0) => Volume::Normal,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create the config and make this tool known to Claude Code
    Init(init::InitArgs),
    /// Manage the agents: directories that tasks can be handed to
    #[command(subcommand)]
    Agents(agents::Command),
    /// Manage the groups: working sets of agents that belong together
    #[command(subcommand)]
    Groups(groups::Command),
    /// Hand a task to an agent and wait for the answer
    Run(run::RunArgs),
    /// Hand a task to an agent in the background and print the job's id
    Submit(submit::SubmitArgs),
    /// Go on with the conversation of a job
    Resume(resume::ResumeArgs),
    /// Make the request of a job once more, in a new session
    Retry(retry::RetryArgs),
    /// Hand many tasks to agents at once, and wait for all answers
    Batch(batch::BatchArgs),
    /// Let two agents work something out in turns
    Dialogue(dialogue::DialogueArgs),
    /// Print a job's answer
    Result(result::ResultArgs),
    /// Show how a job is doing
    Status(status::StatusArgs),
    /// List jobs, newest first
    Jobs(jobs::JobsArgs),
    /// Wait until jobs are over
    Wait(wait::WaitArgs),
    /// Show what a job's agent did
    Logs(logs::LogsArgs),
    /// Stop jobs
    Cancel(cancel::CancelArgs),
    /// Delete jobs that are over
    Gc(gc::GcArgs),
    /// Show how often the agents succeed, what they cost and how long they take
    Stats(stats::StatsArgs),
    /// Say what is wrong, and which command mends it
    Doctor(doctor::DoctorArgs),
    /// Serve the jobs to an MCP client on standard input and output
    #[cfg(feature = "mcp")]
    #[command(alias = "serve")]
    ServeMcp(serve_mcp::ServeMcpArgs),
    /// Print the script that lets a shell complete this tool's commands
    Completions(completions::CompletionsArgs),
    /// Called by other programs when something happens in them
    #[command(subcommand)]
    Hook(hook::Command),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
