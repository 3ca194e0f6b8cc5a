//! JSON-RPC messages on two byte streams, one a line.
//!
//! Reading is our own: the library's reader drops what it cannot read, so that a client would wait forever for an
//! answer, and ends the session over a notification that comes too early. Writing is the library's.

use std::io;
use std::mem;
use std::time::Duration;

use rmcp::model::{
    ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcError, JsonRpcMessage, JsonRpcNotification,
    JsonRpcRequest, ProtocolVersion, RequestId,
};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty};
use tokio::task::JoinSet;

use super::door::malformed;
use super::session::Session;

/// The longest message that is read, in bytes. A task may have 10,000,000 bytes, which JSON can blow up sixfold.
const LONGEST_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// How much memory is kept for the next message, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// How long refusals that are on their way may take when there is nothing more to read.
const LAST_WORDS: Duration = Duration::from_millis(40);

/// A client on the other end of two streams.
pub(super) struct Wire<R, W: AsyncWrite> {
    input: BufReader<R>,
    line: Vec<u8>,
    /// Whether the line that is being read is too long and on its way to nowhere.
    discarding: bool,
    output: AsyncRwTransport<RoleServer, Empty, W>,
    /// Refusals on their way out.
    refusals: JoinSet<()>,
    /// Whether the library has been given what opens a session. Before that it would end over anything but a request.
    is_open: bool,
    session: Session,
}

/// What a line turned out to be.
enum Understood {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    Refused(ErrorData, Option<RequestId>),
    /// Nothing that is to be answered.
    Nothing,
}

impl<R, W> Wire<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// A client that is read from `input` and written to by `output`. Tells its session when it has gone, and what it takes back.
    pub(super) fn new(input: R, output: W, session: Session) -> Self {
        Self {
            input: BufReader::with_capacity(KEPT_BYTES, input),
            line: Vec::new(),
            discarding: false,
            output: AsyncRwTransport::new(tokio::io::empty(), output),
            refusals: JoinSet::new(),
            is_open: false,
            session,
        }
    }

    /// Reads up to the end of a line, or of the stream; says whether there was one. Can be dropped and called again at
    /// any time: what has been read by then is in `self.line`.
    async fn read_line(&mut self) -> io::Result<bool> {
        loop {
            let available = self.input.fill_buf().await?;
            if available.is_empty() {
                return Ok(!self.line.is_empty());
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            if self.line.len() + taken > LONGEST_MESSAGE_BYTES {
                self.discarding = true;
                self.line = Vec::new();
            }
            if !self.discarding {
                self.line.extend_from_slice(&available[..taken]);
            }
            self.input.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Notes calls and what is taken back of them here, where the order of what was read is known.
    fn note(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) => self.session.begin(request.id.clone()),
            JsonRpcMessage::Notification(JsonRpcNotification {
                notification: ClientNotification::CancelledNotification(cancelled),
                ..
            }) => {
                if let Some(call) = &cancelled.params.request_id {
                    self.session.take_back(call);
                }
            }
            _ => {}
        }
    }

    /// Answers on its own, beside whatever else is being written.
    fn refuse(&mut self, error: ErrorData, id: Option<RequestId>) {
        let sent = self.output.send(JsonRpcMessage::Error(JsonRpcError::new(id, error)));
        while self.refusals.try_join_next().is_some() {}
        // A client that does not take its answers will be noticed by the thread that reads from it.
        self.refusals.spawn(async { drop(sent.await) });
    }

    /// Waits until what was refused has been told, unless the client is gone.
    async fn finish_refusals(&mut self) {
        let told = async { while self.refusals.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WORDS, told).await;
    }
}

impl<R, W> Transport<RoleServer> for Wire<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.output.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let line = self.read_line().await;
            if !matches!(line, Ok(true)) {
                if let Err(error) = line {
                    let failure = format!("failed to read standard input: {error}");
                    self.session.fail(io::Error::new(error.kind(), failure));
                }
                self.finish_refusals().await;
                self.session.leaving.cancel();
                return None;
            }
            let understood = if mem::take(&mut self.discarding) {
                let limit = LONGEST_MESSAGE_BYTES >> 20;
                Understood::Refused(
                    ErrorData::invalid_request(format!("a message is longer than {limit} MiB"), None),
                    None,
                )
            } else {
                understand(&self.line)
            };
            self.line.clear();
            self.line.shrink_to(KEPT_BYTES);
            match understood {
                Understood::Message(message) => {
                    if self.is_open {
                        self.note(&message);
                        return Some(*message);
                    }
                    match before_the_session(&message) {
                        Opening::Session => {
                            self.is_open = true;
                            self.note(&message);
                            return Some(*message);
                        }
                        Opening::Pass => return Some(*message),
                        Opening::Refused(error, id) => self.refuse(error, Some(id)),
                        Opening::Ignored => {}
                    }
                }
                Understood::Refused(error, id) => self.refuse(error, id),
                Understood::Nothing => {}
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.close().await
    }
}

/// What a message is that comes before there is a session.
enum Opening {
    /// It opens one.
    Session,
    /// The library answers it and goes on waiting for a session.
    Pass,
    Refused(ErrorData, RequestId),
    /// Nothing that is to be answered, such as the notification that a client sends after a refused `initialize`.
    Ignored,
}

fn before_the_session(message: &RxJsonRpcMessage<RoleServer>) -> Opening {
    let JsonRpcMessage::Request(JsonRpcRequest { id, request, .. }) = message else {
        return Opening::Ignored;
    };
    match request {
        ClientRequest::InitializeRequest(_) => return Opening::Session,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => return Opening::Pass,
        ClientRequest::CustomRequest(custom) if custom.method == "initialize" => {
            return Opening::Refused(malformed("initialize", custom.params.as_ref()), id.clone());
        }
        _ => {}
    }
    // A request without a session says by itself who asks.
    let missing = request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28);
    if missing.is_empty() {
        let version = request.get_meta().protocol_version();
        let is_known = version.is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version));
        return if is_known { Opening::Session } else { Opening::Pass };
    }
    let message = format!(
        "there is no session yet: send initialize first; a request without a session needs in its _meta: {}",
        missing.join(", ")
    );
    Opening::Refused(ErrorData::invalid_params(message, None), id.clone())
}

fn understand(line: &[u8]) -> Understood {
    // JSON parsers may ignore a byte order mark (RFC 8259, section 8.1).
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Understood::Nothing;
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Understood::Message(Box::new(message));
    }
    let document: Value = match serde_json::from_slice(line) {
        Ok(document) => document,
        Err(error) => {
            return Understood::Refused(
                ErrorData::parse_error(format!("this is not JSON: {error}"), None),
                None,
            );
        }
    };
    let invalid = |message: &'static str| ErrorData::invalid_request(message, None);
    match document {
        Value::Object(fields) => {
            let Some(id) = fields.get("id") else { return Understood::Nothing };
            if !fields.contains_key("method")
                && (fields.contains_key("result") || fields.contains_key("error"))
            {
                return Understood::Nothing;
            }
            let id = serde_json::from_value(id.clone()).ok();
            let has_method = fields.get("method").is_some_and(Value::is_string);
            let error = match fields.get("params") {
                Some(params) if has_method && !params.is_object() => {
                    ErrorData::invalid_params("the params of a request are a JSON object", None)
                }
                _ => invalid("this is not a JSON-RPC 2.0 request"),
            };
            Understood::Refused(error, id)
        }
        Value::Array(_) => Understood::Refused(invalid("MCP has no batches: send one message a line"), None),
        _ => Understood::Refused(invalid("a message is a JSON object"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_and_id(line: &str) -> Option<(i32, Option<Value>)> {
        match understand(line.as_bytes()) {
            Understood::Refused(error, id) => Some((error.code.0, id.map(RequestId::into_json_value))),
            Understood::Message(_) | Understood::Nothing => None,
        }
    }

    #[test]
    fn whatever_has_an_id_is_answered_with_it() {
        let invalid = -32600;
        for (line, id) in [
            (r#"{"id":7,"method":"ping"}"#, Some(7.into())),
            (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, Some("a".into())),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, Some(1.into())),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, None),
            ("[]", None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None),
            ("5", None),
        ] {
            assert_eq!(code_and_id(line), Some((invalid, id)), "{line}");
        }
        let listed = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["run"]}"#;
        assert_eq!(code_and_id(listed), Some((-32602, Some(1.into()))));
    }

    #[test]
    fn what_is_no_json_is_a_parse_error_and_what_needs_no_answer_gets_none() {
        assert_eq!(code_and_id("{\"jsonrpc\":"), Some((-32700, None)));
        for silent in
            ["", " \r", r#"{"method":"x"}"#, r#"{"id":1,"result":5}"#, r#"{"jsonrpc":"2.0","method":5}"#]
        {
            assert!(matches!(understand(silent.as_bytes()), Understood::Nothing), "{silent}");
        }
        for message in [
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
            r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#,
        ] {
            assert!(matches!(understand(message.as_bytes()), Understood::Message(_)), "{message}");
        }
    }
}
