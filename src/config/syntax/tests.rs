use super::*;

fn error(text: &str) -> (u32, u32, String) {
    let error = parse(text).expect_err(text);
    (error.at.line, error.at.column, error.message)
}

#[test]
fn every_node_knows_its_place() {
    let root = parse("a:\n  é: [1, 'two']\n").unwrap();
    let a = &root.entries().unwrap()[0];
    assert_eq!(a.at, Position { line: 1, column: 1 });
    let inner = &a.value.entries().unwrap()[0];
    assert_eq!(inner.at, Position { line: 2, column: 3 });
    let Kind::Sequence(items) = &inner.value.kind else { panic!("{inner:?}") };
    assert_eq!(items[1].at, Position { line: 2, column: 10 });
}

#[test]
fn merge_keys_fill_in_what_is_not_there() {
    let merged = parse("x: &x {m: 1, n: 2}\ny: &y {o: 3}\na:\n  <<: [*x, *y]\n  m: 9\n").unwrap();
    let expected = parse("x: {m: 1, n: 2}\ny: {o: 3}\na: {m: 9, n: 2, o: 3}\n").unwrap();
    assert_eq!(merged, expected);
}

#[test]
fn a_duplicate_key_is_refused_where_it_stands() {
    let (line, column, message) = error("a: 1\nb: 2\na: 3\n");
    assert_eq!((line, column), (3, 1));
    assert!(message.contains("first on line 1"), "{message}");
}

#[test]
fn a_duplicate_key_is_found_among_many() {
    let many: String = (0..100).map(|i| format!("k{i}: 1\n")).collect();
    for (key, first) in [("k3", 4), ("k15", 16), ("k16", 17), ("k99", 100)] {
        let (line, _, message) = error(&format!("{many}{key}: 2\n"));
        assert_eq!(line, 101);
        assert!(message.ends_with(&format!("on line {first}")), "{message}");
    }
}

#[test]
fn aliases_cannot_multiply_without_end() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let alias = format!("*a{}, ", i - 1).repeat(10);
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", alias.trim_end_matches(", ")));
    }
    assert!(error(&bomb).2.contains("too much"));
    assert!(error("a: &a [*a]\n").2.contains("part of"));
}

#[test]
fn nesting_is_bounded() {
    assert!(error(&"[".repeat(100)).2.contains("too deep"));
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&"- ".repeat(100_000)).is_err());
}

#[test]
fn odd_texts_are_refused_in_plain_words() {
    assert!(error("a:\n\tb: 1\n").2.contains("tab"));
    assert_eq!(error("a: 1\n---\nb: 2\n").0, 2);
    assert!(error("a: !!python/object:os.system x\n").2.contains("tag"));
    assert!(error("a: !x y\n").2.contains("tag"));
    assert!(error("? [a]\n: b\n").2.contains("key"));
    assert!(error("a: *nope\n").2.contains("anchor"));
    assert!(error("a: [1\nb: 2\n").0 == 2);
}

#[test]
fn texts_without_content_are_null() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}", "\u{feff}# x\r\n"] {
        assert!(parse(text).unwrap().is_null(), "{text:?}");
    }
}
