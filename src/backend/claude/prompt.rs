//! The prompt, on its way to claude's standard input.

use crate::text::is_hidden;

/// What goes before a prompt that claude would take for a command.
const HEADING: &str = "Task:\n\n";

/// The prompt so that claude reads it as one.
///
/// `claude -p` takes a prompt that begins with `/` for a slash command: `/fix the bug` used to end with exit 0,
/// "Unknown command" and no work done, and `/clear` or `/compact` really do something. Any text before it
/// prevents that, so such a prompt gets a heading. White space and what cannot be seen are looked through, because
/// a version that trims its input first would see the slash (2.1.332 does not: any character before it prevents it). A leading `!` or `#` has no meaning under `-p` (2.1.330).
///
/// `@path` mentions cannot be disarmed without altering the text: claude replaces them, anywhere in a prompt, by
/// the file's content, outside the agent's directory too and without asking for permission. A prompt is as
/// powerful as a permission to read.
pub(super) fn safe_prompt(prompt: &str) -> String {
    let start = prompt.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_hidden(c));
    if start.starts_with('/') { format!("{HEADING}{prompt}") } else { prompt.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_never_begins_with_a_slash() {
        for prompt in [
            "/fix the bug",
            "/",
            " /clear",
            "\n\t/clear",
            "\u{feff}/clear",
            "\u{a0}/x",
            "\0/x",
            "\u{200b}/x",
            "\u{2060}\u{ad} /x",
            "\u{202e}/x",
            "\u{3164}/x",
            "\u{e0020}/x",
            "\u{fe0f}/x",
        ] {
            let safe = safe_prompt(prompt);
            assert!(safe.starts_with("Task:"), "{safe:?}");
            assert!(safe.ends_with(prompt), "{safe:?} altered the prompt");
        }
    }

    #[test]
    fn any_other_prompt_stays_as_it_is() {
        for prompt in ["", "fix /this", "# Task", "!important", "@README.md", "-p", "über /"] {
            assert_eq!(safe_prompt(prompt), prompt);
        }
    }
}
