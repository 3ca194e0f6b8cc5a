//! The text of an answer, wherever it is: in the record as a rule, in a file of the job's folder when it is long.
//!
//! A long answer is never held in memory as a whole: it is read in pieces, by the process that prints it.

use std::io::{self, Read};

use super::{JobResult, Pieces, ReadAt, Store, StoreError};

/// The longest answer that stands in the record, in bytes.
pub const INLINE_ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// How much of a long answer is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// An answer to be read.
#[derive(Debug)]
pub enum Answer<'a> {
    /// It stands in the record.
    Text(&'a str),
    /// It lies elsewhere, as a rule in a file.
    Long(Box<dyn ReadAt>),
}

impl Store {
    /// The answer of a job.
    pub fn answer<'a>(&self, result: &'a JobResult) -> Result<Answer<'a>, StoreError> {
        match result.answer_file {
            None => Ok(Answer::Text(&result.result)),
            Some(file) => Ok(Answer::Long(Box::new(self.folder(result.job_id)?.open_answer(file)?))),
        }
    }
}

impl Answer<'_> {
    /// The text, or as much of its beginning as `limit` bytes hold; and whether that is not all.
    pub fn beginning(&self, limit: usize) -> io::Result<(String, bool)> {
        let mut text = String::new();
        let read = self.for_each_piece(|piece| {
            let left = (limit - text.len()).min(piece.len());
            let end = (0..=left).rev().find(|end| piece.is_char_boundary(*end)).unwrap_or(0);
            text.push_str(&piece[..end]);
            if end < piece.len() { Err(Halt::Full) } else { Ok(()) }
        });
        match read {
            Ok(()) => Ok((text, false)),
            Err(Halt::Full) => Ok((text, true)),
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// Calls `take` with one piece of the text after the other. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// Stops at the first error, of reading or of `take`.
    pub fn for_each_piece<E: From<io::Error>>(
        &self,
        mut take: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pieces = match self {
            Self::Text(text) => return take(text),
            Self::Long(bytes) => Pieces::of(bytes.as_ref(), 0),
        };
        let mut buffer = vec![0; PIECE];
        let mut kept = 0;
        loop {
            let count = match pieces.read(&mut buffer[kept..]) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let bytes = &buffer[..kept + count];
            let whole = if count == 0 { bytes.len() } else { whole_characters(bytes) };
            take(&String::from_utf8_lossy(&bytes[..whole]))?;
            if count == 0 {
                return Ok(());
            }
            buffer.copy_within(whole..kept + count, 0);
            kept = kept + count - whole;
        }
    }
}

/// Why reading an answer ended.
enum Halt {
    Full,
    Failed(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// How many bytes at the beginning are whole characters: the last one may go on in the next piece.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for (position, byte) in bytes.iter().enumerate().skip(tail) {
        let length = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        if position + length > bytes.len() {
            return position;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut text = String::new();
        let answer = Answer::Long(Box::new(file));
        for _ in 0..2 {
            text.clear();
            answer
                .for_each_piece::<io::Error>(|piece| {
                    text.push_str(piece);
                    Ok(())
                })
                .unwrap();
        }
        text
    }

    #[test]
    fn characters_survive_the_cuts_between_pieces() {
        for shift in 0..8 {
            let text = format!("{}{}", "x".repeat(shift), "aé€🦀".repeat(PIECE / 4));
            assert_eq!(read(text.as_bytes()), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(read(b"a\xffb\xe2\x82"), "a\u{fffd}b\u{fffd}");
        assert_eq!(read(b""), "");
    }
}
