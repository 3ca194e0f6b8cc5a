//! Commands for a shell, in what people are told.

use std::borrow::Cow;

pub use crate::text::shell::{command, path, word};

/// How the commands of this tool begin in what is said about them.
const PROGRAM: &str = "agent-dispatch ";

/// The text with these options in each command of this tool, so that it is about the same config and jobs when it is
/// typed. A command is what begins the text, or comes after a backtick, a colon or another command: the rest is prose.
pub fn with_options<'a>(text: &'a str, options: &str) -> Cow<'a, str> {
    if options.is_empty() || !text.contains(PROGRAM) {
        return Cow::Borrowed(text);
    }
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(PROGRAM) {
        let (before, found) = rest.split_at(at);
        told.push_str(before);
        let begins = told.is_empty() || ["`", ": ", "&& "].iter().any(|end| told.ends_with(end));
        rest = &found[PROGRAM.len()..];
        told.push_str(PROGRAM);
        if begins && rest.starts_with(|c: char| c.is_ascii_lowercase()) {
            told.push_str(options);
            told.push(' ');
        }
    }
    told.push_str(rest);
    Cow::Owned(told)
}

#[cfg(test)]
mod tests;
