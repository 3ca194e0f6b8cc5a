//! One file a command: its arguments beside its function.

pub(crate) mod agents;
pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod completions;
mod context;
pub(crate) mod dialogue;
mod dispatch;
pub(crate) mod doctor;
pub(crate) mod gc;
pub(crate) mod groups;
pub(crate) mod hook;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod logs;
mod numbers;
pub(crate) mod request;
pub(crate) mod result;
pub(crate) mod resume;
pub(crate) mod retry;
pub(crate) mod run;
#[cfg(feature = "mcp")]
pub(crate) mod serve_mcp;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod submit;
mod summary;
mod verdict;
pub(crate) mod wait;
mod watching;

use crate::cli::{Cli, Command};
use crate::engine::{bury_orphans, see_off};
use crate::error::{Exit, Failure};
use crate::ui::{OutputError, Ui, human};

pub(crate) use context::{Context, Places};
use numbers::whole_number;

/// What a command comes to.
pub(crate) type CommandResult = Result<Exit, Problem>;

/// Why a command did not come to anything.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It failed, and this is to be said.
    Failure(Failure),
    /// Its output could not be written.
    Output(OutputError),
}

impl<E: Into<Failure>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl From<OutputError> for Problem {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

/// Runs the command that was typed.
pub(crate) fn run(cli: &Cli) -> Exit {
    bury_orphans();
    let context = Context::new(&cli.global);
    let ui = context.ui;
    let outcome = match &cli.command {
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
             `agent-dispatch run AGENT TASK`, which waits for its job, or keep the container running with another first process"
        ));
    }
    exit
}

/// Reports what went wrong, if anything did.
fn report(outcome: CommandResult, ui: Ui) -> Exit {
    match outcome {
        Ok(exit) => exit,
        Err(Problem::Failure(failure)) => {
            ui.failure(&failure.message, failure.hint.as_deref());
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
