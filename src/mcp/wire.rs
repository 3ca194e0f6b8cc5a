//! JSON-RPC messages on two byte streams, one a line.
//!
//! Reading is our own: the library's reader drops what it cannot read, so that a client would wait forever for an
//! answer, and ends the session over a notification that comes too early. Writing is the library's.

use std::io;
use std::mem;
use std::time::Duration;

use rmcp::model::{ErrorData, JsonRpcError, JsonRpcMessage, RequestId};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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
    /// Told when there is nothing more to read.
    end: CancellationToken,
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
    /// A client that is read from `input` and written to by `output`; `end` is cancelled when it has gone.
    pub(super) fn new(input: R, output: W, end: CancellationToken) -> Self {
        Self {
            input: BufReader::with_capacity(KEPT_BYTES, input),
            line: Vec::new(),
            discarding: false,
            output: AsyncRwTransport::new(tokio::io::empty(), output),
            refusals: JoinSet::new(),
            is_open: false,
            end,
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
                self.end.cancel();
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
            Understood::Refused(invalid("this is not a JSON-RPC 2.0 request"), id)
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
