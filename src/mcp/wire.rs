//! JSON-RPC messages on two byte streams, one a line.
//!
//! Reading is our own: the library's reader drops what it cannot read, so that a client would wait forever for an
//! answer, and ends the session over a notification that comes too early. Writing is the library's.

use std::io;
use std::mem;
use std::time::Duration;

use rmcp::model::{
    ClientNotification, ErrorData, JsonRpcError, JsonRpcMessage, JsonRpcNotification, RequestId,
};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty};
use tokio::task::JoinSet;

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
    /// Whether a request has been read: nothing else can open a session.
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
        // A client that does not take its answers will be noticed by whoever reads from it.
        self.refusals.spawn(async { drop(sent.await) });
    }

    /// Waits until what was refused has been told, unless nobody listens.
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
            if !matches!(self.read_line().await, Ok(true)) {
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
                    self.note(&message);
                    self.is_open |= matches!(*message, JsonRpcMessage::Request(_));
                    if self.is_open {
                        return Some(*message);
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
mod tests;
