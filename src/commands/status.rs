//! `status`: how one job is doing.

use std::time::Duration;

use clap::Args;

use super::verdict::overspending;
use super::{CommandResult, Context, completions, summary};
use crate::engine::{Activity, PendingReason, Reading};
use crate::error::Exit;
use crate::model::JobSelector;
use crate::store::{Record, RecordedLimit, Status, UnfinishedState};
use crate::text::plain;
use crate::ui::{Ui, human};

const EXAMPLES: &str = "\
Examples:
  agent-dispatch status latest
  agent-dispatch status 01a20916e67173b7 --json | jq -r .status";

/// The line with a word of ours in its colour.
const STATUS: &str = "status";

/// How much of a text is shown, in characters.
const EXCERPT: usize = 200;

/// How long the agent's output is read to tell what it does now.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs())]
    job: JobSelector,
    /// Print the job's record as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &StatusArgs, context: &Context) -> CommandResult {
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    let record = jobs.get(context.job(jobs, &args.job)?)?;
    let mut activity = Activity::default();
    if record.status() == Status::Running && !record.is_foreign() {
        Reading::new(&record).catch_up_within(jobs, LOOK_TIME, &mut |event| activity.observe(&event))?;
    }
    let delay = PendingReason::of(jobs, &record, context.now())?;
    let supervisor = jobs.supervisor(record.id).filter(|_| record.finished().is_none());
    let suspended = supervisor.filter(|it| it.is_suspended).map(|it| it.pid);
    if args.json {
        let mut document = summary::to_json(&record, context.ui);
        if record.status() == Status::Running && !record.is_foreign() {
            document["progress"] = activity.line().into();
        }
        if let Some(PendingReason::Turn { place, .. } | PendingReason::Suspended { place, .. }) = delay {
            document["queue_position"] = place.into();
        }
        if let Some(pid) = suspended {
            document["suspended_supervisor"] = pid.into();
        }
        context.ui.json(&document)?;
        return Ok(Exit::Success);
    }

    let ui = context.ui;
    let mut lines = asked(&record);
    lines.insert(2, (STATUS, summary::status_word(ui, record.status())));
    lines.extend(record.is_newer().then(|| {
        let author = record.author();
        ("note", format!("written by {author}, and shown as far as this one understands it"))
    }));
    lines.push(("created", human::ago(context.now() - record.created_at)));
    lines.extend(delay.map(|delay| match delay {
        PendingReason::Turn { .. } | PendingReason::Suspended { .. } => {
            ("queue", format!("{} waiting", summary::what_for(delay, ui.commands())))
        }
        PendingReason::Jobs(_) | PendingReason::Start | PendingReason::InUse => {
            ("waits", summary::what_for(delay, ui.commands()))
        }
    }));
    if let (Some(started), None) = (record.started_at(), record.finished()) {
        let running =
            Duration::try_from_secs_f64((context.now() - started).max(0.0)).unwrap_or(Duration::MAX);
        lines.push(("running for", human::duration(running)));
        lines.extend(record.progress.as_deref().or(activity.line()).map(|doing| ("doing", doing.to_owned())));
    }
    lines.extend(suspended.map(|pid| {
        ("stopped", format!("its supervisor is stopped or frozen; `kill -CONT {pid}` lets it go on"))
    }));
    if let Some(finished) = record.finished() {
        lines.push(("ended", human::ago(context.now() - finished.completed_at)));
        lines.extend(came_of_it(&record, ui));
    }
    lines.extend(record.launch.session_id.clone().map(|session| ("session", session)));
    lines.extend(record.launch.directory.as_ref().map(|dir| ("directory", dir.display().to_string())));
    lines.extend(record.launch.parent.map(|parent| ("parent", parent.to_string())));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    // What is on several lines stays in its column: no value can pass for another line.
    let next = format!("\n{:width$}  ", "");
    let text = lines.iter().map(|(name, value)| {
        let value = if *name == STATUS { value.clone() } else { plain(value) };
        format!("{name:width$}  {}", value.trim_end().replace('\n', &next))
    });
    let text: Vec<String> = text.collect();
    ui.data(&text.join("\n"))?;
    Ok(Exit::Success)
}

/// A line: what it is about, and what there is to say.
type Line = (&'static str, String);

/// What was asked of whom, under which conditions.
fn asked(record: &Record) -> Vec<Line> {
    let launch = &record.launch;
    let short = |text: &String| human::one_line(text, EXCERPT);
    let mut lines = vec![("job", record.id.to_string()), ("agent", record.agent.clone())];
    lines.push(("task", short(&record.task)));
    lines.extend(record.context.as_ref().map(|context| ("context", short(context))));
    lines.extend(record.goal.as_ref().map(|goal| ("goal", short(goal))));
    lines.extend(record.caller.as_ref().map(|caller| ("caller", short(caller))));
    lines.extend(launch.group.clone().map(|group| ("group", group)));
    lines.extend(launch.model.clone().map(|model| ("model", model)));
    let time = |limit: &Option<RecordedLimit>| limit.as_ref().and_then(RecordedLimit::seconds);
    let limits: Vec<String> = [
        time(&launch.timeout_seconds).map(human::duration),
        time(&launch.idle_timeout_seconds).map(|limit| format!("{} of silence", human::duration(limit))),
        launch.max_budget_usd.as_ref().and_then(RecordedLimit::number).map(human::dollars),
    ]
    .into_iter()
    .flatten()
    .collect();
    lines.extend((!limits.is_empty()).then(|| ("limits", limits.join(", "))));
    lines
}

/// What came of a job that has finished.
fn came_of_it(record: &Record, ui: Ui) -> Vec<Line> {
    let result = summary::result_of(record, ui);
    let mut lines = vec![("outcome", summary::closing_line(record))];
    lines.extend(overspending(record, &result).map(|over| ("budget", over)));
    lines.extend(result.outcome.map(|outcome| ("agent says", outcome.name().to_owned())));
    lines.extend(result.error.map(|error| ("error", error)));
    lines.extend(result.hint.map(|hint| ("hint", hint)));
    if !result.denied_tools.is_empty() {
        lines.push(("denied", result.denied_tools.join(", ")));
    }
    lines.extend(result.unfinished.iter().map(|task| {
        let state = match task.state {
            UnfinishedState::Stopped => "stopped",
            UnfinishedState::Running => "running at the end",
        };
        ("unfinished", format!("{} ({state})", task.what))
    }));
    if result.answer_file.is_some() {
        let whole = ui.commands().command(["result", &record.id.to_string()]);
        lines.push(("answer", format!("long: {whole}")));
    }
    if !result.result.is_empty() {
        lines.push(("answer", human::one_line(&result.result, EXCERPT)));
    }
    lines
}
