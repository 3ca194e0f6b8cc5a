//! MCP's tasks extension: a dispatch as a task whose id is the job's.

use chrono::{DateTime, SecondsFormat};
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, DetailedTask, ErrorData, GetTaskResult, Task, TaskPayload, TaskStatus};
use rmcp::service::RequestContext;
use serde_json::Value;

use super::arguments::Manner;
use super::refused::Refused;
use super::result;
use super::server_state::ServerState;
use crate::engine::cancel_tree;
use crate::model::{JobId, UnixSeconds};
use crate::store::{Record, Status};

/// How often a client is asked to look, in milliseconds, at most.
const POLL_INTERVAL_MS: u64 = 2_000;

/// Whether this very request declares that it can take a task. What a session declared in general does not count:
/// there are clients that declare it and cannot read one.
pub(super) fn are_wanted(context: &RequestContext<RoleServer>) -> bool {
    context.meta.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// A job as a task.
pub(super) fn task(record: &Record) -> Task {
    let status = match record.status() {
        Status::Pending | Status::Running => TaskStatus::Working,
        Status::Cancelled => TaskStatus::Cancelled,
        // A run that failed is a call that was answered: its result says so.
        Status::Done | Status::Failed => TaskStatus::Completed,
    };
    let updated = record.finished().map(|finished| finished.completed_at);
    let updated = updated.or(record.started_at()).unwrap_or(record.created_at);
    Task::new(record.id.to_string(), status, timestamp(record.created_at), timestamp(updated))
        .with_status_message(format!("{}: {}", record.agent, record.status().name()))
        .with_poll_interval_ms(POLL_INTERVAL_MS)
}

/// `tasks/get`.
pub(super) fn get(state: &ServerState, id: &str) -> Result<GetTaskResult, ErrorData> {
    let id = job(id)?;
    let view = state.view().map_err(|refused| failed(state, &refused))?;
    let record = state.look(id).map_err(|refused| failed(state, &refused))?;
    let payload = match record.status() {
        Status::Pending | Status::Running => TaskPayload::Working,
        Status::Cancelled => TaskPayload::Cancelled,
        Status::Done | Status::Failed => {
            let reply = result::over(view.jobs(), state.advisor(), &record, Manner::whole().window())
                .map_err(|refused| failed(state, &refused))?;
            let result = serde_json::to_value(CallToolResult::from(reply));
            let Ok(Value::Object(result)) = result else {
                return Err(ErrorData::internal_error("a result is an object", None));
            };
            TaskPayload::Completed { result }
        }
    };
    Ok(GetTaskResult::new(DetailedTask::new(task(&record), payload)))
}

/// `tasks/cancel`.
pub(super) fn cancel(state: &ServerState, id: &str) -> Result<(), ErrorData> {
    let id = job(id)?;
    // Who may not know of the job may not stop it.
    state.look(id).map_err(|refused| failed(state, &refused))?;
    let view = state.view().map_err(|refused| failed(state, &refused))?;
    cancel_tree(view.jobs(), id).map_err(|error| failed(state, &error.into()))
}

fn job(id: &str) -> Result<JobId, ErrorData> {
    id.parse().map_err(|error: crate::model::InvalidJobId| ErrorData::invalid_params(error.to_string(), None))
}

fn failed(state: &ServerState, refused: &Refused) -> ErrorData {
    ErrorData::invalid_params(state.text_of(refused), None)
}

fn timestamp(seconds: UnixSeconds) -> String {
    let millis = (seconds * 1_000.0) as i64;
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
