use super::*;

#[test]
fn a_text_fits_when_a_line_is_left_and_long_lines_count_as_often_as_they_are_broken() {
    let screen = Size { columns: 10, rows: 4 };
    assert!(fits("1\n\n3\n", screen));
    assert!(!fits("1\n2\n3\n4", screen));
    assert!(fits("0123456789\n2\n3", screen));
    assert!(!fits("0123456789ä\n2\n3", screen));
}
