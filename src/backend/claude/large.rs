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
    /// What nobody else can have written: the beginning of every token.
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
mod tests;
