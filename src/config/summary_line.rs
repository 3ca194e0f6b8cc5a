//! The one line of a project's prose that says what it is.

use crate::text;

/// How long such a line may be, in characters.
pub(super) const LINE_CHARS: usize = 300;

/// How the text begins that Claude Code puts into every `CLAUDE.md`: it says nothing about the project.
const BOILERPLATE: &str = "This file provides guidance to Claude Code";

/// The first paragraph of a Markdown text that says something; failing that, its first heading.
pub(super) fn first_paragraph(text: &str) -> Option<String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().peekable();
    // Front matter, which is for programs.
    if lines.peek().is_some_and(|line| line.trim_end() == "---") {
        lines.next();
        lines.by_ref().find(|line| line.trim_end() == "---");
    }
    let (mut heading, mut paragraph) = (None, String::new());
    let (mut fenced, mut commented) = (false, false);
    for line in lines.map(str::trim) {
        let fence = line.starts_with("```") || line.starts_with("~~~");
        fenced ^= fence;
        commented |= line.starts_with("<!--");
        let decoration = fence || fenced || commented || is_decoration(line);
        commented &= !line.contains("-->");

        let title = line.strip_prefix('#').filter(|_| !decoration);
        if title.is_none() && !decoration && !line.is_empty() {
            paragraph.push_str(line);
            paragraph.push(' ');
            continue;
        }
        if let Some(found) = said(&paragraph) {
            return Some(found);
        }
        paragraph.clear();
        let title = title.and_then(|title| one_line(title.trim_start_matches('#')));
        heading = heading.or_else(|| title.filter(|title| title != "CLAUDE.md"));
    }
    said(&paragraph).or(heading)
}

/// What a paragraph says about the project, if anything.
fn said(paragraph: &str) -> Option<String> {
    one_line(paragraph).filter(|line| !line.starts_with(BOILERPLATE))
}

/// Whether a line of Markdown only looks nice: a badge, an image, HTML, a rule, an underline.
fn is_decoration(line: &str) -> bool {
    let rule = !line.is_empty() && line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | ' '));
    rule || line.starts_with("[![") || line.starts_with("![") || line.starts_with('<')
}

/// `text` as one line without control and invisible characters, cut to the length of a description; `None` if nothing is
/// left.
pub(super) fn one_line(text: &str) -> Option<String> {
    let line = text::one_line(text, usize::MAX);
    if line.chars().count() <= LINE_CHARS {
        return (!line.is_empty()).then_some(line);
    }
    let cut: String = line.chars().take(LINE_CHARS - 1).collect();
    // At the end of a word, unless that is far away.
    let end = cut.rfind(' ').filter(|end| *end > cut.len() / 2).unwrap_or(cut.len());
    Some(format!("{}…", &cut[..end]))
}
