//! Tables that fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};

/// Lays out rows under headings, without lines between them. A row is always one line: on a terminal the last
/// column is cut to what fits, and no other is ever broken, so that an id can be copied.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    lay_out(Table::new(), headings, rows)
}

fn lay_out(mut table: Table, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…");
    let one_line = |cells: Vec<String>| {
        let mut row = Row::from(cells);
        row.max_height(1);
        row
    };
    table.set_header(one_line(headings.iter().map(ToString::to_string).collect()));
    table.add_rows(rows.into_iter().map(one_line));
    for (number, column) in table.column_iter_mut().enumerate() {
        if number + 1 < headings.len() {
            column.set_padding((0, 2)).set_constraint(ColumnConstraint::ContentWidth);
        } else {
            column.set_padding((0, 0));
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row([
                "01a209331d3876c7a52229fd08f88e7f",
                "\x1b[31mfailed\x1b[0m",
                "look at the logs of the last week",
            ]),
            row(["1", "done", "日本語のタスクは幅が倍になります"]),
        ]
    }

    fn table_of_width(width: Option<u16>) -> String {
        let mut table = Table::new();
        match width {
            Some(width) => table.set_width(width),
            None => table.force_no_tty(),
        };
        lay_out(table, &["JOB", "STATUS", "TASK"], rows())
    }

    #[test]
    fn a_row_is_one_line_and_colours_take_no_room() {
        assert_eq!(
            table_of_width(None),
            "JOB                               STATUS  TASK\n\
             01a209331d3876c7a52229fd08f88e7f  \x1b[31mfailed\x1b[0m  look at the logs of the last week\n\
             1                                 done    日本語のタスクは幅が倍になります"
        );
    }

    #[test]
    fn only_the_last_column_is_cut_on_a_terminal() {
        let text = table_of_width(Some(64));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].contains("  look at the") && lines[1].ends_with('…'), "{text}");
        assert!(lines[1].starts_with("01a209331d3876c7a52229fd08f88e7f  "));
        let narrow = table_of_width(Some(10));
        assert!(narrow.contains("01a209331d3876c7a52229fd08f88e7f"), "{narrow}");
    }
}
