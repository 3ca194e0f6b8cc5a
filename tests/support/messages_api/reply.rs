//! What the API answers.

use serde_json::{Value, json};

use super::Request;

/// One reply. Made by one of the functions below, refined by the methods.
#[derive(Debug, Clone)]
pub struct Reply {
    kind: Kind,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Kind {
    Message { blocks: Vec<Value>, stop_reason: Option<String>, input_tokens: u64, output_tokens: u64 },
    Error { status: u16, kind: &'static str, message: String },
    Stall,
    Reset,
}

impl Reply {
    /// A text, which ends the turn.
    pub fn text(text: &str) -> Self {
        Self::message(json!({"type": "text", "text": text}))
    }

    /// A call of a tool: `Reply::tool("Bash", json!({"command": "ls", "description": "List"}))`.
    pub fn tool(name: &str, input: Value) -> Self {
        Self::message(tool_use(name, input))
    }

    /// A Bash command.
    pub fn bash(command: &str) -> Self {
        Self::tool("Bash", json!({"command": command, "description": "Run a command"}))
    }

    /// Any error: `Reply::error(400, "invalid_request_error", "…")`.
    pub fn error(status: u16, kind: &'static str, message: &str) -> Self {
        Self { kind: Kind::Error { status, kind, message: message.to_owned() }, headers: Vec::new() }
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::error(401, "authentication_error", "invalid x-api-key")
    }

    /// 403.
    pub fn forbidden() -> Self {
        Self::error(403, "permission_error", "your account does not have access")
    }

    /// 400 with the text for an empty account.
    pub fn no_credit() -> Self {
        let text =
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";
        Self::error(400, "invalid_request_error", text)
    }

    /// 429. See [`Reply::retry_after`].
    pub fn rate_limited() -> Self {
        Self::error(429, "rate_limit_error", "this request would exceed your account's rate limit")
    }

    /// 529.
    pub fn overloaded() -> Self {
        Self::error(529, "overloaded_error", "Overloaded")
    }

    /// 500.
    pub fn server_error() -> Self {
        Self::error(500, "api_error", "internal server error")
    }

    /// No reply until the client or the server goes away.
    pub fn stall() -> Self {
        Self { kind: Kind::Stall, headers: Vec::new() }
    }

    /// The connection breaks.
    pub fn reset() -> Self {
        Self { kind: Kind::Reset, headers: Vec::new() }
    }

    /// Adds a text to the same message.
    pub fn and_text(self, text: &str) -> Self {
        self.and(json!({"type": "text", "text": text}))
    }

    /// Adds a tool call to the same message.
    pub fn and_tool(self, name: &str, input: Value) -> Self {
        self.and(tool_use(name, input))
    }

    /// Sets the usage, from which claude computes the cost.
    pub fn usage(mut self, input: u64, output: u64) -> Self {
        if let Kind::Message { input_tokens, output_tokens, .. } = &mut self.kind {
            (*input_tokens, *output_tokens) = (input, output);
        }
        self
    }

    /// Sets another stop reason: `refusal`, `max_tokens`.
    pub fn stop_reason(mut self, reason: &str) -> Self {
        if let Kind::Message { stop_reason, .. } = &mut self.kind {
            *stop_reason = Some(reason.to_owned());
        }
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says when to come back.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header("retry-after", &seconds.to_string())
    }

    pub(super) fn is_stall(&self) -> bool {
        matches!(self.kind, Kind::Stall)
    }

    pub(super) fn is_reset(&self) -> bool {
        matches!(self.kind, Kind::Reset)
    }

    /// Status, headers, content type and body, streamed when the request wants it.
    pub(super) fn render(self, request: &Request) -> (u16, Vec<(String, String)>, &'static str, String) {
        let (blocks, stop_reason, input, output) = match self.kind {
            Kind::Message { blocks, stop_reason, input_tokens, output_tokens } => {
                (blocks, stop_reason, input_tokens, output_tokens)
            }
            Kind::Error { status, kind, message } => {
                let body = json!({"type": "error", "error": {"type": kind, "message": message}});
                return (status, self.headers, "application/json", body.to_string());
            }
            Kind::Stall | Kind::Reset => unreachable!("these have no body"),
        };
        let calls = blocks.iter().any(|block| block["type"] == "tool_use");
        let stop_reason =
            stop_reason.unwrap_or_else(|| if calls { "tool_use" } else { "end_turn" }.to_owned());
        let message = |content: Value, stop_reason: Value, output: u64| {
            json!({
                "id": format!("msg_{}", uuid::Uuid::new_v4().simple()), "type": "message", "role": "assistant",
                "model": request.body["model"], "content": content, "stop_reason": stop_reason,
                "stop_sequence": null, "usage": {"input_tokens": input, "output_tokens": output},
            })
        };
        if request.body["stream"] != true {
            let body = message(blocks.into(), stop_reason.into(), output);
            return (200, self.headers, "application/json", body.to_string());
        }
        let mut events =
            vec![json!({"type": "message_start", "message": message(json!([]), Value::Null, 1)})];
        for (index, block) in blocks.iter().enumerate() {
            let (start, delta) = if block["type"] == "text" {
                (json!({"type": "text", "text": ""}), json!({"type": "text_delta", "text": block["text"]}))
            } else {
                let mut start = block.clone();
                start["input"] = json!({});
                (start, json!({"type": "input_json_delta", "partial_json": block["input"].to_string()}))
            };
            events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            events.push(json!({"type": "content_block_stop", "index": index}));
        }
        events.push(json!({
            "type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": null},
            "usage": {"output_tokens": output},
        }));
        events.push(json!({"type": "message_stop"}));
        let body = events
            .iter()
            .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()))
            .collect();
        (200, self.headers, "text/event-stream", body)
    }

    fn message(block: Value) -> Self {
        let kind =
            Kind::Message { blocks: vec![block], stop_reason: None, input_tokens: 10, output_tokens: 5 };
        Self { kind, headers: Vec::new() }
    }

    fn and(mut self, block: Value) -> Self {
        if let Kind::Message { blocks, .. } = &mut self.kind {
            blocks.push(block);
        }
        self
    }
}

fn tool_use(name: &str, input: Value) -> Value {
    let id = format!("toolu_{}", uuid::Uuid::new_v4().simple());
    let mut block = json!({"type": "tool_use", "id": id, "name": name});
    block["input"] = input;
    block
}
