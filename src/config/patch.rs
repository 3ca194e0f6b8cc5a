//! Changing a YAML text while keeping its comments, its order and what nobody here knows.
//!
//! No lossless editor is right for every text, so none is trusted: whatever comes out is read again, and
//! counts only if it means exactly what the old text meant with the one change made. A text for which
//! that cannot be had is left to its owner.

use std::fmt::Write as _;
use std::str::FromStr as _;

use yaml_edit::{Document, Mapping, YamlFile};

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

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// `text`, whose tree is `root`, with `patch` applied; `None` if that cannot be done without changing
/// anything else.
pub(super) fn apply(text: &str, root: &Node<'_>, patch: &Patch<'_>) -> Option<String> {
    let intended = intended(root, patch)?;
    let mark = text.starts_with(BYTE_ORDER_MARK);
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let attempts: [fn(&str, &Node<'_>, &Patch<'_>) -> Option<String>; 2] = [into_empty_section, with_editor];
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

/// Adds the first entry of a section that is missing, null or `{}`, where editors fall back to braces.
fn into_empty_section(text: &str, root: &Node<'_>, patch: &Patch<'_>) -> Option<String> {
    let Change::Add(fields) = &patch.change else { return None };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let block = block(&[(patch.name, fields)], 2).replace('\n', line_end);
    let Some(section) = root.entries()?.iter().find(|entry| entry.key == patch.section) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
        return Some(format!("{text}{gap}{}:{line_end}{block}", patch.section));
    };
    if !section.value.entries()?.is_empty() {
        return None;
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
    Some(format!("{}{kept}{line_end}{block}{rest}", &text[..start]))
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
    Document::from_str(&block(&[(name, fields)], 0)).ok()?.as_mapping()
}

/// Entries as YAML text, indented by `indent` spaces.
fn block(entries: &[(&str, &[(&'static str, Node<'static>)])], indent: usize) -> String {
    let mut text = String::new();
    for (name, fields) in entries {
        let _ = writeln!(text, "{:indent$}{}:", "", scalar(name, false));
        write_fields(&mut text, fields, indent + 2);
    }
    text
}

fn write_fields(text: &mut String, fields: &[(&'static str, Node<'static>)], indent: usize) {
    for (key, value) in fields {
        let _ = write!(text, "{:indent$}{key}:", "");
        write_value(text, value, indent);
    }
}

/// Writes what follows a key at `indent`, beginning on the key's line.
fn write_value(text: &mut String, node: &Node<'_>, indent: usize) {
    match &node.kind {
        Kind::Scalar { text: value, plain } => {
            let _ = writeln!(text, " {}", scalar(value, *plain));
        }
        Kind::Sequence(items) if items.is_empty() => text.push_str(" []\n"),
        Kind::Mapping(entries) if entries.is_empty() => text.push_str(" {}\n"),
        Kind::Sequence(items) => {
            text.push('\n');
            for item in items {
                let _ = write!(text, "{:indent$}  -", "");
                match &item.kind {
                    Kind::Mapping(entries) => {
                        // The first key stands beside the dash, the others below it.
                        for (index, entry) in entries.iter().enumerate() {
                            let margin = if index == 0 { 1 } else { indent + 4 };
                            let _ = write!(text, "{:margin$}{}:", "", scalar(&entry.key, false));
                            write_value(text, &entry.value, indent + 4);
                        }
                    }
                    _ => write_value(text, item, indent + 2),
                }
            }
        }
        Kind::Mapping(entries) => {
            text.push('\n');
            for entry in entries {
                let _ = write!(text, "{:indent$}  {}:", "", scalar(&entry.key, false));
                write_value(text, &entry.value, indent + 2);
            }
        }
    }
}

/// A scalar as YAML text: quoted unless every YAML reader takes it for the same text.
fn scalar(text: &str, plain: bool) -> String {
    let word =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '(' | ')' | '+' | '@' | '-');
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(word)
        && text.trim_end() == text
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    let printable = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    if plain || safe {
        text.to_owned()
    } else if text.chars().all(printable) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                c if printable(c) => quoted.push(c),
                // None of these is beyond the basic plane.
                c => {
                    let _ = write!(quoted, "\\u{:04X}", u32::from(c));
                }
            }
        }
        quoted.push('"');
        quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added() -> Change {
        let tools = vec![Node::text("Read"), Node::text("Bash(git:*)")];
        Change::Add(vec![
            ("directory", Node::text("/srv/new")),
            ("description", Node::text("yes: # hm, 'quoted'")),
            ("timeout", Node::plain("90")),
            ("allowed_tools", Node::new(Kind::Sequence(tools))),
            ("disallowed_tools", Node::new(Kind::Sequence(Vec::new()))),
        ])
    }

    fn patch(text: &str, name: &str, change: Change) -> Option<String> {
        let root = syntax::parse(text).unwrap();
        apply(text, &root, &Patch { section: "agents", name, change })
    }

    /// Adds, then updates, then removes an agent; fails if any step is refused.
    fn round_trip(text: &str) -> [String; 3] {
        let first = patch(text, "new", added()).unwrap_or_else(|| panic!("add refused: {text:?}"));
        let update = Change::Update(vec![
            ("description", Some(Node::text("changed"))),
            ("timeout", None),
            ("model", Some(Node::text("opus"))),
            ("allowed_tools", Some(Node::new(Kind::Sequence(Vec::new())))),
        ]);
        let second = patch(&first, "new", update).unwrap_or_else(|| panic!("update refused: {first:?}"));
        let third =
            patch(&second, "new", Change::Remove).unwrap_or_else(|| panic!("remove refused: {second:?}"));
        [first, second, third]
    }

    const COMMENTED: &str = "# head
agents:
  # first
  a:
    directory: /x  # here
    model: null
    # why
    zzz: 1

  # second
  'b':
    directory: /y

# settings below
settings:
  max_concurrency: 3
";

    #[test]
    fn every_shape_of_file_can_be_edited() {
        for text in [
            "",
            "\n",
            "# mine\n# two\n",
            "---\n",
            "agents:\n",
            "agents:",
            "agents:   # all of them\n# tail\n",
            "agents: null\nsettings: {}\n",
            "agents: ~\n",
            "agents: {}\n",
            "agents: {}   # none\nsettings:\n  max_concurrency: 3\n",
            "agents: {a: {directory: /x, model: null}}\nsettings: {}\n",
            "{agents: {a: {directory: /x}}}\n",
            "settings:\n  max_concurrency: 3",
            "\"agents\":\n  \"a\": {directory: /x}\n",
            "agents:\n    a:\n        directory: /x\n        zzz: [1, 2]\n\nsettings:\n    max_concurrency: 3\n",
            "agents:\r\n  a:\r\n    directory: /x\r\nsettings:\r\n  max_concurrency: 3\r\n",
            "\u{feff}agents:\r\n",
            "\u{feff}# c\nagents:\n  a:\n    directory: /x\n",
            "x-base: &b\n  model: m\nagents:\n  a: &a\n    <<: *b\n    directory: /x\n  c: *a\n",
            "agents:\n  a:\n    directory: /x\n    instructions: |\n      # not a comment\n      text\n\n      more\n",
            "# license\n---\nagents:\n  a:\n    directory: /x\n",
            "agents:\n  a:\n    directory: /x",
            COMMENTED,
        ] {
            let [first, second, third] = round_trip(text);
            let same = |c: char| text.starts_with(c) == first.starts_with(c);
            assert!(same('\u{feff}'), "{text:?} lost its mark");
            for new in [&first, &second, &third] {
                for line in text.lines().filter(|line| line.trim_start().starts_with('#')) {
                    assert!(new.contains(line), "{text:?} lost {line:?}: {new:?}");
                }
                let crlf = text.contains("\r\n");
                assert_eq!(new.contains("\r\n"), crlf, "{text:?}: {new:?}");
                assert!(!crlf || !new.replace("\r\n", "").contains('\n'), "{text:?}: {new:?}");
            }
        }
    }

    #[test]
    fn additions_go_to_the_end_of_the_section_in_block_style() {
        let new = patch(COMMENTED, "new", added()).unwrap();
        let block = "  new:
    directory: /srv/new
    description: 'yes: # hm, ''quoted'''
    timeout: 90
    allowed_tools:
      - Read
      - 'Bash(git:*)'
    disallowed_tools: []
";
        assert!(new.contains(block), "{new}");
        assert!(
            patch("agents: {} # none\n", "new", added()).unwrap().starts_with("agents: # none\n  new:\n")
        );
        assert_eq!(new.replace(block, ""), COMMENTED);
    }

    #[test]
    fn an_update_touches_nothing_else() {
        let change = Change::Update(vec![("model", Some(Node::text("opus")))]);
        let new = patch(COMMENTED, "a", change).unwrap();
        assert_eq!(new, COMMENTED.replace("model: null", "model: opus"));
        let change = Change::Update(vec![("model", None)]);
        let new = patch(COMMENTED, "a", change).unwrap();
        assert_eq!(new, COMMENTED.replace("    model: null\n", ""));
    }

    #[test]
    fn a_merged_field_is_overruled_instead_of_removed() {
        let text = "x-base: &b {model: m}\nagents:\n  a:\n    <<: *b\n    directory: /x\n";
        let new = patch(text, "a", Change::Update(vec![("model", None)])).unwrap();
        let root = syntax::parse(&new).unwrap();
        assert!(root.get("agents").unwrap().get("a").unwrap().get("model").unwrap().is_null(), "{new}");
        assert!(new.starts_with("x-base: &b {model: m}\n"), "{new}");
    }

    #[test]
    fn an_edit_that_would_reach_another_agent_is_refused() {
        let text = "agents:\n  a: &a\n    directory: /x\n  c: *a\n";
        for name in ["a", "c"] {
            let change = Change::Update(vec![("model", Some(Node::text("opus")))]);
            if let Some(new) = patch(text, name, change) {
                let root = syntax::parse(&new).unwrap();
                let other = if name == "a" { "c" } else { "a" };
                assert!(root.get("agents").unwrap().get(other).unwrap().get("model").is_none(), "{new}");
            }
        }
    }

    #[test]
    fn texts_of_any_kind_come_back_as_they_were() {
        for value in [
            "",
            " ",
            "yes",
            "null",
            "~",
            "1.5",
            "0x1f",
            "- a",
            "a: b",
            "a #b",
            "#",
            "'",
            "\"",
            "\\",
            "a\nb\n",
            "\t",
            "\u{1b}[1m",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "é, ü",
            "*a",
            "&a",
            "!x",
            "%",
            "@",
            "`",
            "[",
            "{",
            "a,b",
            "2026-01-01",
            "=",
            "<<",
            "trailing ",
            "---",
            "...",
            "🦀",
        ] {
            let change =
                Change::Add(vec![("directory", Node::text("/x")), ("description", Node::text(value))]);
            for text in [COMMENTED, "", "agents: {a: {directory: /x}}\n"] {
                let change = match &change {
                    Change::Add(fields) => Change::Add(fields.clone()),
                    _ => unreachable!(),
                };
                assert!(patch(text, "new", change).is_some(), "{value:?} into {text:?}");
            }
        }
    }
}
