//! `dispatch_parallel`: several tasks at once.

use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::arguments::{self, Arguments, Manner};
use super::desk::{Desk, now};
use super::dispatch::{refused, stop, tell};
use super::result::{PART_CHARS, Refused, Reply};
use super::waiting::{Caller, Waited};
use crate::engine::{Ownership, Prepared, Request};
use crate::store::JobId;

/// The least that is given of each answer, in characters.
const LEAST_PART_CHARS: usize = 500;

/// Starts all dispatches, or none if one of them is refused, and waits for them.
pub(super) async fn parallel(
    desk: &Desk,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    leaving: &CancellationToken,
) -> Result<CallToolResponse, Refused> {
    let items = arguments.objects("dispatches")?;
    let manner = Manner::waiting(&mut arguments)?;
    arguments.end()?;
    if items.is_empty() {
        return Err(arguments.refuse("dispatches is empty"));
    }
    let requests = all_or_every_problem(items.into_iter().map(|mut item| {
        let request = arguments::request(&mut item)?;
        item.end().map(|()| request)
    }))?;
    let jobs = desk.blocking(move |desk| start(desk, &requests)).await?;
    let caller = Caller::new(context, leaving, manner.wait);
    let cancelled = caller.has_cancelled()
        || (!manner.background && caller.wait_for(desk, &jobs).await? == Waited::Cancelled);
    if cancelled {
        return stop(desk, jobs).await;
    }
    let reply = desk.blocking(move |desk| tell_all(desk, &jobs)).await?;
    Ok(CallToolResult::from(reply).into())
}

/// The values, or what is wrong with every item that is none.
fn all_or_every_problem<T>(items: impl Iterator<Item = Result<T, Refused>>) -> Result<Vec<T>, Refused> {
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for item in items {
        match item {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem.message().to_owned()),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Refused::new(problems.join("\n"))) }
}

fn start(desk: &Desk, requests: &[Request]) -> Result<Vec<JobId>, Refused> {
    let engine = desk.engine()?;
    let prepared: Vec<Prepared> =
        all_or_every_problem(requests.iter().enumerate().map(|(position, request)| {
            let checked =
                desk.check_agent(&request.agent, engine.config()).and_then(|()| engine.prepare(request));
            checked.map_err(|error| {
                Refused::new(format_args!("dispatches[{position}]: {}", refused(error).message()))
            })
        }))?;
    let mut jobs = Vec::new();
    for (position, prepared) in prepared.into_iter().enumerate() {
        match engine.start(prepared, Ownership::Nobody, now()) {
            Ok(submitted) => jobs.push(submitted.id),
            Err(error) => {
                let started: Vec<String> = jobs.iter().map(JobId::to_string).collect();
                return Err(Refused::new(format_args!(
                    "dispatches[{position}]: {}. Started before it: {}",
                    refused(error).message(),
                    if started.is_empty() { "none".to_owned() } else { started.join(", ") }
                )));
            }
        }
    }
    Ok(jobs)
}

/// All jobs as they are now.
fn tell_all(desk: &Desk, jobs: &[JobId]) -> Result<Reply, Refused> {
    let max_chars = (PART_CHARS / jobs.len()).max(LEAST_PART_CHARS);
    let replies = jobs.iter().map(|id| tell(desk, *id, Manner { max_chars, ..Manner::whole() }));
    let replies: Vec<Reply> = replies.collect::<Result<_, _>>()?;
    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    let text = texts.join("\n\n----\n\n");
    let is_error = replies.iter().all(|reply| reply.is_error);
    let mut fields = Map::new();
    let unfinished = replies.iter().filter(|reply| reply.fields.contains_key("next")).count();
    if unfinished > 0 {
        fields.insert("unfinished".to_owned(), unfinished.into());
        fields.insert("next".to_owned(), json!("dispatch_result waits for each job that is not over"));
    }
    let jobs: Vec<Value> = replies.into_iter().map(|reply| Value::Object(reply.fields)).collect();
    fields.insert("jobs".to_owned(), jobs.into());
    Ok(Reply { text, fields, is_error })
}
