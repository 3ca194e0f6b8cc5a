//! The command line: what can be typed, parsed straight into the types the rest works with, and the command run.

mod mistyped;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(feature = "mcp")]
use crate::commands::serve_mcp;
use crate::commands::{
    CommandResult, Context, Global, Problem, agents, batch, cancel, completions, dialogue, doctor, gc,
    groups, hook, init, jobs, logs, result, resume, retry, run, stats, status, submit, wait,
};
use crate::engine::{bury_orphans, see_off};
use crate::error::Exit;
use crate::model::Remedy;
use crate::ui::{ColorChoice, Ui, Verbosity, human};

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
    /// Runs the command that was typed.
    pub(crate) fn run(&self) -> Exit {
        bury_orphans();
        let context = Context::new(&self.global);
        let ui = context.ui;
        let outcome = match &self.command {
            Command::Agents(command) => agents::run(command, &context),
            Command::Groups(command) => groups::run(command, &context),
            Command::Run(args) => run::run(args, &context),
            Command::Submit(args) => submit::run(args, &context),
            Command::Resume(args) => resume::run(args, &context),
            Command::Retry(args) => retry::run(args, &context),
            Command::Batch(args) => batch::run(args, &context),
            Command::Dialogue(args) => dialogue::run(args, &context),
            Command::Result(args) => result::run(args, &context),
            Command::Status(args) => status::run(args, &context),
            Command::Init(args) => init::run(args, &context),
            Command::Jobs(args) => jobs::run(args, &context),
            Command::Wait(args) => wait::run(args, &context),
            Command::Logs(args) => logs::run(args, &context),
            Command::Cancel(args) => cancel::run(args, &context),
            Command::Gc(args) => gc::run(args, &context),
            Command::Stats(args) => stats::run(args, &context),
            Command::Doctor(args) => doctor::run(args, &context),
            #[cfg(feature = "mcp")]
            Command::ServeMcp(args) => serve_mcp::run(args, &context),
            Command::Completions(args) => completions::run(args, &context),
            Command::Hook(command) => Ok(hook::run(command, &context)),
        };
        let exit = report(outcome, ui);
        // In a container this process may be the first one, whose end nothing survives.
        let unfinished = see_off(|| {
            ui.note(
                "waiting for what runs after the job's end (--on-done): this container ends with this process",
            );
        });
        if unfinished > 0 {
            let jobs = human::count(unfinished, "job");
            ui.warn(format_args!(
                "{jobs} still running will be lost: this process is the first of its container, which ends with it; use \
                 {}, which waits for its job, or keep the container running with another first process",
                ui.commands().quoted(["run", "AGENT", "TASK"])
            ));
        }
        exit
    }

    /// The command line of this process; exits when it is not understood, or asks for help.
    pub(crate) fn of_this_process() -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        let command = Self::command();
        let parsed = match mistyped::find(&command, &words) {
            Some(error) => Err(error),
            None => command.try_get_matches_from(words).and_then(|matches| Self::from_arg_matches(&matches)),
        };
        parsed.unwrap_or_else(|error| {
            Ui::new(ColorChoice::Auto, Verbosity::Normal).usage(&error);
            std::process::exit(error.exit_code())
        })
    }
}

/// Reports what went wrong, if anything did.
fn report(outcome: CommandResult, ui: Ui) -> Exit {
    match outcome {
        Ok(exit) => exit,
        Err(Problem::Failure(failure)) => {
            let tell = |remedy: &Remedy| ui.commands().tell(remedy);
            ui.failure(failure.text(&tell), failure.remedy.as_deref().map(tell).as_deref());
            failure.exit
        }
        // `agent-dispatch jobs | head` is no failure.
        Err(Problem::Output(error)) if error.is_reader_gone() => Exit::Success,
        Err(Problem::Output(error)) => {
            ui.failure(error, None);
            Exit::Failure
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
    /// Wait until jobs have finished
    Wait(wait::WaitArgs),
    /// Show what a job's agent did
    Logs(logs::LogsArgs),
    /// Stop jobs
    Cancel(cancel::CancelArgs),
    /// Delete jobs that have finished
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
