//! Text in pieces, without the sequences that control a terminal.

use super::Characters;

/// Takes a text in pieces and gives what a person may see of it. A sequence that is cut between two pieces is
/// still one sequence.
///
/// Taken out are all that ECMA-48 and the terminals know: control sequences but colours, operating system
/// commands and other strings with what they say, character sets, single escapes, in the form with an escape and
/// in that of one character; carriage returns, which would overwrite a line, become line ends.
#[derive(Debug, Clone)]
pub struct Cleaner {
    keeps_colors: bool,
    state: State,
    characters: Characters,
    /// A carriage return, until what follows tells whether it is half of a line end.
    returned: bool,
    /// Whether a colour holds for what follows.
    is_colored: bool,
}

/// What the next character is part of.
#[derive(Debug, Clone)]
enum State {
    Text,
    /// It follows an escape.
    Escape,
    /// It follows an escape and a character that says there are more.
    Intermediate,
    /// A control sequence with these parameters.
    Control(String),
    /// A string for the terminal, of which there were so many characters.
    String(usize),
    /// An escape in a string, which ends it in any case.
    StringEscape,
}

/// The longest parameters of a control sequence that are looked at, in bytes.
const PARAMETERS: usize = 64;

/// How long a string for the terminal can be, in characters. What has no end is no such string: nothing may
/// hide the rest of a text.
const STRING: usize = 64 * 1024;

/// The sequence that closes all colours.
const RESET: &str = "\x1b[0m";

impl Cleaner {
    /// One that drops colours too.
    pub fn plain() -> Self {
        Self {
            keeps_colors: false,
            state: State::Text,
            characters: Characters::default(),
            returned: false,
            is_colored: false,
        }
    }

    /// One that leaves colours in.
    pub fn with_colors() -> Self {
        Self { keeps_colors: true, ..Self::plain() }
    }

    /// Takes the next piece; adds what is to be seen to `seen`.
    pub fn push(&mut self, piece: &str, seen: &mut String) {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            if first.is_ascii() && matches!(self.state, State::Text) {
                // Most texts are made of nothing else.
                let end = rest.bytes().position(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\t'));
                let (harmless, after) = rest.split_at(end.unwrap_or(rest.len()));
                if let Some(last) = harmless.chars().next_back() {
                    self.show(first, seen);
                    seen.push_str(&harmless[1..]);
                    if harmless.len() > 1 {
                        self.characters = Characters::default();
                        self.characters.take(last, &mut |_, _| {});
                    }
                    rest = after;
                    continue;
                }
            }
            self.take(first, seen);
            rest = &rest[first.len_utf8()..];
        }
    }

    /// The end of the text: closes the colours that are open. Another text can follow.
    pub fn finish(&mut self, seen: &mut String) {
        self.characters.end(&mut |_, _| {});
        if self.is_colored {
            seen.push_str(RESET);
        }
        *self = Self { keeps_colors: self.keeps_colors, ..Self::plain() };
    }

    fn take(&mut self, character: char, seen: &mut String) {
        let state = std::mem::replace(&mut self.state, State::Text);
        self.state = match (state, character) {
            (State::Text, '\x1b') => State::Escape,
            (State::Text, '\u{9b}') => State::Control(String::new()),
            (State::Text, '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => State::String(0),
            (State::Text, '\r') => {
                self.returned = true;
                State::Text
            }
            (State::Text, _) => {
                self.show(if is_line_end(character) { '\n' } else { character }, seen);
                State::Text
            }

            (State::Escape, '[') => State::Control(String::new()),
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') => State::String(0),
            (State::Escape | State::Intermediate, ' '..='/') => State::Intermediate,
            (State::Escape | State::Intermediate, '0'..='~') => State::Text,

            (State::Control(mut parameters), ' '..='?') => {
                if parameters.len() < PARAMETERS {
                    parameters.push(character);
                }
                State::Control(parameters)
            }
            (State::Control(parameters), '@'..='~') => {
                if character == 'm' && self.keeps_colors {
                    self.color(&parameters, seen);
                }
                State::Text
            }

            (State::String(_), '\x07' | '\u{9c}' | '\x18' | '\x1a') | (State::StringEscape, '\\') => {
                State::Text
            }
            (State::String(_), '\x1b') => State::StringEscape,
            (State::String(length), _) if length < STRING && !matches!(character, '\n' | '\r') => {
                State::String(length + 1)
            }

            // What does not belong here ends the sequence, and means by itself what it means.
            (State::StringEscape, _) => {
                self.state = State::Escape;
                return self.take(character, seen);
            }
            (State::Escape | State::Intermediate | State::Control(_) | State::String(_), _) => {
                return self.take(character, seen);
            }
        };
    }

    fn show(&mut self, character: char, seen: &mut String) {
        if std::mem::take(&mut self.returned) && character != '\n' {
            self.show('\n', seen);
        }
        self.characters.take(character, &mut |character, is_shown| {
            if is_shown {
                seen.push(character);
            }
        });
    }

    fn color(&mut self, parameters: &str, seen: &mut String) {
        let Some(Colors { kept, is_reset }) = colors(parameters) else { return };
        self.is_colored = !is_reset;
        seen.push_str("\x1b[");
        seen.push_str(&kept.join(";"));
        seen.push('m');
    }
}

/// Line ends that terminals obey or swallow.
fn is_line_end(character: char) -> bool {
    matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A sequence that sets colours.
struct Colors<'a> {
    /// Its parameters without those that hide text.
    kept: Vec<&'a str>,
    /// Whether it leaves no colour open: the last of them is a reset.
    is_reset: bool,
}

/// `None` when no parameter is left, or when they are none of a colour.
fn colors(parameters: &str) -> Option<Colors<'_>> {
    const CONCEAL: &str = "8";
    let is_list = parameters.bytes().all(|byte| byte.is_ascii_digit() || b";:".contains(&byte));
    if parameters.len() >= PARAMETERS || !is_list {
        return None;
    }
    let (mut kept, mut is_reset) = (Vec::new(), false);
    let mut rest = parameters.split(';');
    while let Some(parameter) = rest.next() {
        match parameter.trim_start_matches('0') {
            CONCEAL => continue,
            "38" | "48" | "58" => {
                kept.push(parameter);
                let kind = rest.next();
                kept.extend(kind);
                let more = match kind {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                kept.extend(rest.by_ref().take(more));
                is_reset = false;
            }
            number => {
                kept.push(parameter);
                is_reset = number.is_empty();
            }
        }
    }
    (!kept.is_empty()).then_some(Colors { kept, is_reset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{colored, plain};

    #[test]
    fn sequences_go_with_what_they_say() {
        for (text, seen) in [
            // Operating system commands, ended in each way there is.
            ("a\x1b]0;title\x07b", "ab"),
            ("a\x1b]52;c;ZWNobw==\x1b\\b", "ab"),
            ("a\x1b]8;;http://x\u{9c}b", "ab"),
            ("a\u{9d}0;title\u{9c}b", "ab"),
            // Other strings.
            ("a\x1bPq#0\x1b\\b\x1bXc\x1b\\d\x1b^e\x1b\\f\x1b_g\x1b\\h", "abdfh"),
            ("a\u{90}q\u{9c}b\u{98}c\u{9c}d\u{9e}e\u{9c}f\u{9f}g\u{9c}h", "abdfh"),
            ("a\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\b", "ab"),
            // Control sequences.
            ("a\x1b[2J\x1b[1;1H\x1b[?25l\x1b[>4;1m\x1b[6n\x1b[!pb", "ab"),
            ("a\u{9b}2Jb\u{9b}31mc", "abc"),
            ("a\x1b[1 qb", "ab"),
            // Character sets, single escapes, and one alone.
            ("a\x1b(0b\x1bcd\x1b#8e\x1b7f\x1b%Gg", "abdefg"),
            ("a\x1b", "a"),
            ("a\x1b\x1b[2Jb\x1bü", "abü"),
            // Single characters.
            ("a\x07b\x08c\x0bd\x0ce\x0ef\x0fg\x7fh\u{8d}i\0j", "abcdefghij"),
            ("10 %\r20 %\r\nb\rc\r", "10 %\n20 %\nb\nc"),
            ("a\u{85}b\u{2028}c\u{2029}d", "a\nb\nc\nd"),
        ] {
            assert_eq!(plain(text), seen, "{text:?}");
            assert_eq!(colored(text), seen.replace('c', seen_c(text)), "{text:?}");
        }
    }

    /// Colours are kept in one of the two forms; the other is taken out here as well.
    fn seen_c(text: &str) -> &'static str {
        if text.contains("\u{9b}31m") { "\x1b[31mc\x1b[0m" } else { "c" }
    }

    #[test]
    fn colours_stay_where_they_may_and_are_closed() {
        for (text, seen) in [
            ("\x1b[31mred\x1b[0m plain", "\x1b[31mred\x1b[0m plain"),
            ("\x1b[31mred", "\x1b[31mred\x1b[0m"),
            ("\x1b[31mred\x1b[m", "\x1b[31mred\x1b[m"),
            ("\x1b[38;5;0mblack", "\x1b[38;5;0mblack\x1b[0m"),
            ("\x1b[0;1;38;2;1;2;8mtrue", "\x1b[0;1;38;2;1;2;8mtrue\x1b[0m"),
            ("\x1b[4:3mcurly\x1b[0m", "\x1b[4:3mcurly\x1b[0m"),
            // What is there and not to be seen.
            ("a\x1b[8mhidden", "ahidden"),
            ("a\x1b[31;08;1mhidden", "a\x1b[31;1mhidden\x1b[0m"),
            ("\x1b[?31mno colour", "no colour"),
        ] {
            assert_eq!(colored(text), seen, "{text:?}");
            assert!(!plain(text).contains('\x1b'));
        }
        let endless = format!("\x1b[{}mtext", "1;".repeat(500));
        assert_eq!(colored(&endless), "text");
    }

    #[test]
    fn a_sequence_cut_anywhere_is_one_sequence() {
        let text =
            "a\x1b]0;t\x1b\\b\x1b[31mred\x1b[0m\u{9b}2J👩\u{200d}💻\r\nx\ry\x1bP1\x1b\x1b[3Jz\u{202e}\x1b(0.";
        let whole = colored(text);
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for first in &ends {
            for second in ends.iter().filter(|second| *second >= first) {
                let mut cleaner = Cleaner::with_colors();
                let mut seen = String::new();
                for piece in [&text[..*first], &text[*first..*second], &text[*second..]] {
                    cleaner.push(piece, &mut seen);
                }
                cleaner.finish(&mut seen);
                assert_eq!(seen, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_string_without_an_end_hides_no_more_than_its_line() {
        assert_eq!(plain("a\x1b]0;no end\nthe rest"), "a\nthe rest");
        let long = format!("a\x1bP{}the rest", "x".repeat(STRING + 1));
        assert_eq!(plain(&long), "axthe rest");
    }

    #[test]
    fn a_text_after_the_end_of_another_is_a_new_one() {
        let mut cleaner = Cleaner::with_colors();
        let mut seen = String::new();
        cleaner.push("\x1b[31ma\x1b]0;", &mut seen);
        cleaner.finish(&mut seen);
        cleaner.push("b", &mut seen);
        cleaner.finish(&mut seen);
        assert_eq!(seen, "\x1b[31ma\x1b[0mb");
    }
}
