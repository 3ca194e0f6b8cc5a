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
mod tests;
