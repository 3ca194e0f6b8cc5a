//! What a program said on standard error, as far as it helps to understand a failure.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::store::JobFolder;
use crate::text::{clip, plain, redact};

/// How much of the file's end is looked at, in bytes.
const WINDOW: u64 = 64 * 1024;
/// How much before it is looked at for secrets that reach into it: more than the longest key has.
const MARGIN: u64 = 32 * 1024;
/// How many lines are kept.
const LINES: usize = 10;
/// How much of a line is kept, in characters.
const LINE_LIMIT: usize = 300;
/// From this length on, in bytes, a line is a minified source line that a runtime prints with an exception.
const SOURCE_LINE: usize = 1_500;

/// The last lines the program wrote, cleaned; empty when there are none.
pub(super) fn tail(folder: &JobFolder) -> String {
    let file = folder.open_stderr().ok().flatten();
    let end = file.and_then(|file| end_of(&file, MARGIN + WINDOW).ok());
    end.map(|bytes| {
        let margin = bytes.len().saturating_sub(WINDOW as usize);
        // A secret goes on to the end of a line as a rule, so this is where the first one begins that is whole.
        let line_end = bytes[margin..].iter().position(|byte| *byte == b'\n');
        let margin = if margin == 0 { 0 } else { line_end.map_or(bytes.len(), |end| margin + end + 1) };
        let (before, lines) = bytes.split_at(margin);
        clean(&String::from_utf8_lossy(before), &String::from_utf8_lossy(lines))
    })
    .unwrap_or_default()
}

/// The second text without secrets, also without those that begin in the first, which goes before it.
fn redact_after(before: &str, text: &str) -> String {
    let both = redact(&format!("{before}{text}"));
    let before = redact(before);
    if let Some(after) = both.strip_prefix(&before) {
        return after.to_owned();
    }
    // A secret of several lines spans them: what is left of its last line is not told.
    let same = both.bytes().zip(before.bytes()).take_while(|(one, other)| one == other).count();
    let end = both.as_bytes()[same..].iter().position(|byte| *byte == b'\n');
    end.map(|end| both[same + end + 1..].to_owned()).unwrap_or_default()
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
fn clean(before: &str, text: &str) -> String {
    let mut lines = VecDeque::new();
    // Before it is cut into lines, and these are cut off: half a secret is not known for one.
    let text = redact_after(&plain(before), &plain(text)).replace('\t', " ");
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
        assert_eq!(clean("", &text).lines().count(), LINES);
        assert!(clean("", &text).ends_with("line 99"));
    }

    #[test]
    fn a_printed_exception_loses_its_source_and_frames() {
        let text = format!(
            "104 | function a(){{{}}}\n          ^\nerror: \u{1b}[31m--max-budget-usd\u{1b}[0m must be positive\n      at main (/$bunfs/root/x.js:1:2)\n{}\n",
            "b;".repeat(40),
            "var a=1;".repeat(400),
        );
        assert_eq!(clean("", &text), "error: --max-budget-usd must be positive");
    }

    #[test]
    fn a_secret_is_cut_before_the_line_is() {
        let text = format!("{} AKIAIOSFODNN7EXAMPLE", "x".repeat(LINE_LIMIT - 12));
        assert!(clean("", &text).ends_with(" AKIA…"), "{}", clean("", &text));
        assert_eq!(clean("", "key \u{1b}[1msk-ant-\u{1b}[0mapi03-AbC"), "key sk-ant-…");
    }

    #[test]
    fn a_secret_that_reaches_into_the_window_is_cut_as_a_whole() {
        let directory = super::super::testing::folder();
        let folder = JobFolder::open(directory.path()).unwrap();
        // The last `inside` bytes of the beginning are in the window.
        let tail_of = |beginning: &str, inside: usize, end: &str| {
            let filler = "\n".repeat(WINDOW as usize - end.len() - inside);
            std::fs::write(directory.path().join("stderr.log"), format!("{beginning}{filler}{end}")).unwrap();
            tail(&folder)
        };
        // By its name, its form, its beginning: the window begins in the middle of each.
        for secret in
            ["X_TOKEN=hunter2hunter2", "sk-ant-api03-0123456789", "https://user:hunter2hunter2@host"]
        {
            assert_eq!(tail_of(&format!("early\n{secret}"), 9, "the end"), "the end", "{secret}");
        }
        // The key begins before the window and ends in it.
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}", "MIIEabcdefgh0123\n".repeat(500));
        let end = "-----END PRIVATE KEY-----\nthe end";
        let told = tail_of(&key, 17 * 250, end);
        assert_eq!(told, "-----END PRIVATE KEY-----\nthe end");
        // Lines of their own stay, however much is before them.
        assert_eq!(tail_of(&"early\n".repeat(100_000), 0, "one\ntwo\nthe end"), "one\ntwo\nthe end");
    }

    #[test]
    fn a_secret_of_several_lines_is_not_told_by_its_end() {
        assert_eq!(redact_after("a\n", "b\nc"), "b\nc");
        assert_eq!(redact_after("", "b sk-ant-api03-x"), "b sk-ant-…");
        let key = "-----BEGIN PRIVATE KEY-----\nMIIE\n";
        assert_eq!(redact_after(key, "abc\n-----END PRIVATE KEY-----\nd"), "-----END PRIVATE KEY-----\nd");
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
