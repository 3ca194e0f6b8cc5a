//! What an agent does, told in words: one line or a few for each event.

use super::events::{Event, EventKind};
use crate::text::one_line;

/// How much of what a tool said is told, in characters.
const TOOL_RESULT: usize = 200;

impl Event {
    /// The event in words; `None` for those that say nothing to a person.
    pub fn narrate(&self) -> Option<String> {
        let text = match &self.kind {
            EventKind::Started(started) => {
                let model = started.model.as_deref().unwrap_or("unknown model");
                format!(
                    "started with {model}, {} tool{}",
                    started.tools,
                    if started.tools == 1 { "" } else { "s" }
                )
            }
            EventKind::Text { text } | EventKind::Synthetic { text, .. } => text.trim_end().to_owned(),
            EventKind::ToolCall { name, summary } => format!("→ {name} {summary}"),
            EventKind::ToolResult { is_error, text } => {
                format!("{} {}", if *is_error { '✗' } else { '←' }, one_line(text, TOOL_RESULT))
            }
            EventKind::Retry { attempt, max, status, error, .. } => {
                let status = status.map(|status| format!(" {status}")).unwrap_or_default();
                let error = error.as_deref().unwrap_or("error");
                format!("the API said {error}{status}; retry {attempt} of {max}")
            }
            EventKind::Result(result) => {
                let cost = result.cost_usd.or(result.total_cost_usd);
                let cost = cost.map(|cost| format!(" ${cost:.4}")).unwrap_or_default();
                format!("turn finished: {}{cost}", result.subtype.as_deref().unwrap_or("unknown"))
            }
            EventKind::Unparsed { text } => text.clone(),
            EventKind::Oversized { bytes, .. } => format!("({bytes} bytes on one line left out)"),
            EventKind::Thinking
            | EventKind::Task(_)
            | EventKind::Background { .. }
            | EventKind::Other { .. } => return None,
        };
        let indent = if self.subagent { "  " } else { "" };
        Some(format!("{indent}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: EventKind, subagent: bool) -> Option<String> {
        Event { kind, subagent, message_id: None, model: None }.narrate()
    }

    #[test]
    fn tools_are_told_with_what_they_were_used_for_and_what_came_of_it() {
        let call = EventKind::ToolCall { name: "Read".into(), summary: "a.txt".into() };
        assert_eq!(told(call, true).as_deref(), Some("  → Read a.txt"));
        let result = EventKind::ToolResult { is_error: true, text: "no\nsuch file".into() };
        assert_eq!(told(result, false).as_deref(), Some("✗ no such file"));
        assert_eq!(told(EventKind::Thinking, false), None);
    }
}
