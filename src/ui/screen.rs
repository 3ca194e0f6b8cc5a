//! A terminal taken over for a while, to show something that changes.

use std::io::{self, IsTerminal, Stdin, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::{getpid, getppid};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use signal_hook::consts::SIGTSTP;
use signal_hook::low_level::emulate_default_handler;

use super::{OutputError, is_dumb};
use crate::os::{group_of, own_group, session_of};
use crate::text::colored;

/// The alternate screen, without a cursor, and lines that are cut rather than broken.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// And back.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// How much a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Characters a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Size {
    /// The size of the terminal that this is; `None` when it is none, or does not say.
    pub(super) fn of(terminal: impl AsFd) -> Option<Self> {
        let size = tcgetwinsize(terminal).ok()?;
        let size = Self { columns: size.ws_col.into(), rows: size.ws_row.into() };
        (size.columns > 0 && size.rows > 0).then_some(size)
    }
}

/// The terminal, as long as this lives. What was on it before is there again afterwards.
#[derive(Debug)]
pub struct Screen {
    input: Stdin,
    /// How the keyboard was set, if there is one.
    keyboard: Option<Termios>,
    shown: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoScreen {
    /// Standard output is no terminal.
    #[error("standard output is no terminal")]
    NoTerminal,
    /// It is one that cannot be drawn on, or that does not say so.
    #[error("by TERM the terminal cannot be drawn on")]
    Dumb,
    /// It could not be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Screen {
    /// Takes the terminal over that standard output is.
    pub fn take() -> Result<Self, NoScreen> {
        if !io::stdout().is_terminal() {
            return Err(NoScreen::NoTerminal);
        }
        if is_dumb() {
            return Err(NoScreen::Dumb);
        }
        let input = io::stdin();
        let keyboard = tcgetattr(&input).ok();
        let screen = Self { input, keyboard, shown: String::new() };
        screen.enter()?;
        Ok(screen)
    }

    /// The keyboard first: in the background this waits until the terminal is this process's.
    fn enter(&self) -> Result<(), OutputError> {
        if let Some(before) = &self.keyboard {
            let mut keys = before.clone();
            // A key counts at once and is not shown. Ctrl-C and Ctrl-Z stay signals.
            keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            if !can_go_on() {
                keys.special_codes[SpecialCodeIndex::VSUSP] = 0;
            }
            let _ = tcsetattr(&self.input, OptionalActions::Now, &keys);
        }
        write_out(ENTER)
    }

    fn leave(&self) {
        let _ = write_out(LEAVE);
        if let Some(before) = &self.keyboard {
            let _ = tcsetattr(&self.input, OptionalActions::Now, before);
        }
    }

    /// What Ctrl-Z asks for: gives the terminal back, and stops until the shell lets this process go on.
    pub fn suspend(&mut self) -> Result<(), OutputError> {
        if !can_go_on() {
            return Ok(());
        }
        self.leave();
        let _ = emulate_default_handler(SIGTSTP);
        self.redraw();
        self.enter()
    }

    /// How much it shows now.
    pub fn size(&self) -> Size {
        Size::of(io::stdout()).unwrap_or(Size { columns: 80, rows: 24 })
    }

    /// Becomes readable when a key is pressed; `None` when there is no keyboard.
    pub fn keys(&self) -> Option<BorrowedFd<'_>> {
        self.keyboard.as_ref().map(|_| self.input.as_fd())
    }

    /// The keys that were pressed. To be asked when [`Self::keys`] is readable: it waits for one.
    pub fn pressed(&mut self) -> Vec<u8> {
        let mut buffer = [0; 64];
        match rustix::io::read(&self.input, &mut buffer) {
            Ok(count @ 1..) => buffer[..count].to_vec(),
            // The keyboard is gone.
            _ => {
                self.keyboard = None;
                Vec::new()
            }
        }
    }

    /// Shows these lines in the place of what was shown, as far as they fit.
    pub fn show(&mut self, text: &str) -> Result<(), OutputError> {
        let rows = self.size().rows;
        // What was there is erased before each line: behind a full one the cursor is still on its last character.
        let lines: Vec<String> =
            text.lines().take(rows).map(|line| format!("\x1b[K{}", colored(line))).collect();
        let rest = if lines.len() < rows { "\r\n\x1b[J" } else { "" };
        let frame = format!("\x1b[H{}{rest}", lines.join("\r\n"));
        if frame != self.shown {
            write_out(&frame)?;
            self.shown = frame;
        }
        Ok(())
    }

    /// Forgets what is shown: the terminal has another size, and shows who knows what.
    pub fn redraw(&mut self) {
        self.shown.clear();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whether, once stopped, a shell lets this process go on: a shell with job control made a process group for it. A
/// terminal that was opened for this process alone would hang instead, and so would a script between it and the shell.
fn can_go_on() -> bool {
    let Some(parent) = getppid() else { return false };
    session_of(parent) == session_of(getpid()) && group_of(parent) != own_group()
}

fn write_out(text: &str) -> Result<(), OutputError> {
    let mut out = super::standard_output();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
