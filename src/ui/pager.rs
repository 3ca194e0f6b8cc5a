//! A long text through a pager.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::screen::Size;
use super::{OutputError, Ui, is_dumb};
use crate::os::find_program;

/// The default pager: it ends by itself when the text fits, shows colours and leaves the text on
/// the screen.
const USUAL: &str = "less -FRX";

impl Ui {
    /// Writes what an agent wrote, in pieces, through a pager when it is longer than the screen: `AGENT_DISPATCH_PAGER`, or
    /// `PAGER`, or `less` where there is one. Without a terminal, on a dumb one, or without a pager, it is written as
    /// [`Ui::pieces`] writes it.
    pub fn paged(
        self,
        give: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), OutputError>) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        let Some(screen) = Size::of(io::stdout()).filter(|_| io::stdout().is_terminal() && !is_dumb()) else {
            return self.pieces(give);
        };
        let mut foreign = self.foreign();
        let mut output = Paged { screen, held: Some(String::new()), pager: None, is_ended: true };
        let given = give(&mut |piece| match foreign.clean(piece.as_bytes()) {
            Some(seen) => output.write(&seen),
            None => output.write(piece),
        });
        let written = given.and_then(|()| output.write(&foreign.rest()));
        output.finish(written)
    }
}

/// A text of which it is not known yet whether it fits the screen, or that does not.
struct Paged {
    screen: Size,
    /// What there is of it, as long as that fits.
    held: Option<String>,
    /// What shows it, where there is one.
    pager: Option<Pager>,
    /// Whether what was written without a pager ends with a line end.
    is_ended: bool,
}

impl Paged {
    fn write(&mut self, text: &str) -> Result<(), OutputError> {
        let Some(held) = &mut self.held else { return self.put(text) };
        held.push_str(text);
        if fits(held, self.screen) {
            return Ok(());
        }
        self.pager = Pager::start();
        let held = self.held.take().unwrap_or_default();
        self.put(&held)
    }

    fn put(&mut self, text: &str) -> Result<(), OutputError> {
        if let Some(pager) = &mut self.pager {
            return pager.write(text);
        }
        self.is_ended = if text.is_empty() { self.is_ended } else { text.ends_with('\n') };
        let mut out = super::standard_output();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    fn finish(mut self, written: Result<(), OutputError>) -> Result<(), OutputError> {
        if let Some(pager) = self.pager {
            pager.finish();
            // A user who leaves the pager has read enough.
            return written.or_else(|error| if error.is_reader_gone() { Ok(()) } else { Err(error) });
        }
        let held = self.held.take().unwrap_or_default();
        let rest = self.put(&held).and_then(|()| if self.is_ended { Ok(()) } else { self.put("\n") });
        written.and(rest)
    }
}

/// Whether the text fits the screen, with a line left for the prompt.
fn fits(text: &str, screen: Size) -> bool {
    let lines = text.lines().map(|line| line.chars().count().div_ceil(screen.columns).max(1));
    lines.sum::<usize>() < screen.rows
}

/// A pager that runs.
struct Pager {
    process: Child,
    input: ChildStdin,
}

impl Pager {
    fn start() -> Option<Self> {
        let named = ["AGENT_DISPATCH_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
        let words = shlex::split(named.as_deref().unwrap_or(USUAL))?;
        let (program, arguments) = words.split_first()?;
        // An interrupt is the pager's: what it makes of it is no reason to end before it does.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::new(AtomicBool::new(false)));
        let here = std::env::current_dir().ok()?;
        let program = find_program(program, std::env::var_os("PATH").as_deref(), &here).ok()?;
        let mut process = Command::new(program).args(arguments).stdin(Stdio::piped()).spawn().ok()?;
        let input = process.stdin.take()?;
        Some(Self { process, input })
    }

    fn write(&mut self, text: &str) -> Result<(), OutputError> {
        Ok(self.input.write_all(text.as_bytes())?)
    }

    /// Waits until it has been left.
    fn finish(self) {
        let Self { mut process, input } = self;
        drop(input);
        let _ = process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_when_a_line_is_left_and_long_lines_count_as_often_as_they_are_broken() {
        let screen = Size { columns: 10, rows: 4 };
        assert!(fits("1\n\n3\n", screen));
        assert!(!fits("1\n2\n3\n4", screen));
        assert!(fits("0123456789\n2\n3", screen));
        assert!(!fits("0123456789ä\n2\n3", screen));
    }
}
