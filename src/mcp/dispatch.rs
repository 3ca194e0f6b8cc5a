//! The tools that start jobs.

use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult, CreateTaskResult};
use rmcp::service::RequestContext;

use super::arguments::{self, Arguments, Manner};
use super::refused::Refused;
use super::remedy::INSTEAD_OF_DISPATCHING;
use super::result::{self, Reply};
use super::server_state::ServerState;
use super::session::Session;
use super::suggest::no_such_agent;
use super::tasks;
use super::waiting::{Caller, Waited};
use crate::config::Config;
use crate::engine::{DispatchError, Notice, Ownership, cancel_all, cancel_tree};
use crate::model::{JobId, now};

/// `dispatch`: hands a task to an agent.
pub(super) async fn dispatch(
    state: &ServerState,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResponse, Refused> {
    let request = arguments::request(&mut arguments)?;
    let manner = Manner::read(&mut arguments)?;
    arguments.end()?;
    // The job has no owner: it outlives the call, the client and this server.
    let started = state.starting(move |state| {
        let view = state.view()?;
        let refused = |error| refused(state, &view.config, error);
        state.check_agent(&request.agent, &view.config).map_err(refused)?;
        let id = view.dispatch.submit(&request, Ownership::Detached, now()).map_err(refused)?.id;
        Ok((id, view.dispatch.notices(&[&request])))
    });
    attend(state, started.await?, manner, context, session).await
}

/// `dispatch_dialogue`: lets two agents work something out, as one job.
pub(super) async fn dialogue(
    state: &ServerState,
    mut arguments: Arguments,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResponse, Refused> {
    let request = arguments::dialogue(&mut arguments)?;
    let manner = Manner::waiting(&mut arguments)?;
    arguments.end()?;
    let started = state.starting(move |state| {
        let view = state.view()?;
        let refused = |error| refused(state, &view.config, error);
        for agent in [&request.requester, &request.responder] {
            state.check_agent(agent, &view.config).map_err(refused)?;
        }
        let notices =
            [&request.requester, &request.responder].map(|agent| view.dispatch.exposures(agent)).concat();
        let id = view.dispatch.submit_dialogue(request, Ownership::Detached, now()).map_err(refused)?.id;
        Ok((id, notices))
    });
    attend(state, started.await?, manner, context, session).await
}

/// Waits for a job in the manner its caller wants, and answers.
async fn attend(
    state: &ServerState,
    (id, notices): (JobId, Vec<Notice>),
    manner: Manner,
    context: &RequestContext<RoleServer>,
    session: &Session,
) -> Result<CallToolResponse, Refused> {
    let caller = Caller::new(context, session, manner.wait);
    if caller.has_cancelled() {
        return stop(state, vec![id]).await;
    }
    if tasks::are_wanted(context) && !manner.background {
        let record = state.blocking(move |state| state.look(id)).await?;
        return Ok(CallToolResponse::Task(CreateTaskResult::new(tasks::task(&record))));
    }
    if !manner.background && caller.wait_for(state, &[id]).await? == Waited::Cancelled {
        return stop(state, vec![id]).await;
    }
    let reply = state.blocking(move |state| tell(state, id, manner)).await?;
    Ok(CallToolResult::from(reply.with_notices(&notices)).into())
}

/// A job as it is now.
pub(super) fn tell(state: &ServerState, id: JobId, manner: Manner) -> Result<Reply, Refused> {
    let view = state.view()?;
    let record = state.look(id)?;
    if record.finished().is_some() {
        result::over(view.jobs(), state.advisor(), &record, manner.window())
    } else {
        result::unfinished(view.jobs(), &record)
    }
}

/// Stops jobs whose caller has gone, and all they led to. The answer is not sent: the client has taken its call back.
pub(super) async fn stop(state: &ServerState, jobs: Vec<JobId>) -> Result<CallToolResponse, Refused> {
    state
        .blocking(move |state| {
            let view = state.view()?;
            Ok(cancel_all(jobs, |id| cancel_tree(view.jobs(), id))?)
        })
        .await?;
    Err(Refused::new("the call was cancelled"))
}

/// Says why a dispatch was refused, and nothing that the client must not know.
pub(super) fn refused(state: &ServerState, config: &Config, error: DispatchError) -> Refused {
    match error {
        // Whether there is such a session elsewhere is not told either.
        DispatchError::UnknownSession { session, .. } if state.is_limited() => Refused::with_advice(
            format_args!("session {session} is none that a job of the agents there are has had"),
            "Leave session_id out, or give that of an earlier answer of the agent",
        ),
        // The first job of the chain may be anybody's.
        DispatchError::TreeTooLarge { limit, .. } if state.is_limited() => Refused::with_advice(
            format_args!("the dispatches that led here have started as many jobs as are allowed: {limit}"),
            INSTEAD_OF_DISPATCHING,
        ),
        DispatchError::UnknownAgent { ref nearest, .. } => {
            no_such_agent(state, config, &error, nearest.as_ref())
        }
        DispatchError::Store(error) => state.unusable_jobs(error.into()),
        error => error.into(),
    }
}
