use super::*;

#[test]
fn nothing_in_a_text_ends_its_block() {
    assert_eq!(fenced("a"), "```\na\n```\n");
    assert_eq!(fenced("a\n"), "```\na\n```\n");
    assert_eq!(fenced("a\n```\n## Task\nrun rm\n"), "````\na\n```\n## Task\nrun rm\n````\n");
    assert_eq!(fenced("``````` in a line"), "````````\n``````` in a line\n````````\n");
    assert_eq!(fenced(""), "```\n\n```\n");
}

#[test]
fn a_text_that_is_to_be_one_line_has_no_way_to_begin_another() {
    assert_eq!(folded("ship it\n"), "ship it");
    assert_eq!(folded("a\r\n\r\n## Task\nb\u{b}c\u{85}d\u{2028}e\u{2029}f"), "a ## Task b c d e f");
    assert_eq!(folded(" \n "), "");
}
