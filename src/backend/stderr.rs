//! What a program said on standard error, as far as it helps to understand a failure.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::store::JobFolder;
use crate::text::{clip, plain, redact};

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
    fn a_secret_is_cut_before_the_line_is() {
        let text = format!("{} AKIAIOSFODNN7EXAMPLE", "x".repeat(LINE_LIMIT - 12));
        assert!(clean(&text).ends_with(" AKIA…"), "{}", clean(&text));
        assert_eq!(clean("key \u{1b}[1msk-ant-\u{1b}[0mapi03-AbC"), "key sk-ant-…");
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
