//! Tables that fit the terminal.

use std::io::IsTerminal;

use unicode_width::UnicodeWidthChar;

/// The least that is left of the last column, in cells, however narrow the terminal is.
const LEAST: usize = 20;

/// Lays out rows under headings, without lines between them. A row is always one line: on a terminal the last
/// column is cut to what fits, and no other is ever broken, so that an id can be copied.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    lay_out(headings, rows, terminal_width())
}

fn lay_out(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>, limit: Option<usize>) -> String {
    let mut lines: Vec<Vec<String>> = vec![headings.iter().map(ToString::to_string).collect()];
    lines.extend(rows);
    let columns = headings.len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| width(cell)).max())
        .map(Option::unwrap_or_default)
        .collect();
    let before: usize = widths.iter().take(columns.saturating_sub(1)).map(|width| width + 2).sum();
    let left = limit.map(|limit| limit.saturating_sub(before).max(LEAST));
    let laid_out = lines.iter().map(|line| {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            if column + 1 < columns {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', widths[column] - width(cell) + 2));
            } else {
                text.push_str(&left.map_or_else(|| cell.clone(), |left| cut(cell, left)));
            }
        }
        text.trim_end().to_owned()
    });
    laid_out.collect::<Vec<_>>().join("\n")
}

/// How many cells of a terminal a text takes. Colours take none.
fn width(text: &str) -> usize {
    let mut cells = 0;
    let mut in_escape = false;
    for character in text.chars() {
        match character {
            '\x1b' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => cells += character.width().unwrap_or(0),
        }
    }
    cells
}

/// The beginning of a text without colours, at most `limit` cells wide.
fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut cells = 0;
    for character in text.chars() {
        cells += character.width().unwrap_or(0);
        if cells >= limit {
            break;
        }
        shown.push(character);
    }
    shown.truncate(shown.trim_end().len());
    shown.push('…');
    shown
}

/// How many cells a line has, when somebody looks at standard output.
fn terminal_width() -> Option<usize> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    // A terminal that does not know its size says 0.
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
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

    #[test]
    fn a_row_is_one_line_and_colours_take_no_room() {
        assert_eq!(
            lay_out(&["JOB", "STATUS", "TASK"], rows(), None),
            "JOB                               STATUS  TASK\n\
             01a209331d3876c7a52229fd08f88e7f  \x1b[31mfailed\x1b[0m  look at the logs of the last week\n\
             1                                 done    日本語のタスクは幅が倍になります"
        );
    }

    #[test]
    fn only_the_last_column_is_cut_on_a_terminal() {
        let text = lay_out(&["JOB", "STATUS", "TASK"], rows(), Some(64));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("  look at the logs of t…"), "{text}");
        assert!(lines[1].starts_with("01a209331d3876c7a52229fd08f88e7f  "));
        assert!(lines.iter().all(|line| width(line) <= 64), "{text}");
        let narrow = lay_out(&["JOB", "STATUS", "TASK"], rows(), Some(10));
        assert!(narrow.contains("01a209331d3876c7a52229fd08f88e7f"), "{narrow}");
    }
}
