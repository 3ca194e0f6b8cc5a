//! What a program said on standard error, as far as it helps to understand a failure.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::events::{clip, is_invisible};
use crate::store::JobFolder;

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
    for line in text.lines() {
        let line = printable(line);
        if is_noise(&line) {
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

/// A line without terminal control sequences.
fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            // A control sequence ends with a letter or one of @ [ \ ] ^ _ ` { | } ~.
            while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
        } else if character == '\t' {
            text.push(' ');
        } else if !is_invisible(character) {
            text.push(character);
        }
    }
    text
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
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (0..100).map(|n| format!("line {n}\n\n")).collect();
        assert_eq!(clean(&text).lines().count(), LINES);
        assert!(clean(&text).ends_with("line 99"));
    }

    #[test]
    fn a_printed_exception_loses_its_source_and_frames() {
        let text = format!(
            "104 | function a(){{{}}}\n          ^\nerror: \u{1b}[31m--max-budget-usd\u{1b}[0m must be positive\n      at main (/$bunfs/root/x.js:1:2)\n{}\n",
            "b;".repeat(40),
            "var a=1;".repeat(400),
        );
        assert_eq!(clean(&text), "error: --max-budget-usd must be positive");
    }

    #[test]
    fn secrets_are_cut() {
        assert_eq!(
            redact("key sk-ant-api03-AbC_d-9, then Authorization: Bearer eyJ.a.b; end"),
            "key sk-ant-…, then Authorization: Bearer …; end"
        );
        assert_eq!(redact("nothing here, not even a task-antic"), "nothing here, not even a task-antic");
    }

    #[test]
    fn a_missing_file_says_nothing() {
        let directory = super::super::testing::folder();
        assert_eq!(tail(&JobFolder::open(directory.path()).unwrap()), "");
    }

    #[test]
    fn only_the_end_of_a_huge_file_is_read() {
        let directory = super::super::testing::folder();
        let path = directory.path().join("stderr.log");
        std::fs::write(&path, format!("{}the end\n", "early\n".repeat(500_000))).unwrap();
        assert!(tail(&JobFolder::open(directory.path()).unwrap()).ends_with("the end"));
        assert_eq!(end_of(&File::open(&path).unwrap(), WINDOW).unwrap().len() as u64, WINDOW);
    }
}
