//! Showing that a run goes on: a spinner on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, human};

/// How often a line is printed where there is no terminal.
const RARE: Duration = Duration::from_secs(30);

/// The progress of several runs, a line each on a terminal; nothing elsewhere.
#[derive(Debug)]
pub struct ProgressBoard {
    ui: Ui,
    lines: Option<MultiProgress>,
}

impl ProgressBoard {
    /// A board without lines.
    pub fn new(ui: Ui) -> Self {
        let target = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { ui, lines: ui.is_interactive().then(target) }
    }

    /// Whether anybody sees it.
    pub fn is_shown(&self) -> bool {
        self.lines.is_some()
    }

    /// Adds a line for something that has gone on for so long.
    pub fn add(&self, name: &str, elapsed: Duration) -> Progress {
        let spinner = self.lines.as_ref().map(|lines| {
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            dressed(lines.add(spinner.with_elapsed(elapsed)), name)
        });
        Progress::with_spinner(self.ui, name, spinner)
    }

    /// Prints a line above the others.
    pub fn note(&self, text: &str) {
        match &self.lines {
            Some(lines) => lines.suspend(|| self.ui.note(text)),
            None => self.ui.note(text),
        }
    }
}

fn dressed(spinner: ProgressBar, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}");
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.set_prefix(name.to_owned());
    spinner
}

/// One run's progress.
#[derive(Debug)]
pub struct Progress {
    ui: Ui,
    name: String,
    started: Instant,
    spinner: Option<ProgressBar>,
    last_line: Instant,
    doing: String,
}

impl Progress {
    /// Starts showing the progress of `name`.
    pub fn start(ui: Ui, name: &str) -> Self {
        let spinner = ui
            .is_interactive()
            .then(|| dressed(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()), name));
        Self::with_spinner(ui, name, spinner)
    }

    fn with_spinner(ui: Ui, name: &str, spinner: Option<ProgressBar>) -> Self {
        let started = Instant::now();
        Self { ui, name: name.to_owned(), started, spinner, last_line: started, doing: String::new() }
    }

    /// Notes what the agent does now.
    pub fn doing(&mut self, what: String) {
        self.doing = what;
        if let Some(spinner) = &self.spinner {
            spinner.set_message(self.doing.clone());
        }
    }

    /// Called every so often: keeps the spinner turning and prints the rare lines.
    pub fn tick(&mut self) {
        if let Some(spinner) = &self.spinner {
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
