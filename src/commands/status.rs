//! `status`: how one job is doing.

use std::time::Duration;

use clap::Args;

use super::{CommandResult, Context, completions, summary};
use crate::engine::{Activity, Delay, Follower, look};
use crate::error::Exit;
use crate::store::{JobSelector, Status};
use crate::ui::human;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch status latest
  agent-dispatch status 01a20916e67173b7 --json | jq -r .status";

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
    let store = context.store()?;
    let record = look(&store, context.job(&store, &args.job)?)?;
    let mut activity = Activity::default();
    if record.status() == Status::Running && !record.is_foreign() {
        Follower::new(&store, &record)?.catch_up(&mut |event| activity.observe(&event))?;
    }
    let delay = Delay::of(&store, &record)?;
    if args.json {
        let mut document = summary::to_json(&record);
        if record.status() == Status::Running && !record.is_foreign() {
            document["progress"] = activity.line().into();
        }
        if let Some(Delay::Turn { place, .. }) = delay {
            document["queue_position"] = place.into();
        }
        context.ui.json(&document)?;
        return Ok(Exit::Success);
    }

    let ui = context.ui;
    let mut lines = vec![
        ("job", record.id.to_string()),
        ("agent", record.agent.clone()),
        ("status", summary::status_word(ui, record.status())),
        ("task", human::one_line(&record.task, 200)),
        ("created", human::ago(context.now() - record.created_at)),
    ];
    lines.extend(delay.map(|delay| match delay {
        Delay::Turn { .. } => ("queue", format!("{} waiting", summary::what_for(delay))),
        Delay::Jobs(_) | Delay::InUse => ("waits", summary::what_for(delay)),
    }));
    if let (Some(started), None) = (record.started_at(), record.finished()) {
        let running =
            Duration::try_from_secs_f64((context.now() - started).max(0.0)).unwrap_or(Duration::MAX);
        lines.push(("running for", human::duration(running)));
        lines.extend(record.progress.as_deref().or(activity.line()).map(|doing| ("doing", doing.to_owned())));
    }
    if record.finished().is_some() {
        let result = summary::result_of(&record);
        lines.push(("outcome", summary::closing_line(&record)));
        lines.extend(result.outcome.map(|outcome| ("agent says", outcome.name().to_owned())));
        lines.extend(result.error.map(|error| ("error", human::printable(&error))));
        lines.extend(result.hint.map(|hint| ("hint", human::printable(&hint))));
        if !result.denied_tools.is_empty() {
            lines.push(("denied", result.denied_tools.join(", ")));
        }
        if result.answer_file.is_some() {
            lines.push((
                "answer",
                context.ui.commands(&format!("long: agent-dispatch result {}", record.id)).into_owned(),
            ));
        }
        if !result.result.is_empty() {
            lines.push(("answer", human::one_line(&result.result, 200)));
        }
    }
    lines.extend(record.launch.session_id.clone().map(|session| ("session", session)));
    lines.extend(record.launch.directory.as_ref().map(|dir| ("directory", dir.display().to_string())));
    lines.extend(record.launch.parent.map(|parent| ("parent", parent.to_string())));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    ui.data(&text.join("\n"))?;
    Ok(Exit::Success)
}
