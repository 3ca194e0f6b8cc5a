//! Showing that runs go on: a spinner for each on a terminal, a line now and then elsewhere.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use rustix::termios::tcgetpgrp;

use super::{Ui, human};
use crate::os::own_group;
use crate::text::one_line;

/// How often a line is printed where there is no terminal.
const RARE: Duration = Duration::from_secs(30);

/// One run's progress.
#[derive(Debug)]
pub struct Progress {
    ui: Ui,
    name: String,
    started: Instant,
    spinner: Option<ProgressBar>,
    is_drawn: bool,
    last_line: Instant,
    doing: String,
}

impl Progress {
    /// Starts showing the progress of `name`.
    pub fn start(ui: Ui, name: &str) -> Self {
        let (started, is_drawn) = (Instant::now(), is_foreground());
        let spinner = ui.is_interactive();
        let spinner = spinner.then(|| dressed(ProgressBar::with_draw_target(None, target(is_drawn)), name));
        let (name, doing) = (name.to_owned(), String::new());
        Self { ui, name, started, spinner, is_drawn, last_line: started, doing }
    }

    /// Notes what the agent does now.
    pub fn doing(&mut self, what: &str) {
        self.doing = one_line(what, usize::MAX);
        if let Some(spinner) = &self.spinner {
            spinner.set_message(self.doing.clone());
        }
    }

    /// Called every so often: keeps the spinner turning and prints the rare lines.
    pub fn tick(&mut self) {
        if let Some(spinner) = &self.spinner {
            if let Some(target) = new_target(&mut self.is_drawn) {
                spinner.set_draw_target(target);
            }
            spinner.tick();
        } else if self.last_line.elapsed() >= RARE {
            self.last_line = Instant::now();
            let elapsed = human::duration(self.started.elapsed());
            self.ui.note(format_args!("{}: {elapsed} {}", self.name, self.doing));
        }
    }

    /// Prints a line above the spinner.
    pub fn note(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| self.ui.note(text)),
            None => self.ui.note(text),
        }
    }

    /// Clears the spinner.
    pub fn finish(self) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
    }
}

/// The progress of several runs: a spinner for each that has something to show.
#[derive(Debug)]
pub struct Board {
    ui: Ui,
    spinners: BTreeMap<usize, ProgressBar>,
    place: Option<MultiProgress>,
    is_drawn: bool,
    last_line: Instant,
}

impl Board {
    /// An empty board.
    pub fn new(ui: Ui) -> Self {
        let is_drawn = is_foreground();
        let place = ui.is_interactive().then(|| MultiProgress::with_draw_target(target(is_drawn)));
        Self { ui, spinners: BTreeMap::new(), place, is_drawn, last_line: Instant::now() }
    }

    /// Whether anybody sees the spinners.
    pub fn is_shown(&self) -> bool {
        self.place.is_some()
    }

    /// Shows a run that has gone on for so long.
    pub fn begin(&mut self, number: usize, name: &str, elapsed: Duration) {
        let Some(place) = &self.place else { return };
        let spinner = place.add(ProgressBar::new_spinner().with_elapsed(elapsed));
        self.spinners.insert(number, dressed(spinner, name));
    }

    /// Notes what the run with this number does now.
    pub fn doing(&mut self, number: usize, name: &str, what: &str) {
        let Some(place) = &self.place else { return };
        let spinner = self.spinners.entry(number).or_insert_with(|| {
            let spinner = place.add(ProgressBar::new_spinner());
            dressed(spinner, name)
        });
        spinner.set_message(one_line(what, usize::MAX));
    }

    /// Takes a run that has finished off the board, and lets the caller `say` something about it above the others.
    pub fn over(&mut self, number: usize, say: impl FnOnce()) {
        if let Some(spinner) = self.spinners.remove(&number) {
            spinner.finish_and_clear();
        }
        match &self.place {
            Some(place) => place.suspend(say),
            None => say(),
        }
        self.last_line = Instant::now();
    }

    /// Called every so often where only the spinners are to be seen: keeps them turning.
    pub fn turn(&mut self) {
        if let Some(place) = &self.place
            && let Some(target) = new_target(&mut self.is_drawn)
        {
            place.set_draw_target(target);
        }
        self.spinners.values().for_each(ProgressBar::tick);
    }

    /// Called every so often: keeps the spinners turning, and says `how_far` it is where nothing else is seen.
    pub fn tick(&mut self, how_far: impl FnOnce() -> String) {
        self.turn();
        if self.place.is_none() && self.last_line.elapsed() >= RARE {
            self.last_line = Instant::now();
            self.ui.note(how_far());
        }
    }

    /// Prints a line above the spinners.
    pub fn note(&self, text: &str) {
        match &self.place {
            Some(place) => place.suspend(|| self.ui.note(text)),
            None => self.ui.note(text),
        }
    }

    /// Clears the spinners.
    pub fn finish(self) {
        self.spinners.values().for_each(ProgressBar::finish_and_clear);
    }
}

/// Whether the terminal is this process's to draw on, and not that of the shell in whose background it runs. One that
/// is not the terminal of the session belongs to no group.
fn is_foreground() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |group| Some(group) == own_group())
}

/// Where spinners are drawn from now on, if that changed.
fn new_target(was_drawn: &mut bool) -> Option<ProgressDrawTarget> {
    let is_drawn = is_foreground();
    (std::mem::replace(was_drawn, is_drawn) != is_drawn).then(|| target(is_drawn))
}

/// Standard error, where it is a terminal, or nowhere.
fn target(is_drawn: bool) -> ProgressDrawTarget {
    /// As often as indicatif draws by itself, in Hz.
    const REDRAWS: u8 = 20;
    if !is_drawn {
        return ProgressDrawTarget::hidden();
    }
    ProgressDrawTarget::term_like_with_hz(Box::new(Returning(Term::buffered_stderr())), REDRAWS)
}

/// A terminal whose cursor waits at the beginning of the line. The terminal shows Ctrl-C as `^C` where the cursor is:
/// behind the full line that was drawn, it would go to the next one, and the line would never be cleared.
#[derive(Debug)]
struct Returning(Term);

impl TermLike for Returning {
    fn width(&self) -> u16 {
        TermLike::width(&self.0)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

fn dressed(spinner: ProgressBar, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}");
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.set_prefix(one_line(name, usize::MAX));
    spinner
}
