//! Tables that fit the terminal.

use std::io;

use comfy_table::{Attribute, Color, ContentArrangement, presets};
use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::screen::Size;
use super::{Style, Ui};
use crate::text::plain_line;

/// One field of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// A text with a meaning.
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { style: Some(style), ..text.into().into() }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: plain_line(&text.into()), style: None }
    }
}

/// Rows under headings, without lines between them. A row is always one line. Where the terminal is too narrow,
/// spare columns are left out and the last ones are cut; the first, which names the thing, is cut last.
#[derive(Debug)]
pub struct Table<'a> {
    /// What is above the columns.
    pub headings: &'a [&'a str],
    /// The headings of the columns that can be left out, the first one first.
    pub spare: &'a [&'a str],
    /// How wide the last column stays, if its texts are, until others have been left out and cut.
    pub last_at_least: usize,
    /// A cell for each heading.
    pub rows: Vec<Vec<Cell>>,
}

/// Between one column and the next.
const GAP: u16 = 2;

/// To what width columns are cut, in turns, until all have room.
const CUTS: [usize; 3] = [24, 8, 1];

impl Table<'_> {
    /// As it is written to standard output.
    pub fn for_output(&self, ui: Ui) -> String {
        self.lay_out(room_for_output(), ui.color_out)
    }

    /// As it is written to standard error: without colour.
    pub fn for_note(&self) -> String {
        self.lay_out(Size::of(io::stderr()).map(|size| size.columns), false)
    }

    /// The widths of the columns on standard output, for a table that is printed in parts.
    pub fn widths_for_output(&self) -> Widths {
        Widths(self.widths(room_for_output().unwrap_or(usize::MAX)))
    }

    /// The first part of a table of these widths, with the headings.
    pub fn first_part(&self, widths: &Widths, ui: Ui) -> String {
        self.lay_out_in(&widths.0, true, true, ui.color_out)
    }

    /// A later part, which continues the columns.
    pub fn next_part(&self, widths: &Widths, ui: Ui) -> String {
        self.lay_out_in(&widths.0, true, false, ui.color_out)
    }

    fn lay_out(&self, room: Option<usize>, colored: bool) -> String {
        self.lay_out_in(&self.widths(room.unwrap_or(usize::MAX)), false, true, colored)
    }

    /// Lays the rows out in columns of these widths, which are filled up if there are other parts.
    fn lay_out_in(
        &self,
        widths: &[Option<usize>],
        is_filled: bool,
        has_headings: bool,
        colored: bool,
    ) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        // Whether there is colour is decided: neither a terminal nor `NO_COLOR` is asked again.
        table.force_no_tty();
        if colored {
            crossterm::style::force_color_output(true);
            table.enforce_styling();
        }
        if has_headings {
            table.set_header(line(self.headings.iter().map(|heading| (*heading, None)), widths, is_filled));
        }
        for row in &self.rows {
            table.add_row(line(row.iter().map(|cell| (cell.text.as_str(), cell.style)), widths, is_filled));
        }
        let last = table.column_count().saturating_sub(1);
        for (number, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if number == last { 0 } else { GAP }));
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    /// How wide each column is in so much room; `None` for those that are left out.
    fn widths(&self, room: usize) -> Vec<Option<usize>> {
        let mut widths: Vec<Option<usize>> =
            self.headings.iter().map(|heading| Some(measure_text_width(heading))).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(Some(measure_text_width(&cell.text)));
            }
        }
        let last = widths.len() - 1;
        let too_wide = |widths: &[Option<usize>]| {
            let needed: usize = widths.iter().flatten().map(|width| width + usize::from(GAP)).sum();
            needed.saturating_sub(GAP.into()).saturating_sub(room)
        };
        for spare in self.spare {
            let could_be_cut = widths[last].unwrap_or(0).saturating_sub(self.last_at_least);
            if too_wide(&widths) <= could_be_cut {
                break;
            }
            if let Some(number) = self.headings.iter().position(|heading| heading == spare) {
                widths[number] = None;
            }
        }
        let from_the_last = |cut| (1..=last).rev().map(move |number| (number, cut));
        let cuts = CUTS.into_iter().flat_map(from_the_last);
        for (number, cut) in [(last, self.last_at_least)].into_iter().chain(cuts).chain([(0, 1)]) {
            let excess = too_wide(&widths);
            if let Some(width) = &mut widths[number] {
                *width = width.saturating_sub(excess).max(cut.min(*width));
            }
        }
        widths
    }
}

/// How wide the columns of a table are that is printed in parts; `None` for those that are left out.
#[derive(Debug, Clone)]
pub struct Widths(Vec<Option<usize>>);

fn room_for_output() -> Option<usize> {
    Size::of(io::stdout()).map(|size| size.columns)
}

/// The cells of a line that are shown, each cut to its column's width, and filled up to it if that is asked for.
fn line<'c>(
    cells: impl Iterator<Item = (&'c str, Option<Style>)>,
    widths: &[Option<usize>],
    is_filled: bool,
) -> Vec<comfy_table::Cell> {
    let shown = cells.zip(widths).filter_map(|(cell, width)| Some((cell, (*width)?)));
    let fitted = shown.map(|((text, style), width)| {
        let text = truncate_str(text, width, "…");
        match is_filled {
            true => styled(&pad_str(&text, width, Alignment::Left, None), style),
            false => styled(&text, style),
        }
    });
    fitted.collect()
}

fn styled(text: &str, style: Option<Style>) -> comfy_table::Cell {
    let plain = comfy_table::Cell::new(text);
    match style {
        Some(Style::Good) => plain.fg(Color::DarkGreen),
        Some(Style::Warning) => plain.fg(Color::DarkYellow),
        Some(Style::Bad) => plain.fg(Color::DarkRed),
        Some(Style::Faint) => plain.add_attribute(Attribute::Dim),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a209331d3876c7a52229fd08f88e7f";

    fn jobs() -> Table<'static> {
        let row = |id: &str, status, style, created: &str, task: &str| {
            let status = Cell::styled(status, style);
            vec![id.into(), "frontend".into(), status, created.into(), "$0.0412".into(), task.into()]
        };
        Table {
            headings: &["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"],
            spare: &["COST", "CREATED", "AGENT", "TASK"],
            last_at_least: 8,
            rows: vec![
                row(ID, "cancelled", Style::Bad, "12d ago", "Read the logs of the last week"),
                row("1", "done", Style::Good, "now", "日本語のタスクは幅が倍になります"),
            ],
        }
    }

    fn plain(width: usize) -> String {
        jobs().lay_out(Some(width), false)
    }

    #[test]
    fn without_a_terminal_everything_is_there() {
        assert_eq!(
            jobs().lay_out(None, false),
            "JOB                               AGENT     STATUS     CREATED  COST     TASK\n\
         01a209331d3876c7a52229fd08f88e7f  frontend  cancelled  12d ago  $0.0412  Read the logs of the last week\n\
         1                                 frontend  done       now      $0.0412  日本語のタスクは幅が倍になります"
        );
    }

    #[test]
    fn at_80_columns_only_the_cost_of_jobs_is_left_out() {
        assert_eq!(
            plain(80),
            "JOB                               AGENT     STATUS     CREATED  TASK\n\
         01a209331d3876c7a52229fd08f88e7f  frontend  cancelled  12d ago  Read the logs o…\n\
         1                                 frontend  done       now      日本語のタスク…"
        );
    }

    #[test]
    fn no_line_is_ever_wider_than_the_terminal_and_the_id_is_cut_last() {
        for width in 4..110 {
            let text = plain(width);
            let widest = text.lines().map(measure_text_width).max();
            assert!(widest <= Some(width), "{width}:\n{text}");
            assert_eq!(text.lines().count(), 3, "{width}:\n{text}");
            assert_eq!(text.contains(ID), width >= ID.len() + 3, "{width}:\n{text}");
        }
        assert_eq!(plain(40).lines().nth(1), Some("01a209331d3876c7a52229fd08f88e7f  cance…"));
    }

    #[test]
    fn what_fits_is_not_cut() {
        let table = Table {
            headings: &["JOB", "DOING"],
            spare: &[],
            last_at_least: 24,
            rows: vec![vec!["1".into(), "Read /srv/a/very/long/path".into()]],
        };
        assert!(table.lay_out(Some(31), false).ends_with("\n1    Read /srv/a/very/long/path"));
        assert!(table.lay_out(Some(30), false).ends_with("\n1    Read /srv/a/very/long/pa…"));
    }

    #[test]
    fn columns_that_cannot_be_left_out_share_what_room_there_is() {
        let directory = "/home/me/projects/".to_owned() + &"deep/".repeat(20);
        let table = Table {
            headings: &["AGENT", "DIRECTORY", "DESCRIPTION"],
            spare: &[],
            last_at_least: 24,
            rows: vec![vec![
                "web".into(),
                directory.into(),
                "What people see, and how it looks to them".into(),
            ]],
        };
        let line = |width| table.lay_out(Some(width), false).lines().nth(1).map(str::to_owned);
        assert_eq!(
            line(80).as_deref(),
            Some("web    /home/me/projects/deep/deep/deep/deep/deep/dee…  What people see, and ho…")
        );
        assert_eq!(line(40).as_deref(), Some("web    /home/me/projects/deep…  What pe…"));
    }

    #[test]
    fn a_colour_changes_no_width() {
        let colored = jobs().lay_out(Some(80), true);
        assert!(colored.contains("  \x1b[38;5;1mcancelled"), "{colored:?}");
        assert_eq!(console::strip_ansi_codes(&colored), plain(80));
    }

    #[test]
    fn what_would_control_the_terminal_is_left_out() {
        assert_eq!(Cell::from("a\nb\x1b[2Jc"), Cell::from("a bc"));
    }
}
