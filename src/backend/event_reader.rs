//! Reading the events out of a program's output.

use std::borrow::Cow;
use std::io::{self, Read};

use super::events::{Event, EventKind};
use super::interface::{Decoder, Program};
use super::lines::{FOLLOWED_LINE_LIMIT, Line, LineReader, Look};

/// Reads the events out of a program's output while it grows.
#[derive(Debug)]
pub struct EventReader {
    lines: LineReader,
    decoder: Box<dyn Decoder>,
}

impl EventReader {
    /// A reader of what `program` writes, for a follower, from byte `offset` on: 0, or what [`Self::offset`] said before.
    pub fn of(program: &dyn Program, offset: u64) -> Self {
        Self::new(program.decoder(FOLLOWED_LINE_LIMIT), offset, FOLLOWED_LINE_LIMIT)
    }

    /// A reader of what a program writes that this one does not know: it only counts the bytes.
    pub fn of_unknown() -> Self {
        Self::new(Box::new(Unread), 0, FOLLOWED_LINE_LIMIT)
    }

    /// A reader from byte `offset` on that gives events of at most `limit` bytes whole.
    pub(super) fn new(decoder: Box<dyn Decoder>, offset: u64, limit: usize) -> Self {
        Self { lines: LineReader::new(offset, limit), decoder }
    }

    /// Where in the file the next byte to feed is.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }

    /// Where a new reader can go on: the start of the first line that was not delivered. (Output printed as one
    /// JSON document over many lines, which no agent CLI does unasked, has to be read from its start.)
    pub fn offset(&self) -> u64 {
        self.lines.line_start()
    }

    /// Takes the next bytes and delivers the events they complete.
    pub fn feed(&mut self, bytes: &[u8], deliver: &mut dyn FnMut(Event)) {
        let Self { lines, decoder } = self;
        lines.feed(bytes, &mut |line| deliver_line(decoder.as_mut(), line, deliver));
    }

    /// Feeds what `source` has now, as far as one look goes.
    ///
    /// # Errors
    ///
    /// Whatever reading gives; it can be tried again.
    pub fn read_from(&mut self, source: &mut impl Read, deliver: &mut dyn FnMut(Event)) -> io::Result<Look> {
        let Self { lines, decoder } = self;
        lines.read_from(source, &mut |line| deliver_line(decoder.as_mut(), line, deliver))
    }

    /// Delivers what the end of the output completes: a last line without an end.
    pub fn finish(&mut self, deliver: &mut dyn FnMut(Event)) {
        let Self { lines, decoder } = self;
        lines.finish(&mut |line| deliver_line(decoder.as_mut(), line, deliver));
        decoder.finish(deliver);
    }
}

/// Takes lines for nothing.
#[derive(Debug)]
struct Unread;

impl Decoder for Unread {
    fn line(&mut self, _line: Cow<'_, str>, _deliver: &mut dyn FnMut(Event)) {}
}

fn deliver_line(decoder: &mut dyn Decoder, line: Line<'_>, deliver: &mut dyn FnMut(Event)) {
    match line {
        Line::Oversized { offset, bytes, .. } => deliver(EventKind::Oversized { offset, bytes }.into()),
        Line::Whole(text) => decoder.line(text, deliver),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::command::COMMAND;

    #[test]
    fn each_line_of_a_command_is_a_text() {
        let mut reader = EventReader::of(COMMAND, 0);
        let mut texts = Vec::new();
        let mut deliver = |event: Event| match event.kind {
            EventKind::Text { text } => texts.push(text),
            other => panic!("{other:?}"),
        };
        reader.feed(b"{\"type\":\"result\"}\nhalf", &mut deliver);
        reader.finish(&mut deliver);
        assert_eq!(texts, ["{\"type\":\"result\"}", "half"]);
    }

    #[test]
    fn events_have_a_flat_json_form() {
        let event = Event {
            subagent: true,
            ..EventKind::ToolCall { name: "Bash".into(), summary: "ls".into() }.into()
        };
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            serde_json::json!({"event": "tool_call", "name": "Bash", "summary": "ls", "subagent": true})
        );
        let result = Event::from(EventKind::Result(Box::default()));
        assert_eq!(serde_json::to_value(result).unwrap()["event"], "result");
    }
}
