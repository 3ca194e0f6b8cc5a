//! What a program said on standard error, as far as it helps to understand a failure.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::events::clip;
use crate::store::JobFolder;
use crate::text::plain;

/// How much of the file's end is looked at, in bytes.
const WINDOW: u64 = 64 * 1024;
/// How many lines are kept.
const LINES: usize = 10;
/// How much of a line is kept, in characters.
const LINE_LIMIT: usize = 300;
/// From this length on, in bytes, a line is a minified source line that a runtime prints with an exception.
const SOURCE_LINE: usize = 1_500;

/// How secrets begin that are known by their beginning.
const SECRETS: &[&str] =
    &["sk-ant-", "sk-proj-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "Bearer "];

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
    let text = plain(text).replace('\t', " ");
    for line in text.lines() {
        if is_noise(line) {
            continue;
        }
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(redact(&clip(line.trim_end(), LINE_LIMIT)));
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

/// A text without what is known to be a secret by the way it begins.
pub(super) fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) =
        SECRETS.iter().filter_map(|prefix| rest.find(prefix).map(|at| (at, prefix))).min()
    {
        let end = at + prefix.len();
        redacted.push_str(&rest[..end]);
        let secret = rest[end..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~+/=".contains(c)))
            .unwrap_or(rest.len() - end);
        if secret > 0 {
            redacted.push('…');
        }
        rest = &rest[end + secret..];
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests;
