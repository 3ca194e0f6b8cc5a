//! What a program said on standard error, as far as it helps to understand a failure.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::events::clip;
use crate::store::JobFolder;
use crate::text::{plain, redact};

/// How much of the file's end is looked at, in bytes.
const WINDOW: u64 = 64 * 1024;
/// How many lines are kept.
const LINES: usize = 10;
/// How much of a line is kept, in characters.
const LINE_LIMIT: usize = 300;
/// From this length on, in bytes, a line is a minified source line that a runtime prints with an exception.
const SOURCE_LINE: usize = 1_500;

/// The last lines the program wrote, cleaned; empty when there are none.
pub(super) fn tail(folder: &JobFolder) -> String {
    let file = folder.open_stderr().ok().flatten();
    let end = file.and_then(|file| end_of(&file, WINDOW).ok());
    end.map(|bytes| clean(&String::from_utf8_lossy(&bytes))).unwrap_or_default()
}

/// The last `limit` bytes of a file.
pub(super) fn end_of(mut file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last lines that say something, without source code, stack frames, control characters and secrets.
fn clean(text: &str) -> String {
    let mut lines = VecDeque::new();
    // Before it is cut into lines, and these are cut off: half a secret is not known for one.
    let text = redact(&plain(text)).replace('\t', " ");
    for line in text.lines() {
        if is_noise(line) {
            continue;
        }
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(clip(line.trim_end(), LINE_LIMIT));
    }
    Vec::from(lines).join("\n")
}

fn is_noise(line: &str) -> bool {
    let line = line.trim();
    let is_source = line.split_once('|').is_some_and(|(number, _)| number.trim().parse::<u32>().is_ok());
    line.is_empty()
        || line.len() > SOURCE_LINE
        || is_source
        || line.starts_with("at ")
        || line.chars().all(|c| matches!(c, '^' | '~' | ' '))
}

#[cfg(test)]
mod tests;
