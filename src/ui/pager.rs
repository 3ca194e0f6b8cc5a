//! A long text through a pager.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::screen::Size;
use super::{OutputError, Ui, is_dumb};

/// The pager where nobody names another: it ends by itself when the text fits, shows colours and leaves the text on
/// the screen.
const USUAL: &str = "less -FRX";

impl Ui {
    /// Writes data that comes in pieces, through a pager when it is longer than the screen: `AGENT_DISPATCH_PAGER`, or
    /// `PAGER`, or `less` where there is one. Without a terminal, on a dumb one, or without a pager, it is written as
    /// it is.
    pub fn paged(
        self,
        give: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), OutputError>) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        let Some(screen) = Size::of(io::stdout()).filter(|_| io::stdout().is_terminal() && !is_dumb()) else {
            return self.pieces(give);
        };
        let mut pager = None;
        let mut held = String::new();
        let mut holds = true;
        let written = self.pieces(|print| {
            give(&mut |piece| {
                if holds {
                    held.push_str(piece);
                    if fits(&held, screen) {
                        return Ok(());
                    }
                    holds = false;
                    pager = Pager::start();
                    let held = std::mem::take(&mut held);
                    return match &mut pager {
                        Some(pager) => pager.write(&held),
                        None => print(&held),
                    };
                }
                match &mut pager {
                    Some(pager) => pager.write(piece),
                    None => print(piece),
                }
            })?;
            if holds { print(&held) } else { Ok(()) }
        });
        match (pager, written) {
            (Some(pager), written) => {
                pager.finish();
                // Whoever leaves the pager has read enough.
                written.or_else(|error| if error.is_reader_gone() { Ok(()) } else { Err(error) })
            }
            (None, written) => written,
        }
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
mod tests;
