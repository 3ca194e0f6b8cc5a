//! Setting texts of others apart in a prompt.

/// The text as a block of its own between lines of backticks. There are more of them than anywhere in the text, so nothing
/// in it can end the block and go on as a heading of the prompt.
pub fn fenced(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}\n{text}{end}{fence}\n")
}

/// The text on one line: what would begin another becomes a space.
pub fn folded(text: &str) -> String {
    let ends = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.split(ends).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
