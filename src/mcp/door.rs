//! The door: every request of a client passes the check of its authority here, before anything else looks at it.

use std::borrow::Cow;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CancelTaskParams, ClientNotification, ClientRequest, ErrorCode, ErrorData,
    GetTaskParams, InitializeRequestParams, PaginatedRequestParams, ProtocolVersion, ServerConfig,
    ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, Service};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::authority::Authority;
use super::server::Server;
use super::session::Session;
use super::tool::Need;
use super::tools;

/// A server behind its door.
pub(super) struct Door {
    server: Server,
    session: Session,
    authority: Authority,
}

impl Door {
    pub(super) fn new(server: Server, session: Session, authority: Authority) -> Self {
        Self { server, session, authority }
    }

    /// Refuses what the client may not do, and what it says in a way that cannot be read.
    fn admit(&self, request: &ClientRequest) -> Result<(), ErrorData> {
        let method = request.method();
        let tool = match request {
            ClientRequest::CallToolRequest(call) => Some(&*call.params.name),
            _ => None,
        };
        if self.authority.admits(method, tool) && !matches!(request, ClientRequest::CustomRequest(_)) {
            return Ok(());
        }
        Err(match (request, tool) {
            (_, Some(tool)) => self.no_such_tool(tool),
            // The library takes a request whose parameters it cannot read for one it does not know.
            (ClientRequest::CustomRequest(request), None)
                if self.authority.admits(method, None) || method == "tools/call" =>
            {
                malformed(method, request.params.as_ref())
            }
            _ => self.no_such_method(method),
        })
    }

    fn no_such_tool(&self, tool: &str) -> ErrorData {
        let known: Vec<String> =
            tools::list(&self.authority).iter().map(|tool| tool.name.to_string()).collect();
        let message = format!("there is no tool '{tool}'; the tools are {}", known.join(", "));
        ErrorData::invalid_params(message, None)
    }

    fn no_such_method(&self, method: &str) -> ErrorData {
        let message = match Need::of(method, None) {
            Some(_) if self.authority.read_only => {
                format!("there is no method {method} here: this server was started with --read-only")
            }
            _ => format!("there is no method {method}"),
        };
        ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
    }
}

/// Says what is wrong with the parameters of a method that is offered.
pub(super) fn malformed(method: &str, params: Option<&Value>) -> ErrorData {
    fn problem<T: DeserializeOwned>(params: &Value) -> Option<String> {
        serde_json::from_value::<T>(params.clone()).err().map(|error| error.to_string())
    }
    let params = params.unwrap_or(&Value::Null);
    let problem = match method {
        "initialize" => problem::<InitializeRequestParams>(params),
        "tools/list" => problem::<PaginatedRequestParams>(params),
        "tools/call" => problem::<CallToolRequestParams>(params),
        "tasks/get" => problem::<GetTaskParams>(params),
        "tasks/cancel" => problem::<CancelTaskParams>(params),
        _ => None,
    };
    let problem = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    ErrorData::invalid_params(format!("the parameters of {method} are not what it takes{problem}"), None)
}

impl Service<RoleServer> for Door {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let id = context.id.clone();
        let answered = match self.admit(&request) {
            Ok(()) => self.server.handle_request(request, context).await,
            Err(refusal) => Err(refusal),
        };
        self.session.forget(&id);
        answered
    }

    /// The only notification that does something takes back a call, and with it its job: a call that was admitted,
    /// by the client that made it.
    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.server.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        ServerHandler::get_info(&self.server)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        ServerHandler::supported_protocol_versions(&self.server)
    }
}
