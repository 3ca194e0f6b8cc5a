//! What an agent says about its own work.

use crate::store::Outcome;

/// How much of the end of a long answer is looked at for the agent's verdict, in bytes.
pub(super) const STATUS_WINDOW: u64 = 4 * 1024;

/// The verdict in the last line of an answer: `STATUS: done`, `partial` or `blocked`.
///
/// The dispatch protocol asks for that line. Models dress it up (`**Status:** Done. All tests pass.`), so case,
/// Markdown and a reason after it do not matter, nor does a line below it that has no letter or digit in it, such
/// as the end of a code block.
pub(super) fn outcome(answer: &str) -> Option<Outcome> {
    let line = answer.rsplit('\n').find(|line| line.chars().any(char::is_alphanumeric))?;
    let is_dress = |c: char| c.is_whitespace() || "*_`~#>-•\"'[(".contains(c);
    let line = line.trim_start_matches(is_dress);
    let (word, rest) = leading_word(line);
    if !word.eq_ignore_ascii_case("status") {
        return None;
    }
    let rest = rest.trim_start_matches(is_dress).strip_prefix([':', '='])?;
    let (word, rest) = leading_word(rest.trim_start_matches(is_dress));
    if rest.starts_with(['|', '/']) {
        return None; // The protocol's own line, echoed: `STATUS: done|partial|blocked`.
    }
    [("done", Outcome::Done), ("partial", Outcome::Partial), ("blocked", Outcome::Blocked)]
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, outcome)| outcome)
}

fn leading_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_tells_the_outcome_however_it_is_dressed() {
        for (answer, expected) in [
            ("Fixed.\n\nSTATUS: done", Outcome::Done),
            ("status: Partial", Outcome::Partial),
            ("x\r\nSTATUS: blocked\r\n\r\n", Outcome::Blocked),
            ("**STATUS: done**", Outcome::Done),
            ("**Status:** Done. All tests pass.", Outcome::Done),
            ("> `STATUS: partial` — two of three", Outcome::Partial),
            ("- STATUS: blocked (no network)", Outcome::Blocked),
            ("```\nSTATUS: done\n```", Outcome::Done),
            ("STATUS:done", Outcome::Done),
            ("## STATUS : **blocked**", Outcome::Blocked),
        ] {
            assert_eq!(outcome(answer), Some(expected), "{answer:?}");
        }
    }

    #[test]
    fn anything_else_is_no_verdict() {
        for answer in [
            "",
            "\n \n",
            "done",
            "STATUS: done\nOne more thing.",
            "STATUS: finished",
            "STATUS: doneish",
            "STATUS",
            "STATUS: ",
            "The status: done",
            "STATUS: done|partial|blocked",
        ] {
            assert_eq!(outcome(answer), None, "{answer:?}");
        }
    }
}
