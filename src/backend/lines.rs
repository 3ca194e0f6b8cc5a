//! Lines out of a file that may still grow.
//!
//! Agent CLIs write one JSON document a line. Lines end at LF only (JSON text may hold every other separator
//! Unicode knows), a CR before it is dropped, what is not UTF-8 becomes U+FFFD, and a last line without LF is
//! kept until the rest of it arrives or the run has finished.

use std::borrow::Cow;
use std::io::{self, Read};

/// How much of one line a follower keeps, in bytes.
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
mod tests {
    use super::*;

    fn owned(line: Line<'_>) -> Line<'static> {
        match line {
            Line::Whole(text) => Line::Whole(Cow::Owned(text.into_owned())),
            Line::Oversized { head, offset, bytes } => Line::Oversized { head, offset, bytes },
        }
    }

    fn lines(reader: &mut LineReader, chunks: &[&[u8]], finish: bool) -> Vec<Line<'static>> {
        let mut seen = Vec::new();
        for chunk in chunks {
            reader.feed(chunk, &mut |line| seen.push(owned(line)));
        }
        if finish {
            reader.finish(&mut |line| seen.push(owned(line)));
        }
        seen
    }

    fn texts(chunks: &[&[u8]]) -> Vec<String> {
        lines(&mut LineReader::new(0, 1024), chunks, true)
            .into_iter()
            .map(|line| match line {
                Line::Whole(text) => text.into_owned(),
                Line::Oversized { bytes, .. } => format!("<{bytes}>"),
            })
            .collect()
    }

    #[test]
    fn lines_end_at_lf_only_and_lose_their_cr() {
        assert_eq!(
            texts(&["a\r\nb\u{2028}c\u{85}d\x0be\n\nf".as_bytes()]),
            ["a", "b\u{2028}c\u{85}d\x0be", "", "f"]
        );
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let bytes = "eins\nzwölf €\r\n\ndrei".as_bytes();
        let expected = texts(&[bytes]);
        assert_eq!(expected, ["eins", "zwölf €", "", "drei"]);
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(texts(&[head, tail]), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(texts(&single), expected);
    }

    #[test]
    fn invalid_utf8_becomes_the_replacement_character() {
        assert_eq!(texts(&[b"a\xff\xfeb\n\xc3"]), ["a\u{fffd}\u{fffd}b", "\u{fffd}"]);
    }

    #[test]
    fn a_partial_last_line_waits_for_its_end() {
        let mut reader = LineReader::new(0, 1024);
        assert_eq!(lines(&mut reader, &[b"one\ntwo"], false), [Line::Whole("one".into())]);
        assert_eq!(reader.line_start(), 4);
        assert_eq!(reader.position(), 7);
        assert_eq!(lines(&mut reader, &[b" more\n"], false), [Line::Whole("two more".into())]);
        assert_eq!(lines(&mut reader, &[], true), []);
        assert_eq!(reader.position(), 13);
    }

    #[test]
    fn reading_goes_on_from_where_an_undelivered_line_starts() {
        let file = b"one\ntwo\nthree\n";
        let mut first = LineReader::new(0, 1024);
        lines(&mut first, &[&file[..10]], false);
        let start = first.line_start();
        assert_eq!(start, 8);
        let mut second = LineReader::new(start, 1024);
        let rest = &file[usize::try_from(start).unwrap()..];
        assert_eq!(lines(&mut second, &[rest], true), [Line::Whole("three".into())]);
        assert_eq!(second.line_start(), file.len() as u64);
    }

    #[test]
    fn an_oversized_line_is_counted_but_not_kept() {
        let mut reader = LineReader::new(0, 10_000);
        let long = vec![b'x'; 3_000];
        let mut chunks: Vec<&[u8]> = vec![&long; 1_000];
        chunks.push(b"\nnext\n");
        let mut seen = Vec::new();
        for chunk in chunks {
            reader.feed(chunk, &mut |line| seen.push(owned(line)));
            assert!(reader.partial.capacity() <= 32_000, "kept {} bytes", reader.partial.capacity());
        }
        assert_eq!(
            seen,
            [
                Line::Oversized { head: "x".repeat(1024), offset: 0, bytes: 3_000_000 },
                Line::Whole("next".into())
            ]
        );
        assert_eq!(reader.position(), 3_000_006);
    }

    #[test]
    fn a_line_of_megabytes_within_the_limit_is_whole() {
        let mut reader = LineReader::new(0, FOLLOWED_LINE_LIMIT);
        let text = "y".repeat(5_000_000);
        let (mut seen, mut looks) = (0, 0);
        let file = format!("{text}\n");
        let mut rest = file.as_bytes();
        loop {
            looks += 1;
            let look = reader.read_from(&mut rest, &mut |line| {
                assert_eq!(line, Line::Whole(Cow::Borrowed(&text)));
                seen += 1;
            });
            if look.unwrap() == Look::AtEnd {
                break;
            }
        }
        assert_eq!(seen, 1);
        // However much there is, one look has an end.
        assert_eq!(looks, file.len() / LOOK_BYTES + 1);
    }
}
