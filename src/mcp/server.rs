//! The protocol: which request means what.

use rmcp::RoleServer;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock, ErrorData,
    GetTaskParams, GetTaskResult, Implementation, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;

use super::arguments::Arguments;
use super::refused::Refused;
use super::result::Reply;
use super::server_state::ServerState;
use super::session::Session;
use super::tool::Name;
use super::{agents, configure, dispatch, jobs, parallel, tasks, tools};

/// Answers one client.
pub(super) struct Server {
    state: ServerState,
    session: Session,
    about: ServerConfig,
}

impl Server {
    pub(super) fn new(state: ServerState, session: Session) -> Self {
        // A config that is broken now may be mended before the first call.
        let view = state.view().ok();
        let config = view.as_ref().map(|view| view.config.as_ref());
        let names = config.into_iter().flat_map(|config| state.agents(config)).map(|(name, _)| name);
        let instructions = tools::instructions(state.authority(), config, names);
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tasks().build();
        let mut about = ServerConfig::new(capabilities).with_instructions(instructions);
        about.server_info = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .with_title("Agent Dispatch");
        Self { state, session, about }
    }

    async fn call(
        &self,
        tool: Name,
        arguments: Arguments,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, Refused> {
        let (state, session) = (&self.state, &self.session);
        match tool {
            Name::Dispatch => dispatch::dispatch(state, arguments, context, session).await,
            Name::DispatchParallel => parallel::parallel(state, arguments, context, session).await,
            Name::DispatchDialogue => dispatch::dialogue(state, arguments, context, session).await,
            Name::DispatchResult => Ok(jobs::result(state, arguments, context, session).await?.into()),
            Name::DispatchCancel => Ok(jobs::cancel(state, arguments, context, session).await?.into()),
            Name::DispatchJobs => at_once(state, arguments, jobs::jobs).await,
            Name::DispatchGc => at_once(state, arguments, jobs::gc).await,
            Name::ListAgents => at_once(state, arguments, agents::list).await,
            Name::ConfigureAgent => at_once(state, arguments, configure::configure).await,
        }
    }
}

/// Runs a tool that does not wait for anything.
async fn at_once(
    state: &ServerState,
    arguments: Arguments,
    tool: fn(&ServerState, Arguments) -> Result<Reply, Refused>,
) -> Result<CallToolResponse, Refused> {
    let reply = state.blocking(move |state| tool(state, arguments)).await?;
    Ok(CallToolResult::from(reply).into())
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.about.clone()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::list(self.state.authority())))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // The door has let it in, so there is such a tool and the client may use it.
        let Some(tool) = Name::named(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool '{}'", request.name), None));
        };
        let arguments = Arguments::new(tool.as_str(), request.arguments.unwrap_or_default());
        let answered = self.call(tool, arguments, &context).await;
        Ok(answered.unwrap_or_else(|refused| {
            CallToolResult::error(vec![ContentBlock::text(self.state.text_of(&refused))]).into()
        }))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        on_a_thread(&self.state, move |state| tasks::get(state, &request.task_id)).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        on_a_thread(&self.state, move |state| tasks::cancel(state, &request.task_id)).await
    }
}

async fn on_a_thread<T: Send + 'static>(
    state: &ServerState,
    work: impl FnOnce(&ServerState) -> Result<T, ErrorData> + Send + 'static,
) -> Result<T, ErrorData> {
    let done = state.blocking(move |state| Ok(work(state))).await;
    done.unwrap_or_else(|refused| Err(ErrorData::internal_error(state.text_of(&refused), None)))
}
