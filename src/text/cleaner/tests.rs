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
