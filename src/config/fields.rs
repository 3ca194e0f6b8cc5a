//! Reading one value of a YAML tree, with complaints that name its key and place.

use std::fmt;
use std::str::FromStr;

use super::syntax::{Entry, Kind, Node, Position};
use crate::model::{flag_value, shown, tool_pattern};

/// A value that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) message: String,
}

/// The way to a value, written like `agents.infra.timeout`.
#[derive(Clone, Copy)]
pub(super) struct Key<'k> {
    parent: Option<&'k Key<'k>>,
    name: &'k str,
    index: Option<usize>,
}

impl<'k> Key<'k> {
    pub(super) const ROOT: Key<'static> = Key { parent: None, name: "", index: None };

    pub(super) fn at(&'k self, name: &'k str) -> Key<'k> {
        Key { parent: Some(self), name, index: None }
    }

    pub(super) fn item(&'k self, index: usize) -> Key<'k> {
        Key { parent: Some(self), name: "", index: Some(index) }
    }

    pub(super) fn problem(&self, node: &Node<'_>, message: impl Into<String>) -> Problem {
        self.problem_at(node.at, message)
    }

    pub(super) fn problem_at(&self, at: Position, message: impl Into<String>) -> Problem {
        Problem { at, key: self.to_string(), message: message.into() }
    }

    pub(super) fn expected(&self, what: &str, node: &Node<'_>) -> Problem {
        let found = match &node.kind {
            Kind::Scalar { text, .. } if !node.is_null() => format!("'{}'", shown(text)),
            Kind::Scalar { text, .. } if text == "~" => {
                "null, which is what YAML takes a lone ~ for: quote it".to_owned()
            }
            _ => node.called().to_owned(),
        };
        self.problem(node, format!("expected {what}, found {found}"))
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if let Some(index) = self.index {
                return write!(f, "[{index}]");
            }
            if parent.parent.is_some() {
                f.write_str(".")?;
            }
        }
        f.write_str(self.name)
    }
}

/// A value, or why it cannot be used.
pub(super) type Decoded<T> = Result<T, Problem>;

pub(super) fn mapping<'n, 'a>(node: &'n Node<'a>, key: &Key<'_>, what: &str) -> Decoded<&'n [Entry<'a>]> {
    node.entries().ok_or_else(|| key.expected(what, node))
}

pub(super) fn list<'n, 'a>(node: &'n Node<'a>, key: &Key<'_>) -> Decoded<&'n [Node<'a>]> {
    match &node.kind {
        Kind::Sequence(items) => Ok(items),
        _ => Err(key.expected("a list such as [a, b]", node)),
    }
}

pub(super) fn text<'n>(node: &'n Node<'_>, key: &Key<'_>) -> Decoded<&'n str> {
    match &node.kind {
        Kind::Scalar { text, .. } if !node.is_null() => Ok(text),
        _ => Err(key.expected("a text", node)),
    }
}

pub(super) fn string(node: &Node<'_>, key: &Key<'_>) -> Decoded<String> {
    text(node, key).map(str::to_owned)
}

pub(super) fn strings(node: &Node<'_>, key: &Key<'_>) -> Decoded<Vec<String>> {
    list(node, key)?.iter().enumerate().map(|(index, item)| string(item, &key.item(index))).collect()
}

pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(node: &Node<'_>, key: &Key<'_>) -> Decoded<T> {
    text(node, key)?.parse().map_err(|error: T::Err| key.problem(node, error.to_string()))
}

pub(super) fn flag(node: &Node<'_>, key: &Key<'_>) -> Decoded<String> {
    flag_value(text(node, key)?).map_err(|error| key.problem(node, error.to_string()))
}

pub(super) fn tools(node: &Node<'_>, key: &Key<'_>) -> Decoded<Vec<String>> {
    let tool = |(index, item): (usize, &Node<'_>)| {
        let key = key.item(index);
        tool_pattern(text(item, &key)?).map_err(|error| key.problem(item, error.to_string()))
    };
    list(node, key)?.iter().enumerate().map(tool).collect()
}

/// YAML 1.1's booleans, which the Python original reads.
pub(super) fn boolean(node: &Node<'_>, key: &Key<'_>) -> Decoded<bool> {
    if let Kind::Scalar { text, plain: true } = &node.kind {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => return Ok(true),
            "false" | "no" | "off" => return Ok(false),
            _ => {}
        }
    }
    Err(key.expected("true or false", node))
}

pub(super) fn at_least(least: u32, node: &Node<'_>, key: &Key<'_>) -> Decoded<u32> {
    let number = text(node, key).ok().and_then(|text| text.parse().ok()).filter(|n| *n >= least);
    number.ok_or_else(|| key.expected(&format!("a whole number, {least} or more"), node))
}

/// A null is as good as no key: the Python original writes `model: null`.
pub(super) fn optional<T>(
    node: &Node<'_>,
    key: &Key<'_>,
    decode: impl Fn(&Node<'_>, &Key<'_>) -> Decoded<T>,
) -> Decoded<Option<T>> {
    if node.is_null() { Ok(None) } else { decode(node, key).map(Some) }
}

pub(super) fn or_default<T: Default>(
    node: &Node<'_>,
    key: &Key<'_>,
    decode: impl Fn(&Node<'_>, &Key<'_>) -> Decoded<T>,
) -> Decoded<T> {
    optional(node, key, decode).map(Option::unwrap_or_default)
}
