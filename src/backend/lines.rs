//! Lines out of a file that may still grow.
//!
//! Agent CLIs write one JSON document a line. Lines end at LF only (JSON text may hold every other separator
//! Unicode knows), a CR before it is dropped, what is not UTF-8 becomes U+FFFD, and a last line without LF is
//! kept until the rest of it arrives or the run is over.

use std::borrow::Cow;
use std::io::{self, Read};

/// How much of one line somebody who only watches keeps, in bytes.
pub const FOLLOWED_LINE_LIMIT: usize = 16 * 1024 * 1024;

/// How much one look at a file reads at the most, in bytes: one that grows faster than it is read has no end.
pub const LOOK_BYTES: usize = 256 * 1024;

/// How much of an oversized line is shown, in bytes.
const OVERSIZED_HEAD: usize = 1024;

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line.
    Whole(Cow<'a, str>),
    /// A line longer than the reader keeps.
    Oversized {
        /// How it begins.
        head: String,
        /// Where in the file it starts.
        offset: u64,
        /// How long it is, in bytes.
        bytes: u64,
    },
}

/// How far one look at a growing file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// To what was its end then.
    AtEnd,
    /// As far as one look goes: there may be more.
    Behind,
}

/// Splits bytes into lines, however they are cut.
#[derive(Debug, Clone)]
pub struct LineReader {
    /// The line that has no end yet, as far as it is kept.
    partial: Vec<u8>,
    /// How long that line is, in bytes.
    partial_bytes: u64,
    /// Where in the file that line starts.
    line_start: u64,
    limit: usize,
}

impl LineReader {
    /// A reader that keeps at most `limit` bytes of a line, for a file that is read from byte `offset` on, which
    /// must be where a line starts.
    pub fn new(offset: u64, limit: usize) -> Self {
        Self { partial: Vec::new(), partial_bytes: 0, line_start: offset, limit }
    }

    /// Where in the file the first line starts that was not delivered: a new reader can go on from here.
    pub fn line_start(&self) -> u64 {
        self.line_start
    }

    /// Where in the file the next byte to feed is.
    pub fn position(&self) -> u64 {
        self.line_start + self.partial_bytes
    }

    /// Takes the next bytes of the file and delivers every line they complete.
    pub fn feed(&mut self, mut bytes: &[u8], deliver: &mut dyn FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            let length = self.partial_bytes + line.len() as u64 + 1;
            if self.partial_bytes == 0 && line.len() <= self.limit {
                // The common case needs no copy: the line lies whole in what was read.
                deliver(whole(line));
            } else {
                self.keep(line);
                self.deliver_partial(deliver);
            }
            self.line_start += length;
        }
        self.keep(bytes);
    }

    /// Delivers a last line that has no end: the file will not grow any more.
    pub fn finish(&mut self, deliver: &mut dyn FnMut(Line<'_>)) {
        let length = self.partial_bytes;
        if length > 0 {
            self.deliver_partial(deliver);
            self.line_start += length;
        }
    }

    /// Feeds what `source` has now, at most [`LOOK_BYTES`] of it, and says whether that was all.
    ///
    /// # Errors
    ///
    /// Whatever reading gives. Lines delivered before stay delivered, and reading can be tried again.
    pub fn read_from(
        &mut self,
        source: &mut impl Read,
        deliver: &mut dyn FnMut(Line<'_>),
    ) -> io::Result<Look> {
        let mut buffer = vec![0; 64 * 1024];
        let mut total = 0;
        while total < LOOK_BYTES {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(Look::AtEnd),
                Ok(count) => {
                    total += count;
                    self.feed(&buffer[..count], deliver);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Look::Behind)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.partial_bytes += bytes.len() as u64;
        if self.partial_bytes <= self.limit as u64 {
            self.partial.extend_from_slice(bytes);
        } else {
            // From here on only the head matters; the rest is counted and forgotten.
            let room = OVERSIZED_HEAD.saturating_sub(self.partial.len()).min(bytes.len());
            self.partial.extend_from_slice(&bytes[..room]);
            self.partial.truncate(OVERSIZED_HEAD);
            self.partial.shrink_to_fit();
        }
    }

    fn deliver_partial(&mut self, deliver: &mut dyn FnMut(Line<'_>)) {
        if self.partial_bytes <= self.limit as u64 {
            deliver(whole(&self.partial));
        } else {
            let head = String::from_utf8_lossy(&self.partial).into_owned();
            deliver(Line::Oversized { head, offset: self.line_start, bytes: self.partial_bytes });
        }
        self.partial_bytes = 0;
        // A line of a hundred megabytes must not hold its memory for the rest of the run.
        if self.partial.capacity() > 1024 * 1024 {
            self.partial = Vec::new();
        } else {
            self.partial.clear();
        }
    }
}

fn whole(line: &[u8]) -> Line<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Line::Whole(String::from_utf8_lossy(line))
}

#[cfg(test)]
mod tests;
