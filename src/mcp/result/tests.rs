use super::*;

#[test]
fn a_part_counts_characters_and_knows_what_comes_next() {
    let cut = |offset, max_chars| Window { offset, max_chars }.cut_text("äöü€x");
    assert_eq!(cut(0, 3), Part { text: "äöü".into(), total_chars: 5, next_offset: Some(3) });
    assert_eq!(cut(3, 3), Part { text: "€x".into(), total_chars: 5, next_offset: None });
    assert_eq!(cut(9, 3), Part { text: String::new(), total_chars: 5, next_offset: None });
    assert_eq!(cut(0, 0).next_offset, Some(0));
}

#[test]
fn a_part_may_begin_and_end_in_any_piece() {
    let pieces = ["ab", "", "cd", "ef"];
    let part = Window { offset: 1, max_chars: 3 }.cut::<()>(|take| {
        pieces.iter().for_each(|piece| take(piece));
        Ok(())
    });
    assert_eq!(part, Ok(Part { text: "bcd".into(), total_chars: 6, next_offset: Some(4) }));
}
