//! Writing new values as YAML text.

use std::fmt::Write as _;

use super::syntax::{Kind, Node};

/// An entry and its fields as YAML text, indented by `indent` spaces and `step` more for the fields.
pub(super) fn block(
    name: &str,
    fields: &[(&'static str, Node<'static>)],
    indent: usize,
    step: usize,
) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{:indent$}{}:", "", scalar(name, false));
    write_fields(&mut text, fields, indent + step);
    text
}

pub(super) fn write_fields(text: &mut String, fields: &[(&'static str, Node<'static>)], indent: usize) {
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
