//! Tables that fit the terminal.

use comfy_table::{Color, ColumnConstraint, ContentArrangement, Row, Table, presets};

use super::{Tone, Ui};

/// One field of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// A text with a meaning.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone: Some(tone) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: None }
    }
}

/// Lays out rows under headings, without lines between them. A row is always one line: on a terminal the last
/// column is cut to what fits, and no other is ever broken, so that an id can be copied.
pub fn table(ui: Ui, headings: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    table_that_narrows(ui, headings, &[], rows)
}

/// The same, but where there is little room the columns with these headings are left out, one after the other.
pub fn table_that_narrows(
    ui: Ui,
    headings: &[&str],
    spare: &[&str],
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> String {
    lay_out(Table::new(), ui.color_out, headings, spare, rows)
}

/// How much the last column should have at least, in characters, before others are left out.
const LAST_AT_LEAST: u16 = 24;

fn lay_out(
    mut table: Table,
    colored: bool,
    headings: &[&str],
    spare: &[&str],
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> String {
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…");
    if colored {
        table.enforce_styling();
    }
    let one_line = |cells: Vec<Cell>| {
        let mut row = Row::from(cells.into_iter().map(|cell| styled(cell, colored)).collect::<Vec<_>>());
        row.max_height(1);
        row
    };
    table.set_header(one_line(headings.iter().map(|heading| Cell::from(*heading)).collect()));
    table.add_rows(rows.into_iter().map(one_line));
    let hidden = left_out(&table, headings, spare);
    for (number, column) in table.column_iter_mut().enumerate() {
        if hidden.contains(&number) {
            column.set_constraint(ColumnConstraint::Hidden);
        } else if number + 1 < headings.len() {
            column.set_padding((0, 2)).set_constraint(ColumnConstraint::ContentWidth);
        } else {
            column.set_padding((0, 0));
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The numbers of the columns that are left out.
fn left_out(table: &Table, headings: &[&str], spare: &[&str]) -> Vec<usize> {
    let Some(room) = table.width() else { return Vec::new() };
    let mut widths = table.column_max_content_widths();
    if let Some(last) = widths.last_mut() {
        *last = (*last).min(LAST_AT_LEAST);
    }
    let mut hidden = Vec::new();
    let mut spare = spare.iter().filter_map(|name| headings.iter().position(|heading| heading == name));
    // Two columns between each and the next.
    let needed = |hidden: &[usize]| -> usize {
        let shown = widths.iter().enumerate().filter(|(number, _)| !hidden.contains(number));
        shown.map(|(_, width)| usize::from(*width) + 2).sum::<usize>().saturating_sub(2)
    };
    while needed(&hidden) > usize::from(room)
        && let Some(number) = spare.next()
    {
        hidden.push(number);
    }
    hidden
}

fn styled(cell: Cell, colored: bool) -> comfy_table::Cell {
    let plain = comfy_table::Cell::new(cell.text);
    match cell.tone.filter(|_| colored) {
        Some(Tone::Good) => plain.fg(Color::DarkGreen),
        Some(Tone::Warning) => plain.fg(Color::DarkYellow),
        Some(Tone::Bad) => plain.fg(Color::DarkRed),
        Some(Tone::Faint) => plain.add_attribute(comfy_table::Attribute::Dim),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
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
}
