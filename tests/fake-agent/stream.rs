//! What claude writes to standard output: stream-json events, one JSON document, or text.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::arguments::{Arguments, OutputFormat};

/// Standard output, with everything that can go wrong with it.
pub(crate) struct Stream {
    format: OutputFormat,
    /// Events go out one by one; otherwise they are kept for one array, or dropped.
    live: bool,
    array: bool,
    noise: bool,
    /// How many bytes may still go out.
    left: usize,
    kept: Vec<Value>,
    messages: u32,
    session: String,
    model: String,
}

impl Stream {
    pub(crate) fn new(arguments: &Arguments, session: &str) -> Self {
        let array = arguments.output_format == OutputFormat::Json && arguments.verbose;
        Self {
            format: arguments.output_format,
            live: arguments.output_format == OutputFormat::StreamJson,
            array,
            noise: false,
            left: usize::MAX,
            kept: Vec::new(),
            messages: 0,
            session: session.to_owned(),
            model: arguments.model.clone().unwrap_or_else(|| "claude-fake-1".to_owned()),
        }
    }

    /// One array at the end, whatever format was asked for.
    pub(crate) fn as_array(&mut self) {
        self.array = true;
        self.live = false;
        self.format = OutputFormat::Json;
    }

    /// Lines that are no events, blank lines and CRLF between the events, and noise on their lines.
    pub(crate) fn with_noise(&mut self) {
        self.noise = true;
    }

    /// Nothing after this many bytes goes out.
    pub(crate) fn cut_after(&mut self, bytes: usize) {
        self.left = bytes;
    }

    pub(crate) fn init(&mut self, arguments: &Arguments, cwd: &str) -> io::Result<()> {
        self.event(json!({
            "type": "system", "subtype": "init", "cwd": cwd, "session_id": self.session,
            "tools": ["Bash", "Edit", "Read", "Write"], "mcp_servers": [], "model": self.model,
            "permissionMode": arguments.permission_mode.as_deref().unwrap_or("default"),
            "apiKeySource": "ANTHROPIC_API_KEY", "claude_code_version": crate::VERSION,
        }))
    }

    /// An assistant event with one content block.
    pub(crate) fn assistant(&mut self, block: &Value) -> io::Result<()> {
        self.messages += 1;
        self.event(json!({
            "type": "assistant",
            "message": {
                "id": format!("msg_{}", self.messages), "type": "message", "role": "assistant",
                "model": self.model, "content": [block], "stop_reason": null,
                "usage": {"input_tokens": 10, "output_tokens": 5},
            },
            "parent_tool_use_id": null, "session_id": self.session,
        }))
    }

    /// The message claude itself puts in the place of a reply when the API failed.
    pub(crate) fn synthetic(&mut self, text: &str) -> io::Result<()> {
        let model = std::mem::replace(&mut self.model, "<synthetic>".to_owned());
        let written = self.assistant(&json!({"type": "text", "text": text}));
        self.model = model;
        written
    }

    /// A tool call; returns its id.
    pub(crate) fn tool_use(&mut self, name: &str, input: &Value) -> io::Result<String> {
        let id = format!("toolu_{}", self.messages + 1);
        self.assistant(&json!({"type": "tool_use", "id": id, "name": name, "input": input}))?;
        Ok(id)
    }

    pub(crate) fn tool_result(&mut self, id: &str, is_error: bool, content: &str) -> io::Result<()> {
        self.event(json!({
            "type": "user",
            "message": {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": id, "is_error": is_error, "content": content},
            ]},
            "parent_tool_use_id": null, "session_id": self.session,
        }))
    }

    pub(crate) fn retry(&mut self, attempt: u32, error: &str, status: u16) -> io::Result<()> {
        self.event(json!({
            "type": "system", "subtype": "api_retry", "attempt": attempt, "max_retries": 10,
            "retry_delay_ms": 10, "error_status": status, "error": error, "session_id": self.session,
        }))
    }

    /// The last event of a turn. Its fields come in 2.1.330's order, which does not begin with the type.
    pub(crate) fn result(&mut self, ending: Ending<'_>) -> io::Result<()> {
        let mut result = json!({
            "duration_api_ms": 1, "stop_reason": ending.stop_reason, "session_id": self.session,
            "total_cost_usd": ending.total_cost_usd,
            "usage": {"input_tokens": 10, "output_tokens": 5},
            "modelUsage": {&self.model: {"inputTokens": 10, "outputTokens": 5, "costUSD": ending.total_cost_usd}},
            "permission_denials": ending.permission_denials,
            "terminal_reason": ending.terminal_reason, "is_error": ending.is_error,
            "num_turns": ending.num_turns, "subtype": ending.subtype,
            "api_error_status": ending.api_error_status,
        });
        if let Some(text) = ending.text {
            result["result"] = text.into();
        }
        if !ending.errors.is_empty() {
            result["errors"] = ending.errors.into();
        }
        if let Some(structured) = ending.structured_output {
            result["structured_output"] = structured;
        }
        result["type"] = "result".into();
        result["duration_ms"] = 2.into();
        // The only place where a resumed session tells this run's cost from that of the runs before it.
        let mine = json!({"inputTokens": 10, "outputTokens": 5, "costUSD": ending.cost_of_this_run_usd});
        result["model_usage_since_last_result"] = json!({&self.model: mine});
        if self.live || self.array {
            return self.event(result);
        }
        match self.format {
            OutputFormat::Json => self.line(&result.to_string()),
            _ => self.line(ending.text.unwrap_or("Execution error")),
        }
    }

    /// The array, when that is the format.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if self.array {
            let all = Value::Array(std::mem::take(&mut self.kept));
            self.line(&all.to_string())?;
        }
        Ok(())
    }

    /// News of something in the background.
    pub(crate) fn task(&mut self, news: &Value) -> io::Result<()> {
        let mut event = news.clone();
        event["session_id"] = self.session.as_str().into();
        self.event(event)
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        let out = &bytes[..bytes.len().min(self.left)];
        self.left -= out.len();
        let mut stdout = io::stdout().lock();
        stdout.write_all(out)?;
        stdout.flush()
    }

    fn event(&mut self, event: Value) -> io::Result<()> {
        if self.live {
            return self.line(&event.to_string());
        }
        if self.array {
            self.kept.push(event);
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        if self.noise {
            let noise = "\r\nwarning: this line is no event\n{\"type\": broken\n\"text\"\n[1]\n\n";
            // A lone bracket, a window title before the event, and colours and another event behind it.
            let (before, after) = ("{\n\x1b]0;{title}\x07", "\x1b[0m{\"type\":\"rate_limit_event\"}");
            return self.raw(format!("{noise}{before}{text}{after}\r\n").as_bytes());
        }
        // The marker of `bad-utf8` leaves as a byte that is no UTF-8.
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(b'\n');
        if let Some(at) = text.find(crate::run::BAD_BYTE) {
            bytes.splice(at..at + crate::run::BAD_BYTE.len_utf8(), [0xff]);
        }
        self.raw(&bytes)
    }
}

/// The fields of a result that differ between endings.
#[derive(Default)]
pub(crate) struct Ending<'a> {
    pub(crate) subtype: &'a str,
    pub(crate) is_error: bool,
    pub(crate) terminal_reason: Option<&'a str>,
    pub(crate) stop_reason: Option<&'a str>,
    pub(crate) api_error_status: Option<u16>,
    pub(crate) text: Option<&'a str>,
    pub(crate) errors: Vec<String>,
    pub(crate) total_cost_usd: f64,
    pub(crate) cost_of_this_run_usd: f64,
    pub(crate) num_turns: u32,
    pub(crate) permission_denials: Vec<Value>,
    pub(crate) structured_output: Option<Value>,
}
