use super::*;

fn owned(line: Line<'_>) -> Line<'static> {
    match line {
        Line::Whole(text) => Line::Whole(Cow::Owned(text.into_owned())),
        Line::Oversized { head, offset, bytes } => Line::Oversized { head, offset, bytes },
    }
}

fn lines(reader: &mut LineReader, chunks: &[&[u8]], finish: bool) -> Vec<Line<'static>> {
    let mut seen = Vec::new();
    for chunk in chunks {
        reader.feed(chunk, &mut |line| seen.push(owned(line)));
    }
    if finish {
        reader.finish(&mut |line| seen.push(owned(line)));
    }
    seen
}

fn texts(chunks: &[&[u8]]) -> Vec<String> {
    lines(&mut LineReader::new(0, 1024), chunks, true)
        .into_iter()
        .map(|line| match line {
            Line::Whole(text) => text.into_owned(),
            Line::Oversized { bytes, .. } => format!("<{bytes}>"),
        })
        .collect()
}

#[test]
fn lines_end_at_lf_only_and_lose_their_cr() {
    assert_eq!(
        texts(&["a\r\nb\u{2028}c\u{85}d\x0be\n\nf".as_bytes()]),
        ["a", "b\u{2028}c\u{85}d\x0be", "", "f"]
    );
}

#[test]
fn any_cut_gives_the_same_lines() {
    let bytes = "eins\nzwölf €\r\n\ndrei".as_bytes();
    let expected = texts(&[bytes]);
    assert_eq!(expected, ["eins", "zwölf €", "", "drei"]);
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(texts(&[head, tail]), expected, "cut at {cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(texts(&single), expected);
}

#[test]
fn invalid_utf8_becomes_the_replacement_character() {
    assert_eq!(texts(&[b"a\xff\xfeb\n\xc3"]), ["a\u{fffd}\u{fffd}b", "\u{fffd}"]);
}

#[test]
fn a_partial_last_line_waits_for_its_end() {
    let mut reader = LineReader::new(0, 1024);
    assert_eq!(lines(&mut reader, &[b"one\ntwo"], false), [Line::Whole("one".into())]);
    assert_eq!(reader.line_start(), 4);
    assert_eq!(reader.position(), 7);
    assert_eq!(lines(&mut reader, &[b" more\n"], false), [Line::Whole("two more".into())]);
    assert_eq!(lines(&mut reader, &[], true), []);
    assert_eq!(reader.position(), 13);
}

#[test]
fn reading_goes_on_from_where_an_undelivered_line_starts() {
    let file = b"one\ntwo\nthree\n";
    let mut first = LineReader::new(0, 1024);
    lines(&mut first, &[&file[..10]], false);
    let start = first.line_start();
    assert_eq!(start, 8);
    let mut second = LineReader::new(start, 1024);
    let rest = &file[usize::try_from(start).unwrap()..];
    assert_eq!(lines(&mut second, &[rest], true), [Line::Whole("three".into())]);
    assert_eq!(second.line_start(), file.len() as u64);
}

#[test]
fn an_oversized_line_is_counted_but_not_kept() {
    let mut reader = LineReader::new(0, 10_000);
    let long = vec![b'x'; 3_000];
    let mut chunks: Vec<&[u8]> = vec![&long; 1_000];
    chunks.push(b"\nnext\n");
    let mut seen = Vec::new();
    for chunk in chunks {
        reader.feed(chunk, &mut |line| seen.push(owned(line)));
        assert!(reader.partial.capacity() <= 32_000, "kept {} bytes", reader.partial.capacity());
    }
    assert_eq!(
        seen,
        [Line::Oversized { head: "x".repeat(1024), offset: 0, bytes: 3_000_000 }, Line::Whole("next".into())]
    );
    assert_eq!(reader.position(), 3_000_006);
}

#[test]
fn a_line_of_megabytes_within_the_limit_is_whole() {
    let mut reader = LineReader::new(0, FOLLOWED_LINE_LIMIT);
    let text = "y".repeat(5_000_000);
    let (mut seen, mut looks) = (0, 0);
    let file = format!("{text}\n");
    let mut rest = file.as_bytes();
    loop {
        looks += 1;
        let look = reader.read_from(&mut rest, &mut |line| {
            assert_eq!(line, Line::Whole(Cow::Borrowed(&text)));
            seen += 1;
        });
        if look.unwrap() == Look::AtEnd {
            break;
        }
    }
    assert_eq!(seen, 1);
    // However much there is, one look has an end.
    assert_eq!(looks, file.len() / LOOK_BYTES + 1);
}
