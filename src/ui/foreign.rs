//! What agents wrote, on its way to standard output.

use std::io::Write;

use super::{OutputError, Ui};
use crate::text::{Cleaner, Decoder};

/// Standard output for a text that an agent wrote. A terminal gets what a person may see of it, with its colours if
/// there are to be any, closed at the end; a pipe or a file gets the bytes.
#[derive(Debug)]
pub struct Foreign {
    decoder: Decoder,
    /// For a terminal.
    cleaner: Option<Cleaner>,
    /// Whether what was written ends with a line end, or nothing was.
    is_ended: bool,
}

impl Foreign {
    pub(super) fn new(ui: Ui) -> Self {
        let cleaner = ui.is_terminal.then(|| ui.cleaner());
        Self { decoder: Decoder::default(), cleaner, is_ended: true }
    }

    /// Writes the next piece at once.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let cleaned = self.clean(bytes);
        self.put(cleaned.as_deref().map_or(bytes, str::as_bytes))
    }

    /// Writes the end of the text.
    pub fn finish(mut self) -> Result<(), OutputError> {
        let rest = self.rest();
        self.put(rest.as_bytes())
    }

    /// The same, and a line end if the text has none.
    pub fn finish_line(mut self) -> Result<(), OutputError> {
        let mut rest = self.rest();
        if !self.is_ended {
            rest.push('\n');
        }
        self.put(rest.as_bytes())
    }

    /// What a terminal is shown of the next piece; `None` when it is no terminal.
    pub(super) fn clean(&mut self, bytes: &[u8]) -> Option<String> {
        let cleaner = self.cleaner.as_mut()?;
        let (mut text, mut seen) = (String::new(), String::new());
        self.decoder.push(bytes, &mut text);
        cleaner.push(&text, &mut seen);
        Some(seen)
    }

    /// What a terminal is shown at the end.
    pub(super) fn rest(&mut self) -> String {
        let (mut text, mut seen) = (String::new(), String::new());
        if let Some(cleaner) = &mut self.cleaner {
            self.decoder.finish(&mut text);
            cleaner.push(&text, &mut seen);
            cleaner.finish(&mut seen);
        }
        seen
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.is_ended = bytes.last().map_or(self.is_ended, |last| *last == b'\n');
        let mut out = super::standard_output();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }
}
