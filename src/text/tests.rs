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
