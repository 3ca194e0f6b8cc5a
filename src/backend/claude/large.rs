//! Lines too long to be held in memory: an answer may have 100 MB.
//!
//! Such a line is read as a stream. Its structure is kept; each long text in it goes into a file and leaves a
//! token in its place, which travels through the conclusion like the text itself would.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use serde_json::{Map, Number, Value};
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ValueType};

use super::finder::{Finder, stands_alone};
use crate::store::{AnswerDraft, JobFolder};

/// The longest text that stays in memory, in bytes.
const LONG_TEXT: usize = 1024 * 1024;

/// How much of one document stays in memory, in bytes: many short texts are no answer.
const IN_MEMORY: usize = 64 * 1024 * 1024;

/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LargeError {
    #[error(transparent)]
    Json(#[from] ReaderError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("an event is larger than {} MiB, without the long texts in it", IN_MEMORY >> 20)]
    TooLarge,
}

/// The long texts of a run, in files.
#[derive(Debug)]
pub(super) struct LongTexts<'a> {
    folder: &'a JobFolder,
    /// What no other program can have written: the beginning of every token.
    mark: String,
    drafts: Vec<AnswerDraft>,
    /// How much more of the document may stay in memory, in bytes.
    room: usize,
}

/// A part of a file, read from its beginning without moving the file's own position. Reading it fails from a time on.
struct Part<'a> {
    file: &'a File,
    rest: Range<u64>,
    deadline: Instant,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long"));
        }
        let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..room], self.rest.start)?;
        self.rest.start += count as u64;
        Ok(count)
    }
}

/// Where in the file the next document in a part of it begins.
fn find(mut part: Part<'_>) -> io::Result<Option<u64>> {
    let mut finder = Finder::default();
    let mut buffer = [0; PIECE];
    loop {
        let position = part.rest.start;
        match part.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                if let Some(found) = finder.look(&buffer[..count], position) {
                    return Ok(Some(found));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl<'a> LongTexts<'a> {
    pub(super) fn new(folder: &'a JobFolder) -> Self {
        let mark = format!("long text {} ", uuid::Uuid::new_v4());
        Self { folder, mark, drafts: Vec::new(), room: IN_MEMORY }
    }

    /// Delivers the JSON documents that a line of `file` consists of, whatever else is on it.
    ///
    /// # Errors
    ///
    /// Whatever makes the rest of the line unreadable, and the deadline.
    pub(super) fn read_line(
        &mut self,
        file: &File,
        line: Range<u64>,
        deadline: Instant,
        deliver: &mut dyn FnMut(Value),
    ) -> Result<(), LargeError> {
        let mut position = line.start;
        let from = |position| Part { file, rest: position..line.end, deadline };
        while let Some(start) = find(from(position))? {
            let part = from(start);
            let mut reader = JsonStreamReader::new(BufReader::with_capacity(PIECE, part));
            self.room = IN_MEMORY;
            let document = self.value(&mut reader)?;
            position = start + reader.current_position(false).data_pos.unwrap_or(line.end - start);
            let mut following = [0; PIECE];
            let count = from(position).read(&mut following)?;
            if !stands_alone(&following[..count]) {
                return Ok(());
            }
            deliver(document);
        }
        Ok(())
    }

    fn value<R: Read>(&mut self, reader: &mut JsonStreamReader<R>) -> Result<Value, LargeError> {
        self.take_room(size_of::<Value>())?;
        Ok(match reader.peek()? {
            ValueType::Object => {
                let mut fields = Map::new();
                reader.begin_object()?;
                while reader.has_next()? {
                    let name = reader.next_name_owned()?;
                    fields.insert(name, self.value(reader)?);
                }
                reader.end_object()?;
                Value::Object(fields)
            }
            ValueType::Array => {
                let mut items = Vec::new();
                reader.begin_array()?;
                while reader.has_next()? {
                    items.push(self.value(reader)?);
                }
                reader.end_array()?;
                Value::Array(items)
            }
            ValueType::String => Value::String(self.text(reader.next_string_reader()?)?),
            ValueType::Number => {
                let number: Option<Number> = serde_json::from_str(reader.next_number_as_str()?).ok();
                number.map_or(Value::Null, Value::Number)
            }
            ValueType::Boolean => Value::Bool(reader.next_bool()?),
            ValueType::Null => {
                reader.next_null()?;
                Value::Null
            }
        })
    }

    /// Counts what is kept in memory of a document.
    fn take_room(&mut self, bytes: usize) -> Result<(), LargeError> {
        self.room = self.room.checked_sub(bytes).ok_or(LargeError::TooLarge)?;
        Ok(())
    }

    /// A text, or the token of one that was put into a file.
    fn text(&mut self, mut text: impl Read) -> Result<String, LargeError> {
        let mut beginning = Vec::new();
        text.by_ref().take(LONG_TEXT as u64 + 1).read_to_end(&mut beginning)?;
        if beginning.len() <= LONG_TEXT {
            self.take_room(beginning.len())?;
            return Ok(String::from_utf8_lossy(&beginning).into_owned());
        }
        let mut draft = self.folder.draft_answer().map_err(io::Error::other)?;
        draft.file.write_all(&beginning)?;
        io::copy(&mut text, &mut draft.file)?;
        self.drafts.push(draft);
        Ok(format!("{}{}", self.mark, self.drafts.len() - 1))
    }

    /// Makes the long text that `token` stands for the job's answer, and forgets the others. Returns whether it
    /// stands for one.
    pub(super) fn keep(mut self, token: &str) -> io::Result<bool> {
        let number: Option<usize> = token.strip_prefix(&self.mark).and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number| *number < self.drafts.len()) else { return Ok(false) };
        let draft = self.drafts.swap_remove(number);
        self.folder.keep_answer(&draft).map_err(io::Error::other)?;
        Ok(true)
    }
}

impl Drop for LongTexts<'_> {
    fn drop(&mut self) {
        for draft in &self.drafts {
            self.folder.discard_answer(draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::backend::testing::Run;
    use crate::backend::{CLAUDE, COMMAND, Stop};
    use crate::store::{ErrorType, Outcome};

    fn text() -> String {
        format!("{}\n\"quoted\" \u{1f980} end\nSTATUS: partial", "0123456789".repeat(120_000))
    }

    fn stream(text: &str, is_error: bool) -> String {
        let said = json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}});
        let result = json!({
            "type": "result", "subtype": "success", "is_error": is_error, "result": text, "num_turns": 1,
            "total_cost_usd": 0.5, "session_id": "s",
        });
        format!("{said}\n{result}\n")
    }

    #[test]
    fn an_answer_of_many_megabytes_goes_into_a_file() {
        let run = Run::new(CLAUDE).stdout(&stream(&text(), false));
        let result = run.conclude();
        assert!(result.success && result.result.is_empty());
        assert_eq!((result.outcome, result.cost_usd), (Some(Outcome::Partial), Some(0.5)));
        assert!(run.long_answer(&result) == text());
        let left = std::fs::read_dir(run.folder().path()).unwrap().count();
        assert_eq!(left, 2, "the output and the answer, and no draft");
    }

    #[test]
    fn noise_on_the_line_of_a_long_answer_does_not_lose_it() {
        let stream = stream(&text(), false);
        let (said, result) = stream.trim_end().split_once('\n').unwrap();
        let limit = r#"{"type":"rate_limit_event"}"#;
        for line in [
            format!("\x1b]0;{{\"type\"\x07 loading\r{limit}{result}{limit}\x1b[0m"),
            format!("{}\n{result}", &said[..said.len() - 3]),
        ] {
            let run = Run::new(CLAUDE).stdout(&line);
            let result = run.conclude();
            assert!(result.success, "{:?}", result.error);
            assert!(run.long_answer(&result) == text());
        }
    }

    #[test]
    fn an_answer_inside_a_long_event_is_none() {
        let fake = json!({"type": "result", "is_error": false, "result": "fake"});
        let event = json!({"type": "assistant", "message": {"content": [
        {"type": "tool_use", "input": fake, "text": text()}, {"type": "tool_use", "input": fake}]}});
        let line = event.to_string();
        for part in [&line[3..], &line[..line.len() - 3]] {
            let result = Run::new(CLAUDE).stdout(part).conclude();
            assert_eq!((result.success, result.result.as_str()), (false, ""));
        }
    }

    #[test]
    fn an_event_of_many_short_texts_is_not_held_in_memory() {
        let many = format!("{{\"type\":\"x\",\"many\":[0{}]}}", ",0".repeat(4_300_000));
        let result = Run::new(CLAUDE).stdout(&format!("{many}\n{}", stream("short", false))).conclude();
        assert_eq!((result.success, result.result.as_str()), (true, "short"));
        let result = Run::new(CLAUDE).stdout(&many).conclude();
        assert!(result.error.unwrap().contains("larger than 64 MiB"));
    }

    #[test]
    fn a_long_text_is_salvaged_when_there_is_no_result() {
        let said = stream(&text(), false);
        let only_said = said.lines().next().unwrap();
        let run = Run::new(CLAUDE).stdout(only_said).stop(Stop::Timeout { limit_seconds: 1.0, usual: None });
        let result = run.conclude();
        assert_eq!(result.error_type, Some(ErrorType::Timeout));
        assert!(run.long_answer(&result) == text());
    }

    #[test]
    fn a_long_line_that_is_cut_is_no_answer() {
        let whole = stream(&text(), false);
        let run = Run::new(CLAUDE).stdout(&whole[..whole.len() - 100]);
        let result = run.conclude();
        assert_eq!(result.error_type, Some(ErrorType::Incomplete));
        // What was said before it is salvaged.
        assert!(run.long_answer(&result) == text());
    }

    #[test]
    fn a_plain_programs_long_output_stays_where_it_is() {
        let run = Run::new(COMMAND).stdout(&text().repeat(8));
        let result = run.conclude();
        assert_eq!(result.outcome, Some(Outcome::Partial));
        assert!(run.long_answer(&result) == text().repeat(8));
        assert_eq!(std::fs::read_dir(run.folder().path()).unwrap().count(), 1);
    }
}
