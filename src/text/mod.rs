//! Texts that others wrote, fit to be read by a person: what a terminal would obey, what cannot be seen, and what is
//! secret. It knows nothing of the rest of the program.

mod characters;
mod cleaner;
mod decoder;
mod secrets;
pub mod shell;

pub use characters::{Characters, is_hidden};
pub use cleaner::Cleaner;
pub use decoder::Decoder;
pub use secrets::{is_secret_name, redact, redact_words};

/// How much of a text is cleaned at once where only its beginning is wanted, in bytes.
const CHUNK: usize = 512;

/// A text without what would control a terminal, hide or reorder text, colours included. Line ends and tabs stay.
pub fn plain(text: &str) -> String {
    clean(text, Cleaner::plain())
}

/// The same on one line, its spaces as they are.
pub fn plain_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

/// A text with its colours, closed at the end.
pub fn colored(text: &str) -> String {
    clean(text, Cleaner::with_colors())
}

fn clean(text: &str, mut cleaner: Cleaner) -> String {
    let mut cleaned = String::with_capacity(text.len());
    cleaner.push(text, &mut cleaned);
    cleaner.finish(&mut cleaned);
    cleaned
}

/// The first `limit` characters of a text, with an ellipsis when there are more.
pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The beginning of a text as one plain line, white space collapsed, at most `limit` characters long.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let (mut length, mut gap) = (0, false);
    let mut cleaner = Cleaner::plain();
    let mut cleaned = String::new();
    let mut rest = text;
    loop {
        cleaned.clear();
        if rest.is_empty() {
            cleaner.finish(&mut cleaned);
        } else {
            let ends = (1..=rest.len().min(CHUNK)).rev();
            let end = ends.into_iter().find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
            let (chunk, after) = rest.split_at(end);
            cleaner.push(chunk, &mut cleaned);
            rest = after;
        }
        for character in cleaned.chars() {
            if character.is_whitespace() {
                gap = length > 0;
                continue;
            }
            let space = std::mem::take(&mut gap).then_some(' ');
            for character in space.into_iter().chain([character]) {
                if length == limit {
                    line.pop();
                    line.push('…');
                    return line;
                }
                line.push(character);
                length += 1;
            }
        }
        if rest.is_empty() && cleaned.is_empty() {
            return line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_holds_nothing_a_terminal_obeys() {
        assert_eq!(one_line("  a\tb\n\nc\u{1b}[31m\u{202e}d ", 100), "a b cd");
        assert_eq!(one_line("a\x1b]0;title\x07b\rc\u{2028}d", 100), "ab c d");
        assert_eq!(one_line("", 10), "");
        assert_eq!(one_line("\u{200b}\x1b[2J", 10), "");
    }

    #[test]
    fn a_long_text_is_cut_on_one_line() {
        assert_eq!(one_line("a  b\n c", 80), "a b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("abcd", 4), "abcd");
        assert_eq!(one_line("abc d", 4), "abc…");
        assert_eq!(one_line("äöü 🦀", usize::MAX), "äöü 🦀");
        let long = "wort ".repeat(100_000);
        assert_eq!(one_line(&long, 120).chars().count(), 120);
        assert_eq!(one_line(&long, usize::MAX), long.trim_end());
    }

    #[test]
    fn a_clip_never_cuts_a_character() {
        assert_eq!(clip("äöü", 2), "äö…");
        assert_eq!(clip("äöü", 3), "äöü");
    }
}
