//! What becomes of a request: `run`, `retry` and `resume` wait for the answer, `submit` leaves.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::request::warn_of;
use super::verdict::{Strictness, exit_of};
use super::wait_loop::{JobWait, SignalGuard};
use super::{CommandResult, Context, Problem, summary};
use crate::engine::{Dispatch, Event, Ownership, Request};
use crate::error::{Exit, Failure};
use crate::model::{JobId, Remedy};
use crate::ui::OutputError;

/// How to wait for an answer, and what to print of it.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    strictness: Strictness,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
    /// Print what the agent does as it does it, and the result last: one JSON object a line
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
    /// Let the job go on if this process dies; an interrupt then leaves it running
    #[arg(long)]
    detach: bool,
}

/// Whether and how to wait.
#[derive(Debug, Args)]
pub(crate) struct WaitMode {
    #[command(flatten)]
    waiting: WaitArgs,
    /// Do not wait: print the new job's id and leave
    #[arg(long, conflicts_with_all = ["jsonl", "strict", "detach"])]
    background: bool,
}

/// Hands the request over, and waits for the answer unless that was not wanted.
pub(crate) fn submit_or_wait(
    request: &Request,
    mode: &WaitMode,
    dispatch: &dyn Dispatch,
    context: &Context,
) -> CommandResult {
    if mode.background {
        submit_detached(request, mode.waiting.json, dispatch, context)
    } else {
        submit_and_wait(request, &mode.waiting, dispatch, context)
    }
}

/// Hands the request over and prints the job's id.
pub(crate) fn submit_detached(
    request: &Request,
    as_json: bool,
    dispatch: &dyn Dispatch,
    context: &Context,
) -> CommandResult {
    let submitted = dispatch.submit(request, Ownership::Detached, context.now())?;
    warn_of(&dispatch.notices(&[request]), context);
    let printed = if as_json {
        context.ui.json(&json!({ "job_id": submitted.id, "agent": request.agent, "status": "pending" }))
    } else {
        context.ui.data(&submitted.id.to_string())
    };
    finish_detached(printed, submitted.id)
}

/// The end of a command that leaves a job to itself, when its id was to be printed.
pub(crate) fn finish_detached(printed: Result<(), OutputError>, id: JobId) -> CommandResult {
    printed.map_err(|error| output_failed(error.into(), Remedy::ReadAnswer { job_id: id, wait: true }))?;
    Ok(Exit::Success)
}

/// What could not be printed is not lost: says where it is.
pub(crate) fn output_failed(problem: Problem, recorded: Remedy) -> Problem {
    match problem {
        Problem::Output(error) if !error.is_reader_gone() => {
            Failure::new(Exit::Failure, error).remedy(recorded).into()
        }
        problem => problem,
    }
}

/// Hands the request over, shows what the agent does and prints the answer.
pub(crate) fn submit_and_wait(
    request: &Request,
    waiting: &WaitArgs,
    dispatch: &dyn Dispatch,
    context: &Context,
) -> CommandResult {
    let signals = SignalGuard::install()?;
    let ownership = if waiting.detach { Ownership::Detached } else { Ownership::Caller };
    // Dropped when the job has finished: until then it ties the job to this process.
    let submitted = dispatch.submit(request, ownership, context.now())?;
    warn_of(&dispatch.notices(&[request]), context);
    let jobs = dispatch.jobs();
    let id = submitted.id;

    let mut interrupted: Option<Exit> = None;
    let mut output = Ok(());
    let watch = JobWait {
        context,
        jobs,
        signals: &signals,
        agent: &request.agent,
        id,
        stops: (!waiting.detach).then_some("job"),
    };
    let mut print = |event: &Event| {
        if output.is_ok() {
            output = context.ui.json_line(event);
        }
    };
    let print: Option<&mut dyn FnMut(&Event)> = if waiting.jsonl { Some(&mut print) } else { None };
    let ended = watch.until_finished(&mut interrupted, print)?;
    // Default signals again: Ctrl-C works although standard output blocks.
    drop(signals);
    let Some(record) = ended else {
        if waiting.detach {
            let wait = context.ui.commands().command(["wait", &id.to_string()]);
            context.ui.note(format_args!("the job goes on: {wait}"));
        }
        return Ok(interrupted.unwrap_or(Exit::Interrupted));
    };
    if record.finished().is_none() {
        return Err(
            Failure::new(Exit::Failure, format_args!("job {id} was lost: its supervisor is gone")).into()
        );
    }

    let printed = match output {
        Err(error) => Err(error.into()),
        Ok(()) if waiting.jsonl => {
            let result = summary::result_of(&record, context.ui);
            let answer = jobs.answer(&result)?;
            let result = summary::WholeResult { result: &result, answer: &answer };
            context.ui.json_line(&Last { event: "finished", result }).map_err(Problem::from)
        }
        Ok(()) => summary::print(context, jobs, &record, waiting.json),
    };
    printed.map_err(|problem| output_failed(problem, Remedy::ReadAnswer { job_id: id, wait: false }))?;
    summary::report(context, &record, waiting.strictness);
    context.ui.note(format_args!(
        "{}: {}{}",
        record.agent,
        summary::closing_line(&record),
        session_note(&record)
    ));
    Ok(interrupted.unwrap_or_else(|| exit_of(&record, waiting.strictness)))
}

/// The last line of `--jsonl`.
#[derive(Serialize)]
struct Last<'a> {
    event: &'static str,
    result: summary::WholeResult<'a>,
}

fn session_note(record: &crate::store::Record) -> String {
    let session = record.conclusion().session_id;
    session.map(|session| format!(", session {session}")).unwrap_or_default()
}
