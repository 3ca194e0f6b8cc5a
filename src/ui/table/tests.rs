use super::*;

fn rows() -> Vec<Vec<Cell>> {
    vec![
        vec![
            "01a209331d3876c7a52229fd08f88e7f".into(),
            Cell::toned("failed", Tone::Bad),
            "look at the logs of the last week".into(),
        ],
        vec!["1".into(), "done".into(), "日本語のタスクは幅が倍になります".into()],
    ]
}

fn table_of_width(width: Option<u16>, colored: bool) -> String {
    let mut table = Table::new();
    match width {
        Some(width) => table.set_width(width),
        None => table.force_no_tty(),
    };
    lay_out(table, colored, &["JOB", "STATUS", "TASK"], &[], rows())
}

#[test]
fn where_there_is_little_room_spare_columns_are_left_out() {
    let table_of_width = |width| {
        let mut table = Table::new();
        table.set_width(width);
        lay_out(table, false, &["JOB", "STATUS", "TASK"], &["STATUS"], rows())
    };
    assert!(table_of_width(70).contains("STATUS"));
    let narrow = table_of_width(60);
    assert!(narrow.starts_with("JOB                               TASK"), "{narrow}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
}

#[test]
fn a_row_is_one_line_and_colours_take_no_room() {
    assert_eq!(
        table_of_width(None, false),
        "JOB                               STATUS  TASK\n\
             01a209331d3876c7a52229fd08f88e7f  failed  look at the logs of the last week\n\
             1                                 done    日本語のタスクは幅が倍になります"
    );
}

#[test]
fn a_colour_goes_around_its_word_and_changes_no_width() {
    let colored = table_of_width(None, true);
    assert!(colored.contains("\x1b[") && colored.contains("failed"), "{colored:?}");
    let mut plain = String::new();
    let mut in_escape = false;
    for character in colored.chars() {
        match character {
            '\x1b' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => plain.push(character),
        }
    }
    let trimmed: Vec<&str> = plain.lines().map(str::trim_end).collect();
    assert_eq!(trimmed.join("\n"), table_of_width(None, false));
}

#[test]
fn only_the_last_column_is_cut_on_a_terminal() {
    let text = table_of_width(Some(64), false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("  look at the") && lines[1].ends_with('…'), "{text}");
    assert!(lines[1].starts_with("01a209331d3876c7a52229fd08f88e7f  "));
    let narrow = table_of_width(Some(10), false);
    assert!(narrow.contains("01a209331d3876c7a52229fd08f88e7f"), "{narrow}");
}
