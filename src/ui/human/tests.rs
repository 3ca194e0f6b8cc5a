use super::*;

#[test]
fn a_text_for_the_terminal_cannot_control_it() {
    assert_eq!(printable("a\tb\r\n\u{1b}]0;title\u{7}c\u{9b}2J"), "a\tb\n]0;titlec2J");
}

#[test]
fn lengths_of_time_are_short() {
    let cases = [(340, "340 ms"), (4_200, "4.2 s"), (90_000, "1m 30s"), (7_500_000, "2h 5m")];
    for (millis, text) in cases {
        assert_eq!(duration(Duration::from_millis(millis)), text);
    }
    assert_eq!((elapsed(4.9), elapsed(90.2)), ("4s".to_owned(), "1m 30s".to_owned()));
    assert_eq!(ago(0.3), "now");
    assert_eq!(ago(3_700.0), "1h ago");
}

#[test]
fn small_amounts_keep_their_digits() {
    assert_eq!(dollars(0.0), "$0.00");
    assert_eq!(dollars(0.0175), "$0.0175");
    assert_eq!(dollars(12.5), "$12.50");
}

#[test]
fn a_long_text_is_cut_on_one_line() {
    assert_eq!(one_line("a  b\n c\u{1b}[31m", 80), "a b c[31m");
    assert_eq!(one_line("abcdef", 4), "abc…");
    assert_eq!(one_line("abcd", 4), "abcd");
}
