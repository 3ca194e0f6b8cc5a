//! `logs`: what a job's agent did.

use std::io::Read;
use std::time::Duration;

use clap::Args;

use super::{CommandResult, Context, Problem, summary};
use crate::engine::{Event, EventKind, Follower, look};
use crate::error::{Exit, Failure};
use crate::os::wait_readable;
use crate::store::{JobSelector, Record, Store, StoreError};
use crate::ui::{OutputError, Tone, Ui, human};

/// How often a followed job's raw output is looked at. Its end is noticed at once.
const LOOK: Duration = Duration::from_millis(250);

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB")]
    job: JobSelector,
    /// Go on until the job is over
    #[arg(long, short)]
    follow: bool,
    /// Print the agent's output as it is
    #[arg(long)]
    raw: bool,
    /// Print the agent's standard error instead
    #[arg(long)]
    stderr: bool,
    /// Print one JSON object a line
    #[arg(long, conflicts_with_all = ["raw", "stderr"])]
    json: bool,
}

pub(crate) fn run(args: &LogsArgs, context: &Context) -> CommandResult {
    let store = context.store()?;
    let record = look(&store, context.job(&store, &args.job)?)?;
    if record.is_foreign() {
        context.ui.note("jobs of the Python version of this tool have no log");
        return Ok(Exit::Success);
    }
    if args.raw || args.stderr {
        copy(args, context, &store, &record)?;
        return Ok(Exit::Success);
    }
    let mut follower = Follower::new(&store, &record)?;
    let mut printed = Ok(());
    let mut catch_up = |follower: &mut Follower<'_>| -> Result<(), Problem> {
        follower.catch_up(&mut |event| {
            if printed.is_ok() {
                printed = print(args, context, &event);
            }
        })?;
        Ok(std::mem::replace(&mut printed, Ok(()))?)
    };
    catch_up(&mut follower)?;
    if args.follow {
        while !wait_readable(&[follower.descriptor()], follower.pause())[0] {
            catch_up(&mut follower)?;
        }
        catch_up(&mut follower)?;
    }
    if record.finished().is_some() || args.follow {
        let mut last = Ok(());
        let record = follower.conclude(&mut |event| last = print(args, context, &event))?;
        last?;
        context.ui.note(format_args!("{}: {}", record.agent, summary::closing_line(&record)));
    }
    Ok(Exit::Success)
}

fn print(args: &LogsArgs, context: &Context, event: &Event) -> Result<(), OutputError> {
    if args.json {
        return context.ui.json_line(event);
    }
    line(context.ui, event).map_or(Ok(()), |line| context.ui.data(&line))
}

/// Copies one of the agent's two outputs as it is.
fn copy(args: &LogsArgs, context: &Context, store: &Store, record: &Record) -> Result<(), Problem> {
    let folder = store.folder(record.id)?;
    let follower = Follower::new(store, record)?;
    let mut file = None;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Asked before reading: what was written before the end is then read after it.
        let over = !args.follow || wait_readable(&[follower.descriptor()], LOOK)[0];
        if file.is_none() {
            let opened = if args.stderr { folder.open_stderr() } else { folder.open_stdout() };
            file = opened.map_err(StoreError::from)?;
        }
        while let Some(file) = &mut file {
            let count = file.read(&mut buffer).map_err(|error| {
                Failure::new(
                    Exit::Failure,
                    format_args!("failed to read the output of job {}: {error}", record.id),
                )
            })?;
            if count == 0 {
                break;
            }
            context.ui.raw(&buffer[..count])?;
        }
        if over {
            return Ok(());
        }
    }
}

/// An event in words, in its colour. What the agent wrote cannot control the terminal.
fn line(ui: Ui, event: &Event) -> Option<String> {
    let text = human::printable(&event.narrate()?);
    let tone = match &event.kind {
        EventKind::Text { .. } | EventKind::Unparsed { .. } => return Some(text),
        EventKind::Synthetic { .. } | EventKind::ToolResult { is_error: true, .. } => Tone::Bad,
        EventKind::ToolCall { .. } | EventKind::Retry { .. } => Tone::Warning,
        _ => Tone::Faint,
    };
    Some(ui.tone(&text, tone))
}
