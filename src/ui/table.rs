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
mod tests;
