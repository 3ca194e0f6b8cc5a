use super::*;

fn found(text: &str) -> Option<u64> {
    let whole = Finder::default().look(text.as_bytes(), 0);
    let mut finder = Finder::default();
    let by_byte = text.bytes().zip(0..).find_map(|(byte, at)| finder.look(&[byte], at));
    assert_eq!(by_byte, whole, "{text:?}");
    whole
}

#[test]
fn a_document_begins_with_an_objects_brace_and_a_quote() {
    for (text, at) in [
        ("{\"", Some(0)),
        ("{}", Some(0)),
        ("{ \t\"", Some(0)),
        ("[{\"", Some(0)),
        ("[ { \"", Some(0)),
        ("[[{\"", Some(1)),
        ("[x] {{\"", Some(5)),
        ("{x\"}", None),
        ("[1, 2]", None),
        ("{", None),
        ("", None),
        ("\x1b[1m{\"", Some(4)),
        ("\x1b]0;{\"\x07{\"", Some(7)),
        ("\x1b]0;{\"\x1b\\{\"", Some(8)),
        ("\x1b]0;{\"\x1b{\"", None),
    ] {
        assert_eq!(found(text), at, "{text:?}");
    }
}

#[test]
fn what_can_be_seen_has_no_sequences_and_no_mere_punctuation() {
    for (text, seen) in [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", ""),
        ("\x1b]0;no end", ""),
        (" ,\n]", ""),
        ("a\0b\tc", "ab\tc"),
        ("é\x1b[1mü", "éü"),
    ] {
        assert_eq!(visible(text, 100), seen, "{text:?}");
    }
    assert_eq!(visible(&"x".repeat(1_000), 10).len(), 11);
}
