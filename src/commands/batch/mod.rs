//! `batch`: hand many tasks to agents at once.

mod document;
mod report;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::dispatch::output_failed;
use super::request::{open, read_at_most, standard_input, warn_of};
use super::verdict::Strictness;
use super::wait_loop::{JobsWatcher, SignalGuard};
use super::{CommandResult, Context, Problem, completions, summary};
use crate::engine::{Batch, BatchItem, Dispatch, Ownership, Request, Task};
use crate::error::{Exit, Failure};
use crate::model::JobId;
use crate::model::Remedy;
use crate::ui::human;
use document::Document;
use report::Report;

/// The longest file that is read, in bytes.
const FILE_LIMIT_BYTES: usize = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch batch nightly.yaml
  agent-dispatch batch - --aggregate reviewer --json < tasks.jsonl

A file:
  dispatches:
    - {agent: infra, task: which containers restart?}
    - {agent: backend, task: which requests fail?, timeout_seconds: 10m, max_budget_usd: 0.5}
  aggregate: backend

The file is YAML, JSON or JSONL; a list of dispatches is enough. A dispatch has agent and task, and
may have context, caller, goal, group, session_id, model, timeout_seconds, idle_timeout_seconds,
max_budget_usd, response_schema, no_wait.

The exit code is that of the first job that went wrong, in the order of the file; the aggregate
comes last.";

/// Arguments of `batch`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BatchArgs {
    /// The file with the dispatches (`-`: standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let this agent put the results together, when all other jobs have finished
    #[arg(long, value_name = "AGENT", add = completions::agents())]
    aggregate: Option<String>,
    /// What that agent is told to do with the results
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    aggregate_task: Option<String>,
    /// Do not wait: start all jobs, print their ids and leave
    #[arg(long)]
    background: bool,
    /// Print all results as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(crate) fn run(args: &BatchArgs, context: &Context) -> CommandResult {
    let document = read(&args.file)?;
    let dispatch = context.dispatch()?;
    let dispatch = dispatch.as_ref();
    let (requests, aggregate) = requests(args, document, dispatch)?;
    let signals = SignalGuard::install()?;
    let ownership = if args.background { Ownership::Detached } else { Ownership::Caller };
    let batch = dispatch.submit_batch(&requests, aggregate.as_ref(), ownership, context.now())?;
    let all: Vec<&Request> = requests.iter().chain(&aggregate).collect();
    warn_of(&dispatch.notices(&all), context);
    if args.background {
        return finish_detached(args, context, &batch);
    }
    // The tasks are on their way: only whose they are is kept as long as the jobs run.
    let names: Vec<String> = requests
        .into_iter()
        .chain(aggregate)
        .enumerate()
        .map(|(number, request)| format!("{} {}", number + 1, request.agent))
        .collect();
    let mut report = Report::new(dispatch.jobs(), &batch, args.strictness, context.ui);
    let (interrupted, left) = follow(context, &batch, &names, &signals, &mut report)?;
    drop(signals);
    if let Some(exit) = interrupted.filter(|_| !left.is_empty()) {
        return Ok(exit);
    }
    report.print(context, args.json)?;
    Ok(interrupted.unwrap_or_else(|| report.exit()))
}

fn finish_detached(args: &BatchArgs, context: &Context, batch: &Batch) -> CommandResult {
    let printed = if args.json {
        let mut document = json!({ "jobs": batch.jobs });
        if let Some(id) = batch.aggregate {
            document["aggregate"] = json!(id);
        }
        context.ui.json(&document)
    } else {
        let ids: Vec<String> = batch.jobs.iter().chain(&batch.aggregate).map(ToString::to_string).collect();
        context.ui.data(&ids.join("\n"))
    };
    let recorded = Remedy::ListJobs {};
    printed.map_err(|error| output_failed(Problem::Output(error), recorded))?;
    Ok(Exit::Success)
}

/// Watches all jobs to their ends, and stops them when it is interrupted. Says what the last interrupt asks for, and which
/// jobs were left at once.
fn follow(
    context: &Context,
    batch: &Batch,
    names: &[String],
    signals: &SignalGuard,
    report: &mut Report<'_>,
) -> Result<(Option<Exit>, Vec<JobId>), Problem> {
    let jobs = report.jobs;
    let mut on_finish = |number: usize, record| {
        let remarks = summary::remarks(&record, &record.conclusion());
        let remarks = remarks.map(|remarks| format!("; {remarks}")).unwrap_or_default();
        context.ui.note(format_args!("{}: {}{remarks}", names[number], summary::closing_line(&record)));
        Ok(report.add(number, &record)?)
    };
    let watch = JobsWatcher::new(context, signals, names, Ownership::Caller, &mut on_finish);
    watch.note(&format!("{} started", human::count(names.len(), "job")));
    watch.wait(jobs, batch.jobs.iter().chain(&batch.aggregate).copied(), None)
}

fn read(path: &Path) -> Result<Document, Failure> {
    let (name, text) = if path == Path::new("-") {
        ("standard input".to_owned(), read_at_most(FILE_LIMIT_BYTES, standard_input(), "standard input")?)
    } else {
        let name = path.display().to_string();
        let text = read_at_most(FILE_LIMIT_BYTES, open(path)?, &name)?;
        (name, text)
    };
    let text = text.ok_or_else(|| {
        Failure::new(Exit::Usage, format_args!("{name} has more than {FILE_LIMIT_BYTES} bytes")).correct(
            "split it, or put the material into files in the agents' directories and name them in the tasks",
        )
    })?;
    document::read(&text, path).map_err(|error| {
        Failure::new(Exit::Usage, format_args!("{name} is no batch: {error}")).remedy(read_help())
    })
}

/// The requests of a document. When something is wrong with it, everything that is: also with what could be read.
fn requests(
    args: &BatchArgs,
    document: Document,
    dispatch: &dyn Dispatch,
) -> Result<(Vec<Request>, Option<Request>), Failure> {
    let aggregate_task = args.aggregate_task.clone().or(document.aggregate_task);
    let aggregate = match (args.aggregate.clone().or(document.aggregate), aggregate_task) {
        (Some(_), Some(task)) if task.trim().is_empty() => {
            return Err(Failure::new(Exit::Usage, "the task for the aggregate is empty")
                .correct("say what it is to do with the results, or leave --aggregate-task out"));
        }
        (Some(agent), task) => Some(Request::aggregate(agent, task.map(Task::new).transpose()?)),
        (None, None) => None,
        (None, Some(_)) => {
            return Err(Failure::new(Exit::Usage, "there is a task for the aggregate, but no agent")
                .correct("name it with --aggregate AGENT"));
        }
    };
    if document.items.iter().all(|item| item.problems.is_empty()) {
        return Ok((document.items.into_iter().filter_map(|item| item.request).collect(), aggregate));
    }
    let mut causes = Vec::new();
    for (number, item) in document.items.into_iter().enumerate() {
        let line = item.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let name = format!("{}{line}", BatchItem::Dispatch(number));
        let refused = item.request.map(|request| dispatch.refusals(&request)).unwrap_or_default();
        let problems = item.problems.into_iter().map(|problem| Failure::new(Exit::Usage, problem));
        let refused = refused.into_iter().map(Failure::from);
        causes.extend(problems.chain(refused).map(|cause| cause.about(&name)));
    }
    for error in aggregate.map(|request| dispatch.refusals(&request)).unwrap_or_default() {
        causes.push(Failure::from(error).about(BatchItem::Aggregate));
    }
    let failure = Failure::new(Exit::Usage, "nothing was started, because:").remedy(read_help());
    Err(Failure { causes, ..failure })
}

fn read_help() -> Remedy {
    Remedy::ReadHelp { command: vec!["batch".to_owned()] }
}
