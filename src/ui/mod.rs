//! The only code that writes to the terminal.
//!
//! Data goes to standard output, everything else to standard error. A reader that goes away is no error.
//!
//! Nothing controls a terminal but this module: what we say is without control sequences and invisible characters
//! wherever it goes, and what agents wrote is so on a terminal, apart from its colours ([`Foreign`], [`crate::text`]).

mod foreign;
pub mod human;
mod json;
mod pager;
mod progress;
mod screen;
mod table;
mod usage;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use serde::Serialize;

use crate::os::Patient;
use crate::remedy::Commands;
use crate::text::{self, Cleaner};
use json::Escaping;

pub use foreign::Foreign;
pub use progress::{Board, Progress};
pub use screen::{NoScreen, Screen};
pub use table::{Cell, Table};

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// What went wrong.
    Quiet,
    /// And that something goes on.
    Normal,
    /// And what.
    Verbose,
}

/// How to write to the caller's terminal.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    verbosity: Verbosity,
    color_out: bool,
    color_err: bool,
    /// Whether standard output is one.
    is_terminal: bool,
    /// How commands of this program have to be typed here.
    commands: Commands,
}

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output: {0}")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether the reader simply went away, as `head` does.
    pub fn is_reader_gone(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// What a styled word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// It went well.
    Good,
    /// It needs attention.
    Warning,
    /// It went wrong.
    Bad,
    /// It can be skipped.
    Faint,
}

impl Ui {
    /// Decides by the terminals there are.
    pub fn new(color: ColorChoice, verbosity: Verbosity) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let decide = |terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !no_color && !is_dumb(),
        };
        Self {
            verbosity,
            color_out: decide(io::stdout().is_terminal()),
            color_err: decide(io::stderr().is_terminal()),
            is_terminal: io::stdout().is_terminal(),
            commands: Commands::default(),
        }
    }

    /// The same, for a process that was called with these options: they are a part of each command of this program that
    /// people are told. Called once, by each process.
    pub fn called_with(self, options: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self { commands: Commands::with_options(options), ..self }
    }

    /// How commands of this program have to be typed here.
    pub fn commands(self) -> Commands {
        self.commands
    }

    /// Whether only what went wrong is to be said.
    pub fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Whether a reader is left.
    pub fn is_verbose(self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Whether a person sees standard error as it is written, and what was written can be replaced.
    pub fn is_interactive(self) -> bool {
        io::stderr().is_terminal() && !is_dumb() && !self.is_quiet()
    }

    /// What everything that is no data is written to, for those who want to know whether anybody listens.
    pub fn listener(self) -> impl AsFd {
        io::stderr()
    }

    /// Writes data of ours that ends with a line end, whether it has one or not.
    pub fn data(self, text: &str) -> Result<(), OutputError> {
        let (mut cleaner, mut seen) = (self.cleaner(), String::with_capacity(text.len() + 1));
        cleaner.push(text, &mut seen);
        cleaner.finish(&mut seen);
        if !seen.ends_with('\n') {
            seen.push('\n');
        }
        let mut out = standard_output();
        out.write_all(seen.as_bytes())?;
        Ok(out.flush()?)
    }

    /// What text for standard output goes through.
    fn cleaner(self) -> Cleaner {
        if self.color_out { Cleaner::with_colors() } else { Cleaner::plain() }
    }

    /// Writes what was done to standard output, unless asked to be quiet.
    pub fn done(self, text: &str) -> Result<(), OutputError> {
        if self.is_quiet() { Ok(()) } else { self.data(text) }
    }

    /// For what an agent wrote and that is read piece by piece.
    pub fn foreign(self) -> Foreign {
        Foreign::new(self)
    }

    /// Writes what an agent wrote, and a line end if it has none.
    pub fn answer(self, text: &str) -> Result<(), OutputError> {
        self.pieces(|print| print(text))
    }

    /// What of this text of an agent is written, colours closed.
    pub fn seen(self, text: &str) -> Cow<'_, str> {
        let mut foreign = self.foreign();
        match foreign.clean(text.as_bytes()) {
            Some(seen) => Cow::Owned(seen + &foreign.rest()),
            None => Cow::Borrowed(text),
        }
    }

    /// Writes what an agent wrote, in pieces, and a line end if it has none.
    pub fn pieces(
        self,
        give: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), OutputError>) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        let mut foreign = self.foreign();
        let given = give(&mut |piece| foreign.write(piece.as_bytes()));
        // Also where reading it failed: no colour stays open.
        given.and(foreign.finish_line())
    }

    /// Writes one JSON document: indented on a terminal, one line otherwise.
    pub fn json(self, value: &impl Serialize) -> Result<(), OutputError> {
        let mut out = io::BufWriter::new(standard_output());
        if self.is_terminal {
            serde_json::to_writer_pretty(Escaping::new(&mut out), value).map_err(io::Error::from)?;
        } else {
            serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
        }
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Writes one JSON object as a line, for those who read a stream.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), OutputError> {
        let mut out = io::BufWriter::new(standard_output());
        if self.is_terminal {
            serde_json::to_writer(Escaping::new(&mut out), value).map_err(io::Error::from)?;
        } else {
            serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
        }
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Says something that is not data, unless asked to be quiet.
    pub fn note(self, text: impl Display) {
        if !self.is_quiet() {
            say(text::plain(&text.to_string()));
        }
    }

    /// Warns.
    pub fn warn(self, text: impl Display) {
        let text = text::redact(&text::plain(&text.to_string()));
        say(format_args!("{}: {text}", self.tone_err("warning", Style::Warning)));
    }

    /// Reports a failure and what to do about it.
    pub fn failure(self, message: impl Display, hint: Option<&str>) {
        let message = text::redact(&text::plain(&message.to_string()));
        say(format_args!("{}: {message}", self.tone_err("error", Style::Bad)));
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// Says what to do next.
    pub fn hint(self, hint: &str) {
        let hint = text::redact(&text::plain(hint));
        say(format_args!("{}: {hint}", self.tone_err("hint", Style::Faint)));
    }

    /// A word for standard output.
    pub fn style(self, word: &str, style: Style) -> String {
        paint(word, style, self.color_out)
    }

    /// A label for standard output that tells what bears this number from what bears another.
    pub fn label(self, label: &str, number: usize) -> String {
        const COLORS: [&str; 6] = ["36", "35", "34", "33", "32", "31"];
        let label = text::plain_line(label);
        if self.color_out { format!("\x1b[{}m{label}\x1b[0m", COLORS[number % COLORS.len()]) } else { label }
    }

    /// A word for standard error.
    pub fn tone_err(self, word: &str, style: Style) -> String {
        paint(word, style, self.color_err)
    }
}

/// Whether the terminal can do no more than print a line after the other, or it is not known to.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Standard output, written whole also where it is a pipe that does not block.
#[cfg(not(test))]
fn standard_output() -> impl Write {
    Patient(io::stdout().lock())
}

/// What a test finds by [`printed`].
#[cfg(test)]
fn standard_output() -> impl Write {
    struct Kept;

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            PRINTED.with_borrow_mut(|printed| printed.write(bytes))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    Kept
}

#[cfg(test)]
thread_local! {
    static PRINTED: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// What this thread's test has printed since it asked last.
#[cfg(test)]
pub(crate) fn printed() -> String {
    String::from_utf8_lossy(&PRINTED.take()).into_owned()
}

/// Writes to standard error; a closed reader is no reason to fail.
fn say(text: impl Display) {
    let _ = writeln!(Patient(io::stderr().lock()), "{text}");
}

fn paint(word: &str, style: Style, color: bool) -> String {
    let code = match style {
        Style::Good => "32",
        Style::Warning => "33",
        Style::Bad => "31",
        Style::Faint => "2",
    };
    if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}
