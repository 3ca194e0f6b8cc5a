//! The tools that look at jobs, stop them and delete them.

use std::io::Read;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use super::arguments::{Arguments, Kind, MOST_DAYS, MOST_JOBS, Wanted};
use super::dispatch::refused;
use super::refused::Refused;
use super::result::{self, Reply};
use super::server_state::ServerState;
use super::session::Session;
use super::waiting::Caller;
use super::window::Window;
use crate::engine::{DIALOGUE_SIGN, Jobs, JobsError, Output, Reading, cancel_tree};
use crate::model::{JobId, now};
use crate::store::{Pieces, Policy, Record, Status};
use crate::text::plain;
use crate::ui::human;

/// How many jobs are listed by default.
const USUAL_JOBS: usize = 20;

/// How long a job that was asked to stop may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// The longest part of standard error that is read, in bytes.
const STDERR_BYTES: u64 = 1024 * 1024;

/// `dispatch_result`: waits for a job and gives a part of what came of it.
pub(super) async fn result(
    state: &ServerState,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResult, Refused> {
    let wanted = Wanted::read(&mut arguments)?;
    arguments.end()?;
    let Wanted { id, kind, window, wait } = wanted;
    let record = state.blocking(move |state| state.look(id)).await?;
    // The log of a job is asked for while it runs; its answer is worth waiting for.
    let wait = wait.or_else(|| (kind != Kind::Answer).then_some(Duration::ZERO));
    if record.finished().is_none() && !record.is_foreign() {
        Caller::new(context, session, wait).wait_for(state, &[id]).await?;
    }
    let reply = state.blocking(move |state| {
        let view = state.view()?;
        let jobs = view.jobs();
        let record = state.look(id)?;
        match kind {
            Kind::Answer if record.finished().is_some() => {
                result::over(jobs, state.advisor(), &record, window)
            }
            Kind::Answer => result::unfinished(jobs, &record),
            Kind::Log => Ok(part_of(&record, kind, window, |take| log(jobs, &record, take))?),
            Kind::Stderr => Ok(part_of(&record, kind, window, |take| stderr(jobs, id, take))?),
        }
    });
    Ok(reply.await?.into())
}

fn part_of(
    record: &Record,
    kind: Kind,
    window: Window,
    give: impl FnOnce(&mut dyn FnMut(&str)) -> Result<(), Refused>,
) -> Result<Reply, Refused> {
    let part = window.cut(give)?;
    let name = kind.name();
    let mut fields = json!({
        "job_id": record.id,
        "agent": record.agent,
        "status": record.status(),
        "part": name,
        "result": part.text,
        "total_chars": part.total_chars,
    });
    let mut text = match part.missed(window) {
        Some(total) => {
            format!("(nothing: offset {} is past the end, the {name} has {total} characters)", window.offset)
        }
        None if part.text.is_empty() => format!("(the {name} is empty)"),
        None => part.text,
    };
    if let Some(next) = part.next_offset {
        fields["next_offset"] = next.into();
        text.push_str(&format!(
            "\n\n[{next} of {} characters; for the next part call dispatch_result with job_id {}, part {} and offset \
             {next}]",
            part.total_chars,
            record.id,
            name
        ));
    }
    Ok(Reply { text, ..Reply::of_fields(fields) })
}

/// How long a log is read: what has been read by then is given.
const LOG_TIME: Duration = Duration::from_secs(10);

/// What the agent did, a line for each event.
fn log(jobs: &dyn Jobs, record: &Record, take: &mut dyn FnMut(&str)) -> Result<(), Refused> {
    if record.is_foreign() {
        return Err(Refused::new(format_args!("jobs of {} have no log", record.author())));
    }
    let mut tell = |event: crate::engine::Event| {
        if let Some(line) = event.narrate() {
            take(&plain(&line));
            take("\n");
        }
    };
    Reading::check(record)?;
    let mut reading = Reading::new(record);
    let is_all = reading.catch_up_within(jobs, LOG_TIME, &mut tell)?;
    if record.finished().is_some() && is_all {
        reading.finish(&mut tell);
    }
    Ok(())
}

fn stderr(jobs: &dyn Jobs, id: JobId, take: &mut dyn FnMut(&str)) -> Result<(), Refused> {
    let Some(output) = jobs.output(id, Output::Stderr)? else { return Ok(()) };
    let mut bytes = Vec::new();
    Pieces::of(output.as_ref(), 0).take(STDERR_BYTES).read_to_end(&mut bytes).map_err(JobsError::from)?;
    take(&plain(&String::from_utf8_lossy(&bytes)));
    Ok(())
}

/// `dispatch_jobs`: the newest jobs, or those with a status or of an agent.
pub(super) fn jobs(state: &ServerState, mut arguments: Arguments) -> Result<Reply, Refused> {
    let status =
        match arguments.text("status")?.as_deref() {
            None => None,
            Some(word) => Some(status_named(word).ok_or_else(|| {
                arguments.refuse("status must be pending, running, done, failed or cancelled")
            })?),
        };
    let agent = arguments.text("agent")?;
    let limit = arguments.count("limit")?.unwrap_or(USUAL_JOBS);
    if !(1..=MOST_JOBS).contains(&limit) {
        return Err(
            arguments.refuse(format_args!("limit must be a whole number from 1 to {MOST_JOBS}, not {limit}"))
        );
    }
    arguments.end()?;
    let view = state.view()?;
    let listing = state.list(status, agent.as_deref(), limit)?;
    // An agent that has been removed may have jobs.
    if let Some(agent) = agent.as_deref().filter(|_| listing.records.is_empty())
        && !agent.contains(DIALOGUE_SIGN)
    {
        state.check_agent(agent, &view.config).map_err(|error| refused(state, &view.config, error))?;
    }
    let jobs: Vec<Value> = listing.records.iter().map(summarise).collect();
    let mut fields = json!({ "jobs": jobs });
    if !listing.unreadable.is_empty() {
        fields["damaged"] = listing.unreadable.iter().map(|error| Value::String(error.to_string())).collect();
    }
    Ok(Reply::of_fields(fields))
}

fn status_named(word: &str) -> Option<Status> {
    [Status::Pending, Status::Running, Status::Done, Status::Failed, Status::Cancelled]
        .into_iter()
        .find(|status| status.name() == word)
}

/// A job in a line.
fn summarise(record: &Record) -> Value {
    let mut summary = json!({
        "job_id": record.id,
        "agent": record.agent,
        "status": record.status(),
        "task": human::one_line(&record.task, 100),
        "created": human::ago(now() - record.created_at),
    });
    if record.is_newer() {
        summary["written_by"] = record.author().into();
    }
    if let Some(finished) = record.finished() {
        let conclusion = record.conclusion();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                summary[name] = value;
            }
        };
        put("outcome", conclusion.outcome.map(|outcome| json!(outcome)));
        put("error_type", conclusion.error_type.map(|kind| json!(kind)));
        put("cost_usd", conclusion.cost_usd.map(Value::from));
        let seconds = finished.started_at.map(|started| (finished.completed_at - started).max(0.0).round());
        put("duration_seconds", seconds.map(Value::from));
    }
    summary
}

/// `dispatch_cancel`: stops a job and all that it led to.
pub(super) async fn cancel(
    state: &ServerState,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResult, Refused> {
    let id = arguments.job()?;
    arguments.end()?;
    let record = state.blocking(move |state| state.look(id)).await?;
    let was_over = record.finished().is_some();
    if !was_over {
        state.blocking(move |state| Ok(cancel_tree(state.view()?.jobs(), id)?)).await?;
        Caller::new(context, session, Some(STOP_PATIENCE)).wait_for(state, &[id]).await?;
    }
    let record = state.blocking(move |state| state.look(id)).await?;
    let status = record.status();
    let mut fields = json!({ "job_id": id, "agent": record.agent, "status": status, "stopped": !was_over });
    let text = if was_over {
        format!("job {id} of {} had finished already: it is {}", record.agent, status.name())
    } else if record.finished().is_some() {
        format!("job {id} of {} has been stopped; what it had done is kept: dispatch_result", record.agent)
    } else {
        fields["stopped"] = false.into();
        let process = state.blocking(move |state| Ok(state.view()?.jobs().supervisor(id))).await?;
        let why = process.filter(|process| process.is_suspended);
        let why =
            why.map(|process| format!(": its supervisor, process {}, is stopped or frozen", process.pid));
        let why = why.unwrap_or_default();
        format!(
            "job {id} of {} was asked to stop and has not ended yet{why}; the request stands",
            record.agent
        )
    };
    Ok(Reply { text, ..Reply::of_fields(fields) }.into())
}

/// `dispatch_gc`: deletes jobs that have finished.
pub(super) fn gc(state: &ServerState, mut arguments: Arguments) -> Result<Reply, Refused> {
    let days = arguments.number("max_age_days")?;
    let dry_run = arguments.flag("dry_run")?;
    arguments.end()?;
    let view = state.view()?;
    let retention = f64::from(view.config.settings.job_retention_days);
    let days = days.or((retention > 0.0).then_some(retention));
    let Some(days) = days.filter(|days| (0.0..=f64::from(MOST_DAYS)).contains(days)) else {
        return Err(arguments.refuse(format_args!(
            "say which jobs to delete: max_age_days, from 0 (all that have finished) to {MOST_DAYS}"
        )));
    };
    let policy = Policy::OlderThan(Duration::from_secs_f64(days * 86_400.0));
    let plan = view.jobs().collect(policy, now(), dry_run)?;
    Ok(Reply::of_fields(json!({
        "dry_run": dry_run,
        "deleted": plan.jobs.delete.len(),
        "deleted_leftovers": plan.leftovers.len(),
        "kept_unfinished": plan.jobs.unfinished,
        "kept_recent": plan.jobs.recent,
        "kept_not_ours": plan.not_ours,
    })))
}
