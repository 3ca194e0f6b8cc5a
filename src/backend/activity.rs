//! What an agent is doing now.

use super::events::{Event, EventKind};
use super::spend::Spend;
use crate::text::one_line;

/// How long a line gets, in characters.
const LINE: usize = 160;

/// The sum of the events so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activity {
    /// The session, once the agent has named it.
    pub session_id: Option<String>,
    /// The model, once the agent has named it.
    pub model: Option<String>,
    /// The tool used last, and what for.
    pub last_tool: Option<String>,
    /// The first line of what the agent said last.
    pub last_text: Option<String>,
    /// How often the model has answered.
    pub turns: u64,
    /// How many tools were used.
    pub tool_calls: u64,
    /// What the run has cost; known only when a turn has ended.
    pub spend: Spend,
    /// How many requests failed and were repeated.
    pub retries: u64,
    /// What is being waited for, while a failed request is repeated.
    pub retrying: Option<String>,
    /// What the agent does now: of the lines above, the newest.
    current: Option<String>,
    last_message: Option<String>,
}

impl Activity {
    /// Takes an event into account.
    pub fn observe(&mut self, event: &Event) {
        if !event.subagent
            && let Some(id) = &event.message_id
            && self.last_message.as_ref() != Some(id)
        {
            // Each content block of a message is an event of its own.
            self.turns += 1;
            self.last_message = Some(id.clone());
        }
        let inside = if event.subagent { "subagent: " } else { "" };
        match &event.kind {
            EventKind::Started(started) => {
                self.session_id = started.session_id.clone().or(self.session_id.take());
                self.model = started.model.clone().or(self.model.take());
            }
            EventKind::Text { text } => {
                let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let line = one_line(first, LINE);
                if !line.is_empty() {
                    self.current = Some(format!("{inside}{line}"));
                    if !event.subagent {
                        self.last_text = Some(line);
                    }
                }
                self.retrying = None;
            }
            EventKind::Synthetic { text, .. } => self.current = Some(one_line(text, LINE)),
            EventKind::ToolCall { name, summary } => {
                self.tool_calls += 1;
                let line = one_line(&format!("{inside}{name} {summary}"), LINE);
                self.last_tool = Some(line.clone());
                self.current = Some(line);
                self.retrying = None;
            }
            EventKind::Retry { attempt, max, status, error, delay_ms } => {
                self.retries += 1;
                let mut reason = error.clone().unwrap_or_else(|| "unknown".to_owned());
                if let Some(status) = status {
                    reason = format!("{status} {reason}");
                }
                let seconds = delay_ms.div_ceil(1_000);
                self.retrying = Some(one_line(
                    &format!("the API failed ({reason}); attempt {attempt} of {max}, next in {seconds}s"),
                    LINE,
                ));
            }
            EventKind::Result(turn) => {
                self.spend.observe(turn);
                self.session_id = turn.session_id.clone().or(self.session_id.take());
                self.retrying = None;
            }
            EventKind::Thinking => self.retrying = None,
            EventKind::ToolResult { .. }
            | EventKind::Task(_)
            | EventKind::Background { .. }
            | EventKind::Other { .. }
            | EventKind::Unparsed { .. }
            | EventKind::Oversized { .. } => {}
        }
    }

    /// What the agent does now, in one line; `None` before it did anything.
    pub fn line(&self) -> Option<&str> {
        self.retrying.as_deref().or(self.current.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CLAUDE, EventReader};
    use super::*;

    #[test]
    fn activity_is_the_newest_thing_that_happened() {
        let mut activity = Activity::default();
        let mut reader = EventReader::of(CLAUDE, 0);
        let mut after = |line: &str| {
            reader.feed(format!("{line}\n").as_bytes(), &mut |event| activity.observe(&event));
            activity.clone()
        };
        assert_eq!(after("").line(), None);
        let started = after(r#"{"type":"system","subtype":"init","session_id":"s","model":"m"}"#);
        assert_eq!((started.session_id.as_deref(), started.model.as_deref()), (Some("s"), Some("m")));
        after(
            r#"{"type":"assistant","message":{"id":"1","content":[{"type":"text","text":"\n Looking.\nmore"}]}}"#,
        );
        let tool = after(
            r#"{"type":"assistant","message":{"id":"1","content":[{"type":"tool_use","name":"Bash","input":{"command":"ls -l"}}]}}"#,
        );
        assert_eq!(tool.line(), Some("Bash ls -l"));
        assert_eq!(tool.last_text.as_deref(), Some("Looking."));
        assert_eq!((tool.turns, tool.tool_calls), (1, 1));
        let nested = after(
            r#"{"type":"assistant","parent_tool_use_id":"t","message":{"id":"9","content":[{"type":"tool_use","name":"Read","input":{"file_path":"/x"}}]}}"#,
        );
        assert_eq!((nested.line(), nested.turns), (Some("subagent: Read /x"), 1));
        let retry = after(
            r#"{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"retry_delay_ms":1500,"error_status":529,"error":"overloaded"}"#,
        );
        assert_eq!(retry.line(), Some("the API failed (529 overloaded); attempt 2 of 10, next in 2s"));
        let done = after(r#"{"type":"result","is_error":false,"result":"x","total_cost_usd":0.25}"#);
        assert_eq!((done.spend.usd(), done.retries, done.retrying), (Some(0.25), 1, None));
    }
}
