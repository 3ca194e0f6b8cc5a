//! `logs`: what the agents of jobs did.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::verdict::Strictness;
use super::wait_loop::bell;
use super::{CommandResult, Context, Problem, completions, summary};
use crate::engine::{Bell, Event, EventKind, Follower, Jobs, NewJobs, Output, Reading};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector};
use crate::store::{Record, Status};
use crate::text::plain;
use crate::ui::{OutputError, Style, Ui};

/// How often a followed job's raw output is looked at. Its end is noticed at once.
const LOOK: Duration = Duration::from_millis(250);

const EXAMPLES: &str = "\
Of several jobs each line begins with the agent and the end of the job's id. `logs -f` without a job
shows what runs and what begins meanwhile, until it is interrupted.

Examples:
  agent-dispatch logs latest --follow
  agent-dispatch logs --follow
  agent-dispatch logs latest --json | jq -r 'select(.event == \"text\").text'
  agent-dispatch logs 01a20916e67173b7 --stderr";

/// Arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArgs {
    /// Jobs: ids, beginnings of ids, or `latest`; none with --follow: all that run
    #[arg(value_name = "JOB", required_unless_present = "follow", add = completions::jobs())]
    jobs: Vec<JobSelector>,
    /// Go on until the jobs have finished
    #[arg(long, short)]
    follow: bool,
    /// Print the agent's output as it is (a terminal gets no control sequences); of one job only
    #[arg(long)]
    raw: bool,
    /// Print the agent's standard error instead; of one job only
    #[arg(long)]
    stderr: bool,
    /// Print one JSON object a line; of several jobs each has its `job_id`
    #[arg(long, conflicts_with_all = ["raw", "stderr"])]
    json: bool,
}

pub(crate) fn run(args: &LogsArgs, context: &Context) -> CommandResult {
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    let ids = context.selected(jobs, &args.jobs)?;
    if args.raw || args.stderr {
        let [id] = ids.as_slice() else {
            return Err(Failure::new(Exit::Usage, "--raw and --stderr are of one job")
                .correct("the raw outputs of several cannot be told apart: name one job")
                .into());
        };
        let record = jobs.get(*id)?;
        if is_there(context, &record) {
            copy(args, context, jobs, &record)?;
        }
        return Ok(Exit::Success);
    }
    let (logs, begun, is_one) = (Vec::new(), HashSet::new(), ids.len() == 1);
    let mut logs = Logs { args, context, jobs, bell: bell()?, logs, begun, width: 0, is_one };
    for id in ids {
        logs.begin(jobs.get(id)?)?;
    }
    if args.follow {
        logs.follow()?;
    } else {
        logs.print_what_is_there()?;
    }
    Ok(Exit::Success)
}

/// Whether a job can have a log; says so when it cannot.
fn is_there(context: &Context, record: &Record) -> bool {
    if record.is_foreign() {
        context.ui.note(format_args!("jobs of {} have no log", record.author()));
    }
    !record.is_foreign()
}

/// The logs that are shown.
struct Logs<'a> {
    args: &'a LogsArgs,
    context: &'a Context,
    jobs: &'a dyn Jobs,
    /// Rings when one of them is finished.
    bell: Bell,
    logs: Vec<Log>,
    /// The jobs that are or were among them.
    begun: HashSet<JobId>,
    /// How long the longest of their agents' names is: later lines line up with what is there.
    width: usize,
    /// Whether there will never be another.
    is_one: bool,
}

/// The log of one job.
struct Log {
    record: Record,
    follower: Follower,
    /// How many came before it.
    number: usize,
}

impl Logs<'_> {
    fn begin(&mut self, record: Record) -> Result<(), Problem> {
        let number = self.begun.len();
        if self.begun.insert(record.id) && is_there(self.context, &record) {
            match Reading::check(&record) {
                Err(error) if self.args.jobs.is_empty() => {
                    self.context.ui.note(error);
                    return Ok(());
                }
                checked => checked?,
            }
            self.width = self.width.max(record.agent.chars().count());
            let follower = Follower::new(self.jobs, &record, &self.bell.waker())?;
            self.logs.push(Log { record, follower, number });
        }
        Ok(())
    }

    /// Prints what is new, one job after the other. Those that have finished are done with.
    fn catch_up(&mut self) -> Result<(), Problem> {
        for mut log in std::mem::take(&mut self.logs) {
            // Asked before reading: what was written before the end is then read after it.
            let is_over = log.follower.is_finished();
            let voice = Voice { as_json: self.args.json, ui: self.context.ui, label: self.label(&log) };
            let mut printed = Ok(());
            let mut print = |event| {
                if printed.is_ok() {
                    printed = voice.print(log.record.id, &event);
                }
            };
            let is_read = log.follower.catch_up(self.jobs, &mut print)?;
            if is_over && is_read {
                let record = log.follower.conclude(self.jobs, &mut print)?;
                printed?;
                voice.note(&format!("{}: {}", record.agent, summary::closing_line(&record)));
                if record.status() == Status::Failed {
                    summary::report(self.context, &record, Strictness { strict: false });
                }
            } else {
                printed?;
                self.logs.push(log);
            }
        }
        Ok(())
    }

    /// Prints what the jobs have done up to now. What their agents write meanwhile may be left out: they may write faster
    /// than it is printed.
    fn print_what_is_there(&mut self) -> Result<(), Problem> {
        let length = |log: &Log| -> u64 {
            let output = self.jobs.output(log.record.id, Output::Stdout).ok().flatten();
            output.and_then(|output| output.length().ok()).unwrap_or(0)
        };
        let wanted: HashMap<JobId, u64> = self.logs.iter().map(|log| (log.record.id, length(log))).collect();
        self.catch_up()?;
        let is_to_do =
            |log: &Log| log.follower.is_behind() && log.follower.position() < wanted[&log.record.id];
        while self.logs.iter().any(is_to_do) {
            self.catch_up()?;
        }
        Ok(())
    }

    /// What the lines of a job begin with, if there are others.
    fn label(&self, log: &Log) -> Option<(String, usize)> {
        let width = self.width;
        let label = format!("{:width$} {} │", log.record.agent, summary::tail(&log.record));
        (!self.is_one).then_some((label, log.number))
    }

    fn follow(mut self) -> Result<(), Problem> {
        let mut newcomers = if self.args.jobs.is_empty() { Some(NewJobs::new(self.jobs)?) } else { None };
        loop {
            if let Some(newcomers) = &mut newcomers {
                let mut ids = newcomers.look()?;
                ids.retain(|id| !self.begun.contains(id));
                for id in ids {
                    match self.jobs.get(id) {
                        Ok(record) => {
                            let tail = summary::tail(&record);
                            let what = format_args!("{} {tail}: job {id}", record.agent);
                            self.context.ui.note(what);
                            self.begin(record)?;
                        }
                        Err(error) if error.is_of_one_job() => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            self.catch_up()?;
            if self.logs.is_empty() && newcomers.is_none() {
                return Ok(());
            }
            let pause = |log: &Log| match log.follower.is_behind() {
                true => Duration::ZERO,
                false => log.follower.pause(),
            };
            self.bell.wait(self.logs.iter().map(pause).min().unwrap_or(LOOK));
        }
    }
}

/// How the events of one job are printed.
struct Voice {
    ui: Ui,
    as_json: bool,
    label: Option<(String, usize)>,
}

/// An event of one of several jobs.
#[derive(Serialize)]
struct Labelled<'a> {
    job_id: JobId,
    #[serde(flatten)]
    event: &'a Event,
}

impl Voice {
    fn print(&self, job_id: JobId, event: &Event) -> Result<(), OutputError> {
        match &self.label {
            None if self.as_json => return self.ui.json_line(event),
            Some(_) if self.as_json => return self.ui.json_line(&Labelled { job_id, event }),
            _ => {}
        }
        let Some((text, style)) = words(self.ui, event) else { return Ok(()) };
        // Each line closes its colours: the next one begins with something else.
        let told = |line: &str| match style {
            Some(style) => self.ui.style(line, style),
            None => self.ui.seen(line).into_owned(),
        };
        let Some((label, number)) = &self.label else {
            return match style {
                Some(style) => self.ui.data(&self.ui.style(&text, style)),
                None => self.ui.answer(&text),
            };
        };
        let label = self.ui.label(label, *number);
        let lines: Vec<String> = text.lines().map(|line| format!("{label} {}", told(line))).collect();
        self.ui.answer(&lines.join("\n"))
    }

    /// Says something that is not of the log.
    fn note(&self, text: &str) {
        match &self.label {
            Some((label, _)) => self.ui.note(format_args!("{label} {text}")),
            None => self.ui.note(text),
        }
    }
}

/// Copies one of the agent's two outputs: as it is, but for a terminal.
fn copy(args: &LogsArgs, context: &Context, jobs: &dyn Jobs, record: &Record) -> Result<(), Problem> {
    let which = if args.stderr { Output::Stderr } else { Output::Stdout };
    let bell = bell()?;
    let ending = jobs.ending(record, &bell.waker())?;
    let (mut written, mut position) = (None, 0);
    let mut buffer = vec![0; 64 * 1024];
    let mut output = context.ui.foreign();
    loop {
        // Asked before reading: what was written before the end is then read after it.
        let over = !args.follow || ending.is_reached();
        if written.is_none() {
            written = jobs.output(record.id, which)?;
        }
        while let Some(written) = &written {
            let count = written.read_at(&mut buffer, position).map_err(|error| {
                Failure::new(
                    Exit::Failure,
                    format_args!("failed to read the output of job {}: {error}", record.id),
                )
            })?;
            if count == 0 {
                break;
            }
            output.write(&buffer[..count])?;
            position += count as u64;
        }
        if over {
            return Ok(output.finish()?);
        }
        bell.wait(LOOK);
    }
}

/// An event in words, and what they mean; nothing for the agent's own words, which are written as they are where no
/// terminal shows them.
fn words(ui: Ui, event: &Event) -> Option<(String, Option<Style>)> {
    let text = event.narrate()?;
    let style = match &event.kind {
        EventKind::Text { .. } | EventKind::Unparsed { .. } => {
            return Some((ui.seen(&text).into_owned(), None));
        }
        EventKind::Synthetic { .. } | EventKind::ToolResult { is_error: true, .. } => Style::Bad,
        EventKind::ToolCall { .. } | EventKind::Retry { .. } => Style::Warning,
        _ => Style::Faint,
    };
    Some((plain(&text), Some(style)))
}
