//! The patterns that name tools, such as `Bash(git *)`, as Claude Code takes them apart.
//!
//! It splits a value at the commas and spaces outside of parentheses, where parentheses do not nest, and takes what it
//! cannot read for the name of a tool. A tool of such a name does not exist, so a pattern that was to refuse something
//! refuses nothing, without a word. Here such a pattern is an error.

use super::values::{InvalidFlagValue, flag_value, shown};

/// Why a text names no tools.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTool {
    /// It cannot stand beside an option.
    #[error(transparent)]
    Flag(#[from] InvalidFlagValue),
    /// A parenthesis is open at the end.
    #[error("'{0}' is not the pattern of a tool: its parenthesis is not closed, as in Bash(rm *)")]
    NotClosed(String),
    /// A parenthesis is closed that was not opened, or something follows the last one.
    #[error(
        "'{0}' is not the pattern of a tool: it must end with the parenthesis that it opened, as in Bash(rm *)"
    )]
    NotAtTheEnd(String),
    /// There is no name, or nothing in the parentheses.
    #[error("'{0}' is not the pattern of a tool: write Bash, or Bash(rm *)")]
    Nothing(String),
}

/// Checks what a list of tools has as one item, and returns it. Fits as a clap value parser.
pub fn tool_pattern(text: &str) -> Result<String, InvalidTool> {
    let text = flag_value(text)?;
    for piece in pieces(&text)? {
        check(piece)?;
    }
    Ok(text)
}

/// What Claude Code takes for one pattern each.
fn pieces(text: &str) -> Result<Vec<&str>, InvalidTool> {
    let mut is_inside = false;
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => is_inside = true,
            ')' => is_inside = false,
            ',' | ' ' if !is_inside => {
                pieces.push(&text[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    if is_inside {
        return Err(InvalidTool::NotClosed(shown(text)));
    }
    pieces.push(&text[start..]);
    pieces.retain(|piece| !piece.trim().is_empty());
    Ok(pieces)
}

fn check(piece: &str) -> Result<(), InvalidTool> {
    let Some((name, rest)) = piece.split_once('(') else {
        return if piece.contains(')') { Err(InvalidTool::NotAtTheEnd(shown(piece))) } else { Ok(()) };
    };
    match rest.strip_suffix(')') {
        None => Err(InvalidTool::NotAtTheEnd(shown(piece))),
        // A backslash before it makes it a part of the pattern.
        Some(inside) if inside.ends_with('\\') => Err(InvalidTool::NotClosed(shown(piece))),
        Some(inside) if name.trim().is_empty() || inside.trim().is_empty() => {
            Err(InvalidTool::Nothing(shown(piece)))
        }
        Some(_) if name.contains(')') => Err(InvalidTool::NotAtTheEnd(shown(piece))),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_claude_code_understands_is_taken() {
        for good in [
            "Bash",
            "Bash(rm *)",
            "Bash(git:*)",
            "Bash(git add, git rm)",
            "Read, Edit",
            "Bash(git *) Edit",
            "Edit(src/**),Read",
            "mcp__github__*",
            "mcp__x__y-z",
            "WebFetch(domain:example.org)",
            "Bash(python -c \"print(1)\")",
            "*",
        ] {
            assert_eq!(tool_pattern(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn what_would_be_taken_for_the_name_of_a_tool_is_refused() {
        for bad in [
            "Bash(rm *",
            "Bash(",
            "Bash rm *)",
            "Bash)",
            "Bash()",
            "Bash( )",
            "(rm *)",
            "Bash(rm *)x",
            "Bash(rm *) )",
            // The space after the first closing parenthesis splits it.
            "Bash(f(a) b)",
            "Bash(rm \\)",
            "Read,Bash(rm *",
            "Bash(rm *),Edit(",
            "-x",
            "",
            "Bash(a\nb)",
        ] {
            assert!(tool_pattern(bad).is_err(), "{bad:?} was taken");
        }
        let message = tool_pattern("Bash(rm *").unwrap_err().to_string();
        assert!(message.contains("'Bash(rm *'") && message.contains("not closed"), "{message}");
    }
}
