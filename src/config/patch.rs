//! Changing a YAML text while keeping its comments, its order and unknown keys.
//!
//! No lossless editor is right for every text, so none is trusted: whatever comes out is read again, and
//! counts only if it means exactly what the old text meant with the one change made. A text for which
//! that cannot be had is left to its owner.

use std::str::FromStr as _;

use yaml_edit::{Document, Mapping, YamlFile};

use super::emit::{block, write_fields};
use super::syntax::{self, Entry, Kind, Node, Position};

/// One change: to the entry `name` of the top-level mapping `section`.
#[derive(Debug)]
pub(super) struct Patch<'p> {
    pub(super) section: &'static str,
    pub(super) name: &'p str,
    pub(super) change: Change,
}

/// What happens to an entry.
#[derive(Debug)]
pub(super) enum Change {
    /// It is put at the end of its section, with these fields.
    Add(Vec<(&'static str, Node<'static>)>),
    /// These of its fields get a value, or lose theirs.
    Update(Vec<(&'static str, Option<Node<'static>>)>),
    /// It goes.
    Remove,
}

/// A way to make a change: what comes out is checked, so it may be wrong.
type Attempt = fn(&str, &Node<'_>, &Patch<'_>) -> Option<String>;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// `text`, whose tree is `root`, with `patch` applied; `None` if that cannot be done without changing
/// anything else.
pub(super) fn apply(text: &str, root: &Node<'_>, patch: &Patch<'_>) -> Option<String> {
    let intended = intended(root, patch)?;
    let mark = text.starts_with(BYTE_ORDER_MARK);
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let attempts: [Attempt; 2] = [by_lines, with_editor];
    attempts.iter().find_map(|attempt| {
        let new = attempt(text, root, patch)?;
        let kept = !matches!(patch.change, Change::Add(_)) || all_lines_but_one_kept(text, &new);
        if !kept || syntax::parse(&new).ok()? != intended {
            return None;
        }
        Some(if mark { format!("{BYTE_ORDER_MARK}{new}") } else { new })
    })
}

/// What the new text must mean.
fn intended<'a>(root: &Node<'a>, patch: &Patch<'_>) -> Option<Node<'a>> {
    let entry = |key: &str, value| Entry {
        key: key.to_owned().into(),
        at: Position::default(),
        value,
        merged: false,
    };
    let mut top = root.entries()?.to_vec();
    let index = top.iter().position(|entry| entry.key == patch.section).unwrap_or_else(|| {
        top.push(entry(patch.section, Node::plain("")));
        top.len() - 1
    });
    let mut named = top[index].value.entries()?.to_vec();
    let present = named.iter().position(|entry| entry.key == patch.name);
    match (&patch.change, present) {
        (Change::Add(fields), None) => {
            let fields = fields.iter().map(|(key, value)| entry(key, value.clone())).collect();
            named.push(entry(patch.name, Node::new(Kind::Mapping(fields))));
        }
        (Change::Update(fields), Some(at)) => {
            let mut old = named[at].value.entries()?.to_vec();
            for (key, value) in fields {
                let merged = old.iter().any(|entry| entry.key == *key && entry.merged);
                // What a merge key brings in cannot be removed here, only overruled.
                let value = value.clone().or_else(|| merged.then(|| Node::plain("null")));
                match (old.iter_mut().find(|entry| entry.key == *key), value) {
                    (Some(entry), Some(value)) => entry.value = value,
                    (None, Some(value)) => old.push(entry(key, value)),
                    (_, None) => old.retain(|entry| entry.key != *key),
                }
            }
            named[at].value.kind = Kind::Mapping(old);
        }
        (Change::Remove, Some(at)) => {
            named.remove(at);
        }
        _ => return None,
    }
    top[index].value.kind = Kind::Mapping(named);
    Some(Node::new(Kind::Mapping(top)))
}

/// Adds an entry as lines of its own, which editors do in their own style: in braces where a section was
/// empty, and before the comments at its end.
fn by_lines(text: &str, root: &Node<'_>, patch: &Patch<'_>) -> Option<String> {
    let Change::Add(fields) = &patch.change else { return None };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let entry = |indent, step| block(patch.name, fields, indent, step).replace('\n', line_end);
    let Some(section) = root.entries()?.iter().find(|entry| entry.key == patch.section) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
        return Some(format!("{text}{gap}{}:{line_end}{}", patch.section, entry(2, 2)));
    };
    if let Some(first) = section.value.entries()?.first() {
        let (outer, inner) = (section.at.column.checked_sub(1)?, first.at.column.checked_sub(1)?);
        let step = inner.checked_sub(outer).filter(|step| *step > 0)?;
        let end = end_of_section(text, root, section)?;
        let gap = if text[..end].ends_with('\n') { "" } else { line_end };
        let entry = entry(inner as usize, step as usize);
        return Some(format!("{}{gap}{entry}{}", &text[..end], &text[end..]));
    }
    let number = section.value.at.line.checked_sub(1)? as usize;
    let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
    let line = text[start..].split_inclusive('\n').next().unwrap_or_default();
    let (before, after) = {
        let column = section.value.at.column.checked_sub(1)? as usize;
        let split = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        line.split_at(split)
    };
    let after = ["{}", "null", "~"].iter().find_map(|empty| after.strip_prefix(empty)).unwrap_or(after);
    let kept = format!("{}{after}", before.trim_end());
    let kept = kept.trim_end();
    let rest = &text[start + line.len()..];
    let gap = if kept.is_empty() { "" } else { line_end };
    Some(format!("{}{kept}{gap}{}{rest}", &text[..start], entry(2, 2)))
}

/// The byte after the last line of a section in block style. Comments at its end that are indented like
/// its entries belong to it, others to what follows.
fn end_of_section(text: &str, root: &Node<'_>, section: &Entry<'_>) -> Option<usize> {
    let next = root.entries()?.iter().map(|entry| entry.at.line).filter(|line| *line > section.at.line).min();
    let count = next.map_or(usize::MAX, |line| line as usize - 1);
    let mut end = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n').take(count) {
        start += line.len();
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let foreign = content.starts_with('#') && indent < section.at.column as usize;
        if !content.is_empty() && !foreign {
            end = start;
        }
    }
    Some(end)
}

/// Leaves the change to the editor.
fn with_editor(text: &str, root: &Node<'_>, patch: &Patch<'_>) -> Option<String> {
    let file = YamlFile::from_str(text).ok()?;
    let document = file.document()?;
    let top = document.as_mapping()?;
    match &patch.change {
        Change::Add(fields) => {
            let fragment = fragment(fields)?;
            match top.get_mapping(patch.section) {
                Some(section) => section.set(patch.name, fragment),
                None => top.set(patch.section, single(patch.name, fields)?),
            }
        }
        Change::Update(fields) => {
            let entry = top.get_mapping(patch.section)?.get_mapping(patch.name)?;
            for (key, value) in fields {
                let merged = || {
                    let old = root.get(patch.section)?.get(patch.name)?.entries()?;
                    Some(old.iter().any(|entry| entry.key == *key && entry.merged))
                };
                match value {
                    Some(value) => entry.set(*key, fragment(&[(*key, value.clone())])?.get(*key)?),
                    None if merged()? => {
                        let null = fragment(&[(*key, Node::plain("null"))])?;
                        entry.set(*key, null.get(*key)?);
                    }
                    None => {
                        entry.remove(*key);
                    }
                }
            }
        }
        Change::Remove => {
            top.get_mapping(patch.section)?.remove(patch.name)?;
        }
    }
    Some(file.to_string())
}

/// Whether an addition left every line of `old` in place, except for at most one.
fn all_lines_but_one_kept(old: &str, new: &str) -> bool {
    let mut new = new.lines().map(str::trim_end).peekable();
    let mut missing = 0;
    for line in old.lines().map(str::trim_end) {
        let mut rest = new.clone();
        if rest.any(|candidate| candidate == line) {
            new = rest;
        } else {
            missing += 1;
        }
    }
    missing <= 1
}

fn fragment(fields: &[(&'static str, Node<'static>)]) -> Option<Mapping> {
    let mut text = String::new();
    write_fields(&mut text, fields, 0);
    Document::from_str(&text).ok()?.as_mapping()
}

fn single(name: &str, fields: &[(&'static str, Node<'static>)]) -> Option<Mapping> {
    Document::from_str(&block(name, fields, 0, 2)).ok()?.as_mapping()
}

#[cfg(test)]
mod tests;
