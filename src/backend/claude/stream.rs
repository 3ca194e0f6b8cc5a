//! Claude Code's `stream-json` output, as events.
//!
//! The format has no specification and changes between versions, so nothing here depends on the order of keys,
//! on a field being there or on its type, and an unknown event is [`EventKind::Other`], never an error. With
//! `verbose` set in a project's own settings the output can be one array, also printed over many lines. Hooks and
//! wrappers print between the events, and onto their lines.

use std::borrow::Cow;

use serde_json::Value;

use super::finder::{Finder, is_blank, stands_alone, visible};
use super::surrogates::mended;
use super::tasks::{self, string};
use super::tool_summary::summary;
use crate::backend;
use crate::backend::events::{Event, EventKind, McpServer, PASSING_TEXT, Started, TurnResult};
use crate::text::{clip, one_line};

/// Turns lines into events.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    /// A document printed over several lines, as far as it has come.
    document: Option<Document>,
    /// How large such a document may become, in bytes.
    limit: usize,
}

/// JSON that spans lines.
#[derive(Debug, Clone, Default)]
struct Document {
    text: String,
    /// How many lines it has.
    lines: usize,
    /// How many brackets are open.
    depth: usize,
    in_string: bool,
    after_backslash: bool,
}

impl Decoder {
    pub(super) fn new(limit: usize) -> Self {
        Self { document: None, limit }
    }
}

impl backend::Decoder for Decoder {
    fn line(&mut self, line: Cow<'_, str>, deliver: &mut dyn FnMut(Event)) {
        let line = line.as_ref();
        if let Some(document) = &mut self.document {
            if document.can_go_on_with(line) {
                document.push(line);
                let complete = document.depth == 0;
                if (complete || document.text.len() > self.limit)
                    && let Some(document) = self.document.take()
                {
                    decode(&document.text, deliver);
                }
                return;
            }
            // A stray bracket, or the beginning of a list with an event a line.
            self.finish(deliver);
        }
        let bytes = line.as_bytes();
        let mut finder = Finder::default();
        let begun = if finder.look(bytes, 0).is_none() { finder.opened() } else { None };
        match begun.map(|at| line.split_at(at as usize)) {
            // Only a pretty-printer leaves an opening bracket alone; a cut event never looks like this. One that is
            // indented, or follows a name, is inside a document whose beginning is lost.
            Some((before, opening)) if is_blank(before) => {
                let mut document = Document::default();
                document.push(opening);
                self.document = Some(document);
            }
            _ => decode(line, deliver),
        }
    }

    /// Delivers what is left when the output has finished.
    fn finish(&mut self, deliver: &mut dyn FnMut(Event)) {
        if let Some(document) = self.document.take() {
            decode(&document.text, deliver);
        }
    }
}

impl Document {
    /// Whether this can be its next line. A pretty-printer puts each object on lines of its own, so a whole event on one
    /// line, without indentation, is not part of it.
    fn can_go_on_with(&self, line: &str) -> bool {
        let expected: &[char] =
            if self.text.trim_end().ends_with('{') { &['"', '}'] } else { &['{', '[', ']'] };
        let is_possible = line.trim().is_empty() || self.lines > 1 || line.trim_start().starts_with(expected);
        is_possible && !(line.starts_with("{\"") && is_event(line))
    }

    fn push(&mut self, line: &str) {
        for byte in line.bytes() {
            match byte {
                _ if self.after_backslash => self.after_backslash = false,
                b'\\' if self.in_string => self.after_backslash = true,
                b'"' => self.in_string = !self.in_string,
                b'[' | b'{' if !self.in_string => self.depth += 1,
                b']' | b'}' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += usize::from(!line.trim().is_empty());
    }
}

/// Whether an event begins where this text does.
fn is_event(text: &str) -> bool {
    match document(text) {
        Begun::Whole { document, length } => {
            document.get("type").is_some_and(Value::is_string) && stands_alone(&text.as_bytes()[length..])
        }
        Begun::Cut | Begun::Broken { .. } => mended(text).is_some_and(|mended| is_event(&mended)),
    }
}

/// What begins with a bracket.
enum Begun {
    /// A document of so many bytes.
    Whole { document: Value, length: usize },
    /// A document that has no end.
    Cut,
    /// None, as the byte after so many shows.
    Broken { length: usize },
}

fn document(text: &str) -> Begun {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter();
    match documents.next() {
        Some(Ok(document)) => Begun::Whole { document, length: documents.byte_offset() },
        Some(Err(error)) if !error.is_eof() => {
            let line: usize =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            Begun::Broken { length: (line + error.column().saturating_sub(1)).min(text.len()) }
        }
        Some(Err(_)) | None => Begun::Cut,
    }
}

/// Delivers the events in a text, whatever is before, between and after them. Each byte is read once or twice,
/// whatever the text is.
fn decode(text: &str, deliver: &mut dyn FnMut(Event)) {
    let mut text = Cow::Borrowed(text);
    let mut is_mended = false;
    // In a broken document over several lines nothing is certain any more: the line ends are part of it.
    let is_line = !text.contains('\n');
    // Up to where it has been dealt with, and up to where it has been looked at.
    let (mut done, mut seen) = (0, 0);
    while let Some(start) = Finder::default().look(&text.as_bytes()[seen..], seen as u64) {
        let start = start as usize;
        match document(&text[start..]) {
            Begun::Whole { document, length } => {
                seen = start + length;
                if !stands_alone(&text.as_bytes()[seen..]) {
                    if !is_line {
                        break;
                    }
                    seen = behind(&text, seen, seen);
                    continue;
                }
                unparsed(&text[done..start], deliver);
                decode_document(document, deliver);
                done = seen;
            }
            Begun::Cut => break,
            Begun::Broken { length } => {
                if !std::mem::replace(&mut is_mended, true)
                    && let Some(mended) = mended(&text[start..])
                {
                    unparsed(&text[done..start], deliver);
                    text = Cow::Owned(mended);
                    (done, seen) = (0, 0);
                } else if is_line {
                    seen = behind(&text, start, start + length);
                } else {
                    break;
                }
            }
        }
    }
    unparsed(&text[done..], deliver);
}

/// Where to look on when what begins at `start` has turned out to be no document at `broken`: at a control character,
/// which no JSON text has in it, so that what follows is outside.
fn behind(text: &str, start: usize, broken: usize) -> usize {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let bytes = text.as_bytes();
    let last = bytes[start..broken].iter().rposition(is_control).map(|at| start + at);
    let next = || bytes[broken..].iter().position(is_control).map(|at| broken + at);
    last.or_else(next).unwrap_or(text.len())
}

/// Delivers a text that is no event, if it says something.
fn unparsed(text: &str, deliver: &mut dyn FnMut(Event)) {
    let text = visible(text, PASSING_TEXT);
    if !text.is_empty() {
        deliver(EventKind::Unparsed { text: clip(&text, PASSING_TEXT) }.into());
    }
}

/// Delivers the events of a parsed line.
pub(super) fn decode_document(document: Value, deliver: &mut dyn FnMut(Event)) {
    match document {
        Value::Array(events) => events.into_iter().for_each(|event| decode_event(event, deliver)),
        event => decode_event(event, deliver),
    }
}

fn decode_event(mut event: Value, deliver: &mut dyn FnMut(Event)) {
    let Some(kind) = string(&event, "type") else {
        let text = clip(&event.to_string(), PASSING_TEXT);
        return deliver(EventKind::Unparsed { text }.into());
    };
    let subtype = string(&event, "subtype");
    match (kind.as_str(), subtype.as_deref()) {
        ("system", Some("init")) => deliver(EventKind::Started(started(&event)).into()),
        ("system", Some("api_retry")) => deliver(retry(&event).into()),
        ("system", Some("background_tasks_changed")) => deliver(tasks::background(&event).into()),
        ("system", Some(subtype @ ("task_started" | "task_updated" | "task_notification"))) => {
            let other = || EventKind::Other { name: format!("system/{subtype}") };
            deliver(tasks::task(subtype, &event).map_or_else(other, EventKind::Task).into());
        }
        ("assistant" | "user", _) => message(&mut event, kind == "assistant", deliver),
        ("result", _) => deliver(EventKind::Result(Box::new(turn_result(&mut event))).into()),
        (_, subtype) => {
            let name = match subtype {
                Some(subtype) => format!("{kind}/{subtype}"),
                None => kind,
            };
            deliver(EventKind::Other { name: clip(&name, 100) }.into());
        }
    }
}

fn started(event: &Value) -> Started {
    let servers = event.get("mcp_servers").and_then(Value::as_array);
    Started {
        session_id: string(event, "session_id"),
        model: string(event, "model"),
        permission_mode: string(event, "permissionMode"),
        tools: event.get("tools").and_then(Value::as_array).map_or(0, Vec::len),
        mcp_servers: servers
            .into_iter()
            .flatten()
            .filter_map(|server| {
                let name = string(server, "name")?;
                Some(McpServer { name, status: string(server, "status").unwrap_or_default() })
            })
            .collect(),
        version: string(event, "claude_code_version"),
    }
}

fn retry(event: &Value) -> EventKind {
    EventKind::Retry {
        attempt: number(event, "attempt").unwrap_or(1),
        max: number(event, "max_retries").unwrap_or(0),
        status: number(event, "error_status"),
        error: string(event, "error"),
        delay_ms: number(event, "retry_delay_ms").unwrap_or(0),
    }
}

/// An assistant's or user's message: one event for each of its content blocks.
fn message(event: &mut Value, by_assistant: bool, deliver: &mut dyn FnMut(Event)) {
    let subagent = string(event, "parent_tool_use_id").is_some();
    let error = string(event, "error");
    let Some(message) = event.get_mut("message") else {
        let name = if by_assistant { "assistant" } else { "user" };
        return deliver(EventKind::Other { name: name.to_owned() }.into());
    };
    let model = string(message, "model");
    let synthetic = by_assistant && (error.is_some() || model.as_deref() == Some("<synthetic>"));
    let message_id = string(message, "id").filter(|_| by_assistant);
    let model = model.filter(|_| !synthetic);
    let blocks = match take(message, "content") {
        Some(Value::Array(blocks)) => blocks,
        Some(Value::String(text)) => vec![serde_json::json!({"type": "text", "text": text})],
        _ => Vec::new(),
    };
    for mut block in blocks {
        let kind = match string(&block, "type").unwrap_or_default().as_str() {
            // What the user says is the prompt, or a note of the CLI to itself.
            "text" if !by_assistant => EventKind::Other { name: "user/text".to_owned() },
            "text" => {
                let text = match take(&mut block, "text") {
                    Some(Value::String(text)) => text,
                    _ => String::new(),
                };
                if synthetic {
                    EventKind::Synthetic { error: error.clone(), text }
                } else {
                    EventKind::Text { text }
                }
            }
            "thinking" | "redacted_thinking" => EventKind::Thinking,
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let name = one_line(&string(&block, "name").unwrap_or_default(), 100);
                let summary = summary(&name, block.get("input").unwrap_or(&Value::Null));
                EventKind::ToolCall { name, summary }
            }
            "tool_result" => EventKind::ToolResult {
                is_error: truth(&block, "is_error"),
                text: clip(&content_text(block.get("content")), PASSING_TEXT),
            },
            other => EventKind::Other { name: format!("content/{}", clip(other, 100)) },
        };
        deliver(Event { kind, subagent, message_id: message_id.clone(), model: model.clone() });
    }
}

/// A tool result's content: a text, or a list of blocks of which the texts count.
fn content_text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => clip(text, PASSING_TEXT),
        Some(Value::Array(blocks)) => {
            let texts = blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn turn_result(event: &mut Value) -> TurnResult {
    let subtype = string(event, "subtype");
    let structured_output = take(event, "structured_output");
    let result = match take(event, "result") {
        Some(Value::String(text)) => Some(text),
        other => other.map(|value| value.to_string()),
    };
    let marked = match event.get("is_error") {
        Some(Value::Null) | None => None,
        Some(_) => Some(truth(event, "is_error")),
    };
    // Without a usable mark the subtype has to do; errors are all called `error_…`.
    let named = subtype.as_deref().is_some_and(|subtype| subtype != "success");
    let denials = event.get("permission_denials").and_then(Value::as_array);
    let errors = event.get("errors").and_then(Value::as_array);
    TurnResult {
        is_error: marked.unwrap_or(named) || named,
        api_error_status: number(event, "api_error_status"),
        structured_output,
        session_id: string(event, "session_id"),
        cost_usd: cost_since_last_result(event),
        total_cost_usd: event.get("total_cost_usd").and_then(dollars),
        num_turns: number(event, "num_turns"),
        duration_ms: number(event, "duration_ms"),
        usage: event.get("usage").filter(|usage| usage.is_object()).cloned(),
        denied_tools: denials
            .into_iter()
            .flatten()
            .filter_map(|denial| string(denial, "tool_name"))
            .map(|name| one_line(&name, 200))
            .collect(),
        errors: errors
            .into_iter()
            .flatten()
            .map(|error| error.as_str().map_or_else(|| error.to_string(), str::to_owned))
            .map(|error| clip(&error, PASSING_TEXT))
            .collect(),
        stop_reason: string(event, "stop_reason"),
        terminal_reason: string(event, "terminal_reason"),
        result,
        subtype,
    }
}

/// What all models together cost since the last result (2.1.330 says so). An entry without a price would make
/// the sum too small: then there is none.
fn cost_since_last_result(event: &Value) -> Option<f64> {
    let models = event.get("model_usage_since_last_result")?.as_object()?;
    models.values().map(|usage| usage.get("costUSD").and_then(dollars)).sum()
}

/// An amount of money; a text like `"1e999"` or a negative number is none.
fn dollars(value: &Value) -> Option<f64> {
    value.as_f64().filter(|cost| cost.is_finite() && *cost >= 0.0)
}

/// A field without a copy, as an answer may have 100 MB; `None` for null.
fn take(value: &mut Value, key: &str) -> Option<Value> {
    value.get_mut(key).map(Value::take).filter(|value| !value.is_null())
}

/// A field that holds a number which is not negative; a fraction is dropped.
fn number(value: &Value, key: &str) -> Option<u64> {
    let value = value.get(key)?;
    // The cast saturates, and a NaN cannot come out of JSON.
    value.as_u64().or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

/// A field that holds `true`, as such or as a text.
fn truth(value: &Value, key: &str) -> bool {
    match value.get(key) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

#[cfg(test)]
mod tests;
