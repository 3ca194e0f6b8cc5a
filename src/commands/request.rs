//! The arguments of a dispatch, shared by the commands that make one.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Context, completions, summary::foreign};
use crate::config::{BudgetUsd, Timeout};
use crate::engine::{Jobs, LONGEST_TASK_BYTES, Notice, OnDone, Request, Task, TaskError};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector, Remedy};
use crate::os::Patient;

/// Who gets what task, and under which conditions.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// The agent's name (see `agent-dispatch agents list`)
    #[arg(value_name = "AGENT", add = completions::agents())]
    agent: String,
    /// What to do, for all who see the process list; `-`, or nothing and a pipe, reads it from standard input
    #[arg(value_name = "TASK", allow_hyphen_values = true)]
    task: Option<String>,
    /// Read the task from a file
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    task_file: Option<PathBuf>,
    /// Background for the task: error messages, code, what is known (the process list shows it)
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    context: Option<String>,
    /// Read the background from a file (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "context")]
    context_file: Option<PathBuf>,
    /// Who asks: your project or role
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// What the task is for
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    goal: Option<String>,
    /// Send the shared facts of this group along; the agent must be a member
    #[arg(long, value_name = "NAME", add = completions::groups())]
    group: Option<String>,
    /// Go on with this session of the agent
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    #[command(flatten)]
    options: RunOptions,
    /// Wait for this job and send its result along; can be given several times
    #[arg(long, value_name = "JOB", add = completions::jobs())]
    after: Vec<JobSelector>,
    /// A JSON Schema the answer must satisfy
    #[arg(long, value_name = "FILE")]
    json_schema: Option<PathBuf>,
}

/// The conditions of a run, and what follows it. Shared with the commands that repeat a request.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// How long the agent may take: 90, 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    timeout: Option<Timeout>,
    /// How long the agent may be silent: 90, 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    idle_timeout: Option<Timeout>,
    /// Fail at once when something the job needs to itself is in use, instead of waiting
    #[arg(long)]
    no_wait: bool,
    /// The model, by the name the agent CLI knows
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// What the run may cost, in US dollars
    #[arg(long, value_name = "DOLLARS", allow_hyphen_values = true)]
    max_budget_usd: Option<BudgetUsd>,
    /// Run this command when the job has finished, however it ends (see the README)
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    on_done: Option<OnDone>,
}

impl RunOptions {
    /// Puts what was given in the place of what the request says.
    pub(crate) fn apply(&self, request: Request) -> Request {
        Request {
            timeout: self.timeout.or(request.timeout),
            idle_timeout: self.idle_timeout.or(request.idle_timeout),
            fail_if_busy: self.no_wait,
            model: self.model.clone().or(request.model),
            max_budget_usd: self.max_budget_usd.or(request.max_budget_usd),
            on_done: self.on_done.clone().or(request.on_done),
            ..request
        }
    }
}

/// Prints what the caller should know of a dispatch that was accepted.
pub(super) fn warn_of(notices: &[Notice], context: &Context) {
    for notice in notices {
        match notice {
            Notice::Exposed { agent, .. } => {
                let trust = ["agents", "update", agent.as_str(), "--trusted"];
                let trust = context.ui.commands().quoted(trust);
                context.ui.warn(format_args!("{notice} (if that is fine: {trust})"));
            }
            _ => context.ui.warn(notice),
        }
    }
}

impl RequestArgs {
    /// Reads what has to be read and puts the request together. The jobs it waits for are looked up in `jobs`.
    pub(crate) fn to_request(&self, place: &Context, jobs: &dyn Jobs) -> Result<Request, Failure> {
        let context_from_stdin = self.context_file.as_deref() == Some(Path::new("-"));
        let task = match (&self.task, &self.task_file) {
            (_, Some(path)) => read_file(path)?,
            (task, None) if context_from_stdin && task.as_deref().is_none_or(|task| task == "-") => {
                return Err(Failure::new(
                    Exit::Usage,
                    "standard input cannot be both the task and its context",
                )
                .correct("give the task as an argument or with --task-file FILE"));
            }
            (task, None) => read_task(task.as_deref())?,
        };
        let context = match &self.context_file {
            Some(_) if context_from_stdin => Some(read_all(standard_input(), "standard input")?),
            Some(path) => Some(read_file(path)?),
            None => self.context.clone(),
        };
        let response_schema = match &self.json_schema {
            Some(path) => Some(serde_json::from_str(&read_file(path)?).map_err(|error| {
                Failure::new(Exit::Usage, format_args!("{} is not JSON: {error}", path.display()))
            })?),
            None => None,
        };
        let request = Request {
            context,
            caller: self.caller.clone(),
            goal: self.goal.clone(),
            group: self.group.clone(),
            session: self.session.clone(),
            response_schema,
            after: awaited(place, jobs, &self.after)?,
            ..Request::new(&self.agent, Task::new(task)?)
        };
        Ok(self.options.apply(request))
    }
}

/// A text that was given as an argument, or that a pipe gives.
pub(super) fn read_task(argument: Option<&str>) -> Result<String, Failure> {
    match argument {
        Some(text) if text != "-" => Ok(text.to_owned()),
        None if std::io::stdin().is_terminal() => {
            Err(Failure::new(Exit::Usage, "there is no task").remedy(Remedy::GiveTask {}))
        }
        _ => read_all(standard_input(), "standard input"),
    }
}

/// Jobs that can be waited for.
fn awaited(context: &Context, jobs: &dyn Jobs, after: &[JobSelector]) -> Result<Vec<JobId>, Failure> {
    let ids = context.selected(jobs, after)?;
    for id in &ids {
        let record = jobs.get(*id)?;
        if record.is_foreign() && record.finished().is_none() {
            return Err(foreign(&record));
        }
    }
    Ok(ids)
}

fn read_file(path: &Path) -> Result<String, Failure> {
    read_all(open(path)?, &path.display().to_string())
}

pub(super) fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Usage,
        };
        Failure::new(exit, format_args!("failed to open {}: {error}", path.display()))
    })
}

/// Standard input, read to its end also where it is a pipe that does not block.
pub(super) fn standard_input() -> impl Read {
    Patient(std::io::stdin().lock())
}

/// Reads a text, but not more than any agent takes.
fn read_all(source: impl Read, name: &str) -> Result<String, Failure> {
    read_at_most(LONGEST_TASK_BYTES, source, name)?.ok_or_else(|| {
        let limit = TaskError::TooLong { bytes: LONGEST_TASK_BYTES };
        let message = format!("{name} has more than {LONGEST_TASK_BYTES} bytes, the most that agents take");
        Failure { message, ..limit.into() }
    })
}

/// Reads a text, invalid UTF-8 replaced; `None` when it has more than `limit` bytes.
pub(super) fn read_at_most(limit: usize, source: impl Read, name: &str) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::IsADirectory => Exit::Usage,
            _ => Exit::Failure,
        };
        Failure::new(exit, format_args!("failed to read {name}: {error}"))
    })?;
    if bytes.len() > limit {
        return Ok(None);
    }
    let text = String::from_utf8(bytes);
    Ok(Some(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
}
