//! `dispatch_parallel`: several tasks at once.

use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};

use super::arguments::{self, Arguments, Manner};
use super::desk::{Desk, now};
use super::dispatch::{refused, stop, tell};
use super::result::{PART_CHARS, Refused, Reply};
use super::session::Session;
use super::waiting::{Caller, Waited};
use crate::engine::{Batch, BatchError, BatchItem, Ownership, Refusal, Request};
use crate::store::JobId;

/// The least that is given of each answer, in characters.
const LEAST_PART_CHARS: usize = 500;

/// Starts all dispatches, or none if one of them is refused, and waits for them.
pub(super) async fn parallel(
    desk: &Desk,
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
    let requests = all_or_every_problem(items.into_iter().map(|mut item| {
        let request = arguments::request(&mut item)?;
        item.end().map(|()| request)
    }))?;
    let batch = desk.starting(move |desk| start(desk, &requests, aggregate.as_ref())).await?;
    let all: Vec<JobId> = batch.jobs.iter().copied().chain(batch.aggregate).collect();
    let caller = Caller::new(context, session, manner.wait);
    let cancelled = caller.has_cancelled()
        || (!manner.background && caller.wait_for(desk, &all).await? == Waited::Cancelled);
    if cancelled {
        return stop(desk, all).await;
    }
    let reply = desk.blocking(move |desk| tell_all(desk, &batch)).await?;
    Ok(CallToolResult::from(reply).into())
}

/// The values, or what is wrong with every item that is none.
fn all_or_every_problem<T>(items: impl Iterator<Item = Result<T, Refused>>) -> Result<Vec<T>, Refused> {
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for item in items {
        match item {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Refused::all(&problems)) }
}

fn start(desk: &Desk, requests: &[Request], aggregate: Option<&Request>) -> Result<Batch, Refused> {
    let engine = desk.engine()?;
    let items = requests.iter().enumerate().map(|(number, request)| (BatchItem::Dispatch(number), request));
    let items = items.chain(aggregate.map(|request| (BatchItem::Aggregate, request)));
    if desk.authority().agents.is_some() {
        all_or_every_problem(items.map(|(item, request)| {
            let checked = desk.check_agent(&request.agent, engine.config());
            let checked = checked.and_then(|()| engine.prepare(request).map(drop));
            checked.map_err(|error| refused_item(Refusal { item, error }))
        }))?;
    }
    engine.start_batch(requests, aggregate, Ownership::Nobody, now()).map_err(|error| match error {
        BatchError::Refused(refusals) => {
            Refused::all(&refusals.into_iter().map(refused_item).collect::<Vec<_>>())
        }
        BatchError::NoRoom(error) => refused(error),
        error @ BatchError::Empty => Refused::new(error),
        BatchError::Broken { started, refusal } => {
            let started: Vec<String> = started.iter().map(JobId::to_string).collect();
            let problem = refused_item(*refusal);
            Refused::with_remedy(problem.message(), format_args!("These go on: {}", started.join(", ")))
        }
    })
}

/// A refusal in terms of the arguments.
fn refused_item(refusal: Refusal) -> Refused {
    let place = match refusal.item {
        BatchItem::Dispatch(number) => format!("dispatches[{number}]"),
        BatchItem::Aggregate => "aggregate".to_owned(),
    };
    Refused::new(format_args!("{place}: {}", refused(refusal.error).message()))
}

/// All jobs as they are now.
fn tell_all(desk: &Desk, batch: &Batch) -> Result<Reply, Refused> {
    let count = batch.jobs.len() + usize::from(batch.aggregate.is_some());
    let manner = Manner { max_chars: (PART_CHARS / count).max(LEAST_PART_CHARS), ..Manner::whole() };
    let replies: Vec<Reply> =
        batch.jobs.iter().map(|id| tell(desk, *id, manner)).collect::<Result<_, _>>()?;
    let aggregate = batch.aggregate.map(|id| tell(desk, id, manner)).transpose()?;
    let texts: Vec<&str> = replies.iter().chain(&aggregate).map(|reply| reply.text.as_str()).collect();
    let text = texts.join("\n\n----\n\n");
    let is_error = replies.iter().all(|reply| reply.is_error);
    let is_unfinished = |reply: &&Reply| reply.fields.contains_key("next");
    let unfinished = replies.iter().chain(&aggregate).filter(is_unfinished).count();
    let mut fields = Map::new();
    if unfinished > 0 {
        fields.insert("unfinished".to_owned(), unfinished.into());
        fields.insert("next".to_owned(), json!("dispatch_result waits for each job that is not over"));
    }
    let jobs: Vec<Value> = replies.into_iter().map(|reply| Value::Object(reply.fields)).collect();
    fields.insert("jobs".to_owned(), jobs.into());
    if let Some(aggregate) = aggregate {
        fields.insert("aggregate".to_owned(), Value::Object(aggregate.fields));
    }
    Ok(Reply { text, fields, is_error })
}
