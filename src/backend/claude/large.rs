//! Lines too long to be held in memory: an answer may have 100 MB.
//!
//! Such a line is read as a stream. Its structure is kept; each long text in it goes into a file and leaves a
//! token in its place, which travels through the conclusion like the text itself would.

use std::io::{self, BufReader, Read, Write};

use serde_json::{Map, Number, Value};
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ValueType};

use crate::store::{AnswerDraft, JobFolder};

/// The longest text that stays in memory, in bytes.
const LONG_TEXT: usize = 1024 * 1024;

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LargeError {
    #[error(transparent)]
    Json(#[from] ReaderError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The long texts of a run, in files.
#[derive(Debug)]
pub(super) struct LongTexts<'a> {
    folder: &'a JobFolder,
    /// What nobody else can have written: the beginning of every token.
    mark: String,
    drafts: Vec<AnswerDraft>,
}

impl<'a> LongTexts<'a> {
    pub(super) fn new(folder: &'a JobFolder) -> Self {
        Self { folder, mark: format!("long text {} ", uuid::Uuid::new_v4()), drafts: Vec::new() }
    }

    /// Reads one JSON document.
    pub(super) fn read(&mut self, source: impl Read) -> Result<Value, LargeError> {
        let mut reader = JsonStreamReader::new(BufReader::with_capacity(64 * 1024, source));
        self.value(&mut reader)
    }

    fn value<R: Read>(&mut self, reader: &mut JsonStreamReader<R>) -> Result<Value, LargeError> {
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

    /// A text, or the token of one that was put into a file.
    fn text(&mut self, mut text: impl Read) -> Result<String, LargeError> {
        let mut beginning = Vec::new();
        text.by_ref().take(LONG_TEXT as u64 + 1).read_to_end(&mut beginning)?;
        if beginning.len() <= LONG_TEXT {
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
