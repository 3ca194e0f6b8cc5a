//! A real terminal: a shell in tmux, whose keyboard and screen the test has.

use std::path::{Path, PathBuf};

use super::{PATIENCE, TestEnvironment, programs, skip::skip, wait_until};

/// A terminal with a shell in it, in the environment of a test. It is gone when this is dropped.
pub struct Terminal<'a> {
    environment: &'a TestEnvironment,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    /// A terminal of this size. Where there is no tmux, the test says so and ends; on a CI it fails.
    pub fn open(environment: &'a TestEnvironment, columns: u16, rows: u16) -> Option<Self> {
        if !Path::new("/usr/bin/tmux").exists() {
            skip("there is no tmux: install it to test what a terminal shows");
            return None;
        }
        environment.link("agent-dispatch", programs::agent_dispatch());
        let terminal = Self { environment, socket: environment.root().join("tmux") };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &rows,
            "env PS1='$ ' sh",
        ]);
        terminal.wait("a prompt", |screen| screen == "$");
        Some(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let tmux =
            self.environment.program("/usr/bin/tmux".as_ref(), ["-S"]).arg(&self.socket).args(arguments);
        tmux.env("TERM", "screen-256color").run().expect_code(0).stdout
    }

    /// Types a line and Enter.
    pub fn enter(&self, line: &str) -> &Self {
        self.type_in(line).press("Enter")
    }

    /// Types what is no whole line yet.
    pub fn type_in(&self, text: &str) -> &Self {
        self.tmux(&["send-keys", "-l", text]);
        self
    }

    /// Presses a key, by the name tmux has for it: `q`, `C-c`.
    pub fn press(&self, key: &str) -> &Self {
        self.tmux(&["send-keys", key]);
        self
    }

    pub fn resize(&self, columns: u16, rows: u16) -> &Self {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        self
    }

    /// What is on the screen, without the empty lines at its end.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).trim_end().to_owned()
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> &Self {
        self.wait(&format!("{text:?} on the screen"), |screen| screen.contains(text))
    }

    /// Waits until what the screen shows satisfies the condition.
    #[track_caller]
    pub fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) -> &Self {
        let mut shown = String::new();
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(PATIENCE / 4, what, || {
                shown = self.screen();
                condition(&shown)
            });
        }));
        assert!(waited.is_ok(), "waited in vain: {what}; the screen shows\n{shown}");
        self
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let kill = self.environment.program("/usr/bin/tmux".as_ref(), ["-S"]).arg(&self.socket);
        kill.arg("kill-server").run();
    }
}
