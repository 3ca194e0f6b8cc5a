//! What the parser of the command line has to say: help, or what is wrong with it.

use std::io::Write;

use super::{Ui, say, standard_output};
use crate::text;

impl Ui {
    /// Says it, where the parser wants it said. It repeats words that were typed.
    pub fn usage(self, error: &clap::Error) {
        let styled = error.render();
        let (is_err, colored) = match error.use_stderr() {
            true => (true, self.color_err),
            false => (false, self.color_out),
        };
        let text = if colored {
            text::colored(&styled.ansi().to_string())
        } else {
            text::plain(&styled.to_string())
        };
        if is_err {
            say(text::redact(text.trim_end()));
        } else {
            // A reader that went away is no reason to fail.
            let _ = standard_output().write_all(text.as_bytes());
        }
    }
}
