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
mod tests {
    use super::*;

    #[test]
    fn commands_get_the_options_and_prose_does_not() {
        let told = |text: &str| with_options(text, "--config a.yaml").into_owned();
        assert_eq!(told("agent-dispatch agents list"), "agent-dispatch --config a.yaml agents list");
        assert_eq!(
            told("stop it: `agent-dispatch cancel 1`, or agent-dispatch goes on: agent-dispatch wait 1"),
            "stop it: `agent-dispatch --config a.yaml cancel 1`, or agent-dispatch goes on: \
         agent-dispatch --config a.yaml wait 1"
        );
        assert_eq!(
            told("claude x && agent-dispatch init"),
            "claude x && agent-dispatch --config a.yaml init"
        );
        for prose in ["run agent-dispatch outside the sandbox", "`agent-dispatch --jobs-dir j jobs`", ""] {
            assert_eq!(told(prose), prose);
        }
        assert_eq!(with_options("`agent-dispatch jobs`", ""), "`agent-dispatch jobs`");
    }
}
