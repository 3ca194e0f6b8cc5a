//! `dispatch_parallel`: several tasks at once.

use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};

use super::arguments::{self, Arguments, Manner};
use super::dispatch::{refused, stop, tell};
use super::refused::Refused;
use super::result::Reply;
use super::server_state::ServerState;
use super::session::Session;
use super::waiting::{Caller, Waited};
use super::window::PART_CHARS;
use crate::config::Config;
use crate::engine::{Batch, BatchError, BatchItem, Notice, Ownership, Refusal, Request};
use crate::model::{JobId, Remedy, now};

/// The least that is given of each answer, in characters.
const LEAST_PART_CHARS: usize = 500;

/// Starts all dispatches, or none if one of them is refused, and waits for them.
pub(super) async fn parallel(
    state: &ServerState,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResponse, Refused> {
    let items = arguments.objects("dispatches")?;
    let aggregate = arguments.text("aggregate")?.map(|agent| Request::aggregate(agent, None));
    let manner = Manner::waiting(&mut arguments)?;
    arguments.end()?;
    if items.is_empty() {
        return Err(arguments.refuse("dispatches is empty"));
    }
    let (batch, notices) = state.starting(move |state| start(state, items, aggregate.as_ref())).await?;
    let all: Vec<JobId> = batch.jobs.iter().copied().chain(batch.aggregate).collect();
    let caller = Caller::new(context, session, manner.wait);
    let cancelled = caller.has_cancelled()
        || (!manner.background && caller.wait_for(state, &all).await? == Waited::Cancelled);
    if cancelled {
        return stop(state, all).await;
    }
    let reply = state.blocking(move |state| tell_all(state, &batch)).await?;
    Ok(CallToolResult::from(reply.with_notices(&notices)).into())
}

/// Starts all of them; or none, and says everything that is wrong with any of them.
fn start(
    state: &ServerState,
    items: Vec<Arguments>,
    aggregate: Option<&Request>,
) -> Result<(Batch, Vec<Notice>), Refused> {
    let view = state.view()?;
    let refused_item = |refusal| refused_item(state, &view.config, refusal);
    let mut requests = Vec::new();
    let mut problems = Vec::new();
    let speaks_against = |item, request: &Request| -> Vec<Refused> {
        let refusals = match state.check_agent(&request.agent, &view.config) {
            Ok(()) => view.dispatch.refusals(request),
            Err(error) => vec![error],
        };
        refusals.into_iter().map(|error| refused_item(Refusal { item, error })).collect()
    };
    for (number, mut item) in items.into_iter().enumerate() {
        match arguments::request(&mut item) {
            Ok(request) => {
                problems.extend(item.end().err());
                problems.extend(speaks_against(BatchItem::Dispatch(number), &request));
                requests.push(request);
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(aggregate.into_iter().flat_map(|request| speaks_against(BatchItem::Aggregate, request)));
    if !problems.is_empty() {
        return Err(Refused::all(problems));
    }
    let batch =
        view.dispatch.submit_batch(&requests, aggregate, Ownership::Detached, now()).map_err(|error| {
            match error {
                BatchError::Refused(refusals) => Refused::all(refusals.into_iter().map(refused_item)),
                BatchError::NoRoom(error) => refused(state, &view.config, error),
                error @ BatchError::Empty => Refused::new(error),
                BatchError::Broken { started, refusal } => {
                    let go_on = Remedy::CancelJobs { job_ids: started };
                    let others = Refused::with_remedy("some jobs have been started", go_on);
                    Refused::all([refused_item(*refusal), others])
                }
            }
        })?;
    let all: Vec<&Request> = requests.iter().chain(aggregate).collect();
    Ok((batch, view.dispatch.notices(&all)))
}

/// A refusal in terms of the arguments.
fn refused_item(state: &ServerState, config: &Config, refusal: Refusal) -> Refused {
    let place = match refusal.item {
        BatchItem::Dispatch(number) => format!("dispatches[{number}]"),
        BatchItem::Aggregate => "aggregate".to_owned(),
    };
    refused(state, config, refusal.error).about(place)
}

/// All jobs as they are now.
fn tell_all(state: &ServerState, batch: &Batch) -> Result<Reply, Refused> {
    let count = batch.jobs.len() + usize::from(batch.aggregate.is_some());
    let manner = Manner { max_chars: (PART_CHARS / count).max(LEAST_PART_CHARS), ..Manner::whole() };
    let replies: Vec<Reply> =
        batch.jobs.iter().map(|id| tell(state, *id, manner)).collect::<Result<_, _>>()?;
    let aggregate = batch.aggregate.map(|id| tell(state, id, manner)).transpose()?;
    let labels =
        (0..replies.len()).map(|number| format!("dispatches[{number}]")).chain(["aggregate".to_owned()]);
    let label = |(label, reply): (String, &Reply)| {
        let agent = reply.fields["agent"].as_str().unwrap_or_default();
        format!("{label}, by {agent}:\n{}", reply.text)
    };
    let texts: Vec<String> = labels.zip(replies.iter().chain(&aggregate)).map(label).collect();
    let text = texts.join("\n\n----\n\n");
    let is_error = replies.iter().all(|reply| reply.is_error);
    let is_unfinished = |reply: &&Reply| reply.fields.contains_key("next");
    let unfinished = replies.iter().chain(&aggregate).filter(is_unfinished).count();
    let mut fields = Map::new();
    if unfinished > 0 {
        fields.insert("unfinished".to_owned(), unfinished.into());
        fields.insert("next".to_owned(), json!("dispatch_result waits for each job that has not finished"));
    }
    let jobs: Vec<Value> = replies.into_iter().map(|reply| Value::Object(reply.fields)).collect();
    fields.insert("jobs".to_owned(), jobs.into());
    if let Some(aggregate) = aggregate {
        fields.insert("aggregate".to_owned(), Value::Object(aggregate.fields));
    }
    Ok(Reply { text, fields, is_error })
}
