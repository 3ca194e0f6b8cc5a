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
mod tests {
    use serde_json::json;

    use crate::backend::testing::Run;
    use crate::backend::{Backend, Stop};
    use crate::store::{ErrorType, Outcome};

    fn text() -> String {
        format!("{}\n\"quoted\" \u{1f980} end\nSTATUS: partial", "0123456789".repeat(1_000_000))
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
        let run = Run::new(Backend::Claude).stdout(&stream(&text(), false));
        let result = run.conclude();
        assert!(result.success && result.result.is_empty());
        assert_eq!((result.outcome, result.cost_usd), (Some(Outcome::Partial), Some(0.5)));
        assert!(run.long_answer(&result) == text());
        let left = std::fs::read_dir(run.folder().path()).unwrap().count();
        assert_eq!(left, 2, "the output and the answer, and no draft");
    }

    #[test]
    fn a_long_text_is_salvaged_when_there_is_no_result() {
        let said = stream(&text(), false);
        let only_said = said.lines().next().unwrap();
        let run = Run::new(Backend::Claude)
            .stdout(only_said)
            .stop(Stop::Timeout { limit_seconds: 1.0, usual: None });
        let result = run.conclude();
        assert_eq!(result.error_type, Some(ErrorType::Timeout));
        assert!(run.long_answer(&result) == text());
    }

    #[test]
    fn a_long_line_that_is_cut_is_no_answer() {
        let whole = stream(&text(), false);
        let run = Run::new(Backend::Claude).stdout(&whole[..whole.len() - 100]);
        let result = run.conclude();
        assert_eq!(result.error_type, Some(ErrorType::Incomplete));
        // What was said before it is salvaged.
        assert!(run.long_answer(&result) == text());
    }

    #[test]
    fn a_plain_programs_long_output_stays_where_it_is() {
        let run = Run::new(Backend::Command).stdout(&text());
        let result = run.conclude();
        assert_eq!(result.outcome, Some(Outcome::Partial));
        assert!(run.long_answer(&result) == text());
        assert_eq!(std::fs::read_dir(run.folder().path()).unwrap().count(), 1);
    }
}
