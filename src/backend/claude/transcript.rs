//! What the whole stream of a run comes to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::large::{LargeError, LongTexts};
use super::stream::Decoder;
use super::stream::decode_document;
use super::tasks::Tasks;
use crate::backend::EventReader;
use crate::backend::Output;
use crate::backend::events::{Event, EventKind, TurnResult};
use crate::backend::spend::Spend;

/// The longest line that is read as a whole, in bytes. Tests, which are not optimised, make do with less.
const LINE_LIMIT: usize = if cfg!(test) { 1024 * 1024 } else { 8 * 1024 * 1024 };

/// How much of the end of an output is read that is too long to be read whole, in bytes.
const TAIL_BYTES: u64 = 32 * 1024 * 1024;

/// How many pieces of output that are no events are kept, for an error message.
const UNPARSED_LIMIT: usize = 10;

/// How many names of sessions are kept: there is one, and more is a mistake or a lie.
const SESSIONS_LIMIT: usize = 3;

/// The facts of a run, folded out of its events one at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Transcript {
    /// Whether the agent started to work, so that its session exists.
    pub(super) started: bool,
    /// The sessions that the stream names, each once; of many only the first.
    pub(super) sessions: Vec<String>,
    /// The model that answered, or the one the agent started with.
    pub(super) model: Option<String>,
    /// The last result: it counts, not the ones before it.
    pub(super) last: Option<TurnResult>,
    /// The last good result, when a bad one came after it.
    pub(super) good_before: Option<TurnResult>,
    /// The latest answer as data: a later result lacks it.
    pub(super) structured: Option<Value>,
    /// What the run cost.
    pub(super) spend: Spend,
    /// The turns of all results; they do not report it cumulatively.
    pub(super) num_turns: Option<u64>,
    /// Refused tools, each once, in order.
    pub(super) denied_tools: Vec<String>,
    /// What the agent itself said last, if no good result has said it again.
    pub(super) last_text: Option<String>,
    /// What the CLI said last in the model's place, and its kind, if the model said nothing since.
    pub(super) synthetic: Option<(Option<String>, String)>,
    /// The last failed request's kind and status, if the model said nothing since.
    pub(super) retry: Option<(Option<String>, Option<u64>)>,
    /// What goes on beside the agent's own work.
    pub(super) tasks: Tasks,
    /// The beginnings of output that is no event.
    pub(super) unparsed: Vec<String>,
    /// Why the output could not be read to its end.
    pub(super) read_error: Option<String>,
}

impl Transcript {
    /// Reads a whole output. A missing file is an empty one.
    ///
    /// Of one that takes longer than `patience`, what stands in the middle is left out: the end says what it came to. The
    /// end gets as much time again.
    pub(super) fn read(output: Output<'_>, long_texts: &mut LongTexts<'_>, patience: Duration) -> Self {
        let mut transcript = Self::default();
        let read = match output {
            Output::Missing => Ok(()),
            Output::File(file) => {
                transcript.fill(file, long_texts, patience).map_err(|error| error.to_string())
            }
            Output::Unreadable(reason) => Err(reason.to_owned()),
        };
        if let Err(error) = read {
            transcript.read_error = Some(format!("could not be read: {error}"));
        }
        transcript
    }

    fn fill(
        &mut self,
        file: &File,
        long_texts: &mut LongTexts<'_>,
        patience: Duration,
    ) -> Result<(), LargeError> {
        let mut broken = Ok(());
        let mut reader = EventReader::new(Box::new(Decoder::new(LINE_LIMIT)), 0, LINE_LIMIT);
        let mut buffer = vec![0; 64 * 1024];
        let mut position = 0;
        let mut deadline = Instant::now() + patience;
        loop {
            if Instant::now() >= deadline {
                let is_at_tail = self.read_error.is_some();
                self.read_error = Some("is too long to be read whole".to_owned());
                if is_at_tail {
                    return Ok(());
                }
                let tail = file.metadata()?.len().saturating_sub(TAIL_BYTES);
                if tail > position {
                    position = next_line(file, tail)?;
                    reader = EventReader::new(Box::new(Decoder::new(LINE_LIMIT)), position, LINE_LIMIT);
                }
                deadline = Instant::now() + patience;
            }
            let count = file.read_at(&mut buffer, position)?;
            position += count as u64;
            let mut events = Vec::new();
            if count == 0 {
                reader.finish(&mut |event| events.push(event));
            } else {
                reader.feed(&buffer[..count], &mut |event| events.push(event));
            }
            for event in events {
                match event.kind {
                    EventKind::Oversized { offset, bytes } => {
                        let line = offset..offset + bytes;
                        let read = long_texts.read_line(file, line, deadline, &mut |document| {
                            decode_document(document, &mut |event| self.observe(event));
                        });
                        // What comes after a line that is no event counts all the same.
                        broken = broken.and(read);
                    }
                    _ => self.observe(event),
                }
            }
            if count == 0 {
                return broken;
            }
        }
    }

    fn observe(&mut self, event: Event) {
        if event.subagent {
            return;
        }
        if event.model.is_some() {
            self.model = event.model;
        }
        match event.kind {
            EventKind::Started(started) => {
                self.started = true;
                self.name_session(started.session_id);
                self.model = started.model.or(self.model.take());
            }
            EventKind::Text { text } => {
                self.recovered();
                self.tasks.agent_acts();
                self.last_text = Some(text);
            }
            EventKind::Thinking | EventKind::ToolCall { .. } => {
                self.recovered();
                self.tasks.agent_acts();
            }
            EventKind::Task(task) => self.tasks.observe(task),
            EventKind::Background { tasks } => self.tasks.listed(tasks),
            EventKind::Synthetic { error, text } => self.synthetic = Some((error, text)),
            EventKind::Retry { status, error, .. } => self.retry = Some((error, status)),
            EventKind::Result(turn) => {
                self.tasks.turn_ends();
                self.end_turn(*turn);
            }
            EventKind::Unparsed { text } => {
                if self.unparsed.len() < UNPARSED_LIMIT {
                    self.unparsed.push(text);
                }
            }
            EventKind::ToolResult { .. } | EventKind::Other { .. } | EventKind::Oversized { .. } => {}
        }
    }

    fn name_session(&mut self, session: Option<String>) {
        let Some(session) = session else { return };
        if self.sessions.len() < SESSIONS_LIMIT && !self.sessions.contains(&session) {
            self.sessions.push(session);
        }
    }

    fn recovered(&mut self) {
        self.synthetic = None;
        self.retry = None;
    }

    fn end_turn(&mut self, mut turn: TurnResult) {
        self.name_session(turn.session_id.take());
        self.structured = turn.structured_output.take().or(self.structured.take());
        self.spend.observe(&turn);
        if let Some(turns) = turn.num_turns {
            self.num_turns = Some(self.num_turns.unwrap_or(0).saturating_add(turns));
        }
        for tool in std::mem::take(&mut turn.denied_tools) {
            if !self.denied_tools.contains(&tool) {
                self.denied_tools.push(tool);
            }
        }
        // An error message in the place of the answer, without the mark of an error.
        if let Some((Some(_), text)) = &self.synthetic
            && turn.result.as_deref().map(str::trim) == Some(text.trim())
        {
            turn.is_error = true;
        }
        if self.is_good(&turn) {
            // The result says it again, and an answer may have 100 MB.
            self.last_text = None;
            self.good_before = None;
        } else if let Some(before) = self.last.take()
            && self.is_good(&before)
        {
            self.good_before = Some(before);
        }
        self.last = Some(turn);
    }

    /// Whether a result is a complete answer.
    pub(super) fn is_good(&self, turn: &TurnResult) -> bool {
        !turn.is_error && !is_command_mishap(turn) && (turn.result.is_some() || self.structured.is_some())
    }

    /// What there is of an answer when the run failed.
    pub(super) fn salvage(&mut self) -> String {
        if let Some(text) = self.last_text.take() {
            return text;
        }
        let last_good = self.last.take().filter(|turn| !turn.is_error && !is_command_mishap(turn));
        let answer = last_good.or(self.good_before.take()).and_then(|turn| turn.result);
        answer
            .filter(|text| !text.is_empty())
            .or_else(|| Some(self.structured.as_ref()?.to_string()))
            .unwrap_or_default()
    }
}

/// Where the first line begins that begins behind `position`, or where the file ends.
fn next_line(file: &File, mut position: u64) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read_at(&mut buffer, position)?;
        match buffer[..count].iter().position(|&byte| byte == b'\n') {
            Some(end) => return Ok(position + end as u64 + 1),
            None if count == 0 => return Ok(position),
            None => position += count as u64,
        }
    }
}

/// Whether the CLI took the prompt for a slash command it does not know: exit code 0, no turn, no error mark.
pub(super) fn is_command_mishap(turn: &TurnResult) -> bool {
    let text = turn.result.as_deref().unwrap_or_default().trim_start();
    turn.num_turns == Some(0)
        && ["Unknown command", "Unknown slash command", "Unknown skill"]
            .iter()
            .any(|start| text.starts_with(start))
}
