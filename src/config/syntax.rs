//! A YAML text as a tree in which every node knows its line and column.
//!
//! Aliases and merge keys (`<<`) are resolved here, so the rest of the module never sees them. What an
//! alias stands for is copied; a budget on the copies stops a file that multiplies itself.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

/// How deep a config may nest: far deeper than any that makes sense, far from any stack's end.
const MAX_DEPTH: usize = 64;

/// The same for any other document, as a batch, which may hold a schema.
const MAX_DOCUMENT_DEPTH: usize = 110;

/// How many nodes aliases may stand for in all.
const MAX_COPIED_NODES: usize = 100_000;

/// Refuses a YAML text that nests so deep that its reader would need time quadratic in the depth. What else may be
/// wrong with it is left to its reader.
///
/// # Errors
///
/// Where it nests too deep.
pub fn check_depth(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        let too_deep = |at: Position| {
            let Position { line, column, .. } = at;
            Err(format!("line {line} column {column}: it nests more than {MAX_DOCUMENT_DEPTH} levels deep"))
        };
        let (event, span) = match event {
            Ok(event) => event,
            // The parser's own limit, which it meets before it gives the events of what it looks ahead at.
            Err(error) if error.info().contains("recursion limit") => return too_deep(error.marker().into()),
            Err(_) => return Ok(()),
        };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) if depth == MAX_DOCUMENT_DEPTH => {
                return too_deep(Position::from(&span.start));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// The tags that say no more than what a config's keys already imply, or (`str`) what quotes would.
const CORE_TAGS: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];

/// Where something is in a text. Both numbers count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl From<&Marker> for Position {
    fn from(marker: &Marker) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: number(marker.line()), column: number(marker.col() + 1) }
    }
}

/// A value in a YAML text.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) at: Position,
    pub(super) kind: Kind<'a>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind<'a> {
    /// Plain scalars may be null, a number or a boolean; quoted ones are texts.
    Scalar {
        text: Cow<'a, str>,
        plain: bool,
    },
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<Entry<'a>>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) at: Position,
    pub(super) value: Node<'a>,
    /// Whether it came out of a merge key instead of standing here.
    pub(super) merged: bool,
}

/// Why a text is no usable YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: Position,
    pub(super) message: String,
}

impl<'a> Node<'a> {
    pub(super) fn new(kind: Kind<'a>) -> Self {
        Self { at: Position::default(), kind }
    }

    /// A text, whatever it looks like.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Kind::Scalar { text: text.into(), plain: false })
    }

    /// A null, number or boolean.
    pub(super) fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Kind::Scalar { text: text.into(), plain: true })
    }

    /// A list without items.
    pub(super) fn empty_list() -> Self {
        Self::new(Kind::Sequence(Vec::new()))
    }

    /// Whether there is no value: a null, or nothing at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The entries of a mapping; of a null too, which has none.
    pub(super) fn entries(&self) -> Option<&[Entry<'a>]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            _ if self.is_null() => Some(&[]),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// What a person would call it.
    pub(super) fn called(&self) -> &'static str {
        match &self.kind {
            Kind::Mapping(_) => "a mapping",
            Kind::Sequence(_) => "a list",
            Kind::Scalar { .. } if self.is_null() => "null",
            Kind::Scalar { .. } => "a single value",
        }
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::Sequence(items) => items.iter().map(Node::size).sum(),
            Kind::Mapping(entries) => entries.iter().map(|entry| 1 + entry.value.size()).sum(),
        }
    }
}

/// Two nodes are equal when they mean the same: position, quoting and the order of keys do not count, and
/// a mapping without entries is as good as null.
impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Scalar { text: a, .. }, Kind::Scalar { text: b, .. }) => {
                match (self.is_null(), other.is_null()) {
                    (false, false) => a == b,
                    (a, b) => a == b,
                }
            }
            (Kind::Sequence(a), Kind::Sequence(b)) => a == b,
            (Kind::Mapping(a), Kind::Mapping(b)) => {
                // Nearly always in the same order, which spares the search.
                a.len() == b.len()
                    && a.iter().enumerate().all(|(i, entry)| {
                        let same = &b[i];
                        let found = if same.key == entry.key {
                            Some(same)
                        } else {
                            b.iter().find(|candidate| candidate.key == entry.key)
                        };
                        found.is_some_and(|found| found.value == entry.value)
                    })
            }
            (Kind::Mapping(entries), Kind::Scalar { .. }) => entries.is_empty() && other.is_null(),
            (Kind::Scalar { .. }, Kind::Mapping(entries)) => entries.is_empty() && self.is_null(),
            _ => false,
        }
    }
}

/// Reads `text` as one YAML document. A text without any content is a null.
pub(super) fn parse(text: &str) -> Result<Node<'_>, SyntaxError> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| SyntaxError { at: error.marker().into(), message: plain_words(error.info()) })?;
        composer.take(event, Position::from(&span.start))?;
    }
    Ok(composer.root.unwrap_or_else(|| Node::plain("")))
}

/// What the parser says, for those who do not know its vocabulary.
fn plain_words(message: &str) -> String {
    if message.split(|c: char| !c.is_alphabetic()).any(|word| matches!(word, "tab" | "tabs")) {
        return "a tab is used for indentation; YAML allows only spaces there".to_owned();
    }
    if message.contains("unknown anchor") {
        return "an alias (*name) refers to an anchor (&name) that does not come before it".to_owned();
    }
    if message.contains("mapping values are not allowed") {
        return "a ':' is not expected here; a value that contains ': ' needs quotes around it".to_owned();
    }
    format!("it is not valid YAML: {message}")
}

/// A sequence or mapping whose end has not come yet.
struct Open<'a> {
    at: Position,
    anchor: usize,
    kind: OpenKind<'a>,
}

enum OpenKind<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping {
        entries: Vec<Entry<'a>>,
        key: Option<(Cow<'a, str>, Position)>,
        seen: HashMap<Cow<'a, str>, u32>,
    },
}

#[derive(Default)]
struct Composer<'a> {
    root: Option<Node<'a>>,
    documents: usize,
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Node<'a>>,
    copied: usize,
}

impl<'a> Composer<'a> {
    fn take(&mut self, event: Event<'a>, at: Position) -> Result<(), SyntaxError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return refuse(at, "a second YAML document begins here ('---'); only one is read");
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = match core_tag(tag.as_deref(), at)? {
                    Some("str") => false,
                    _ => style == ScalarStyle::Plain,
                };
                self.complete(Node { at, kind: Kind::Scalar { text, plain } }, anchor)
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor) else {
                    return refuse(at, "an alias refers to what it is part of");
                };
                self.copied += target.size();
                if self.copied > MAX_COPIED_NODES {
                    return refuse(at, "its aliases stand for too much");
                }
                let node = target.clone();
                self.complete(node, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                core_tag(tag.as_deref(), at)?;
                self.begin(at, anchor, OpenKind::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                core_tag(tag.as_deref(), at)?;
                let kind = OpenKind::Mapping { entries: Vec::new(), key: None, seen: HashMap::new() };
                self.begin(at, anchor, kind)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let kind = match open.kind {
                    OpenKind::Sequence(items) => Kind::Sequence(items),
                    OpenKind::Mapping { entries, .. } => Kind::Mapping(merge(entries, &mut self.copied)?),
                };
                self.complete(Node { at: open.at, kind }, open.anchor)
            }
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, kind: OpenKind<'a>) -> Result<(), SyntaxError> {
        if self.open.len() == MAX_DEPTH {
            return refuse(at, "it is nested too deep");
        }
        self.open.push(Open { at, anchor, kind });
        Ok(())
    }

    fn complete(&mut self, node: Node<'a>, anchor: usize) -> Result<(), SyntaxError> {
        if anchor != 0 {
            self.copied += node.size();
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::Sequence(items)) => items.push(node),
            Some(OpenKind::Mapping { entries, key, seen }) => match key.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node, merged: false }),
                None => {
                    let at = node.at;
                    let Kind::Scalar { text, .. } = node.kind else {
                        return refuse(at, "a key must be a single word, not a list or mapping");
                    };
                    if let Some(first) = first_line_of(&text, at, entries, seen) {
                        let message = format!("the key '{text}' is there twice, first on line {first}");
                        return refuse(at, message);
                    }
                    *key = Some((text, at));
                }
            },
        }
        Ok(())
    }
}

/// The line on which the key `text` stands already, if it does. Most mappings are so small that looking at
/// each key is quicker than keeping a set.
fn first_line_of<'a>(
    text: &str,
    at: Position,
    entries: &[Entry<'a>],
    seen: &mut HashMap<Cow<'a, str>, u32>,
) -> Option<u32> {
    const SMALL: usize = 16;
    if entries.len() < SMALL {
        return entries.iter().find(|entry| entry.key == text).map(|entry| entry.at.line);
    }
    if seen.is_empty() {
        seen.extend(entries.iter().map(|entry| (entry.key.clone(), entry.at.line)));
    }
    seen.insert(text.to_owned().into(), at.line)
}

/// Puts what `<<` refers to beside the entries that stand there themselves; those win.
fn merge<'a>(entries: Vec<Entry<'a>>, copied: &mut usize) -> Result<Vec<Entry<'a>>, SyntaxError> {
    if !entries.iter().any(|entry| entry.key == "<<") {
        return Ok(entries);
    }
    let (sources, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.key == "<<");
    for source in sources {
        let at = source.at;
        let mappings = match source.value.kind {
            Kind::Sequence(items) => items,
            _ => vec![source.value],
        };
        for mapping in mappings {
            let Kind::Mapping(inherited) = mapping.kind else {
                return refuse(at, "a merge key (<<) needs a mapping, such as *name");
            };
            for entry in inherited {
                *copied += 1;
                if !own.iter().any(|present| present.key == entry.key) {
                    own.push(Entry { merged: true, ..entry });
                }
            }
        }
    }
    if *copied > MAX_COPIED_NODES {
        return refuse(Position { line: 1, column: 1 }, "its merge keys stand for too much");
    }
    Ok(own)
}

/// The name of a tag of YAML itself, such as `str`; other tags are refused.
fn core_tag(tag: Option<&Tag>, at: Position) -> Result<Option<&str>, SyntaxError> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() && CORE_TAGS.contains(&&*tag.suffix) => Ok(Some(&tag.suffix)),
        Some(tag) => refuse(at, format!("the tag {tag} has no meaning here")),
    }
}

fn refuse<T>(at: Position, message: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError { at, message: message.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (u32, u32, String) {
        let error = parse(text).expect_err(text);
        (error.at.line, error.at.column, error.message)
    }

    #[test]
    fn every_node_knows_its_place() {
        let root = parse("a:\n  é: [1, 'two']\n").unwrap();
        let a = &root.entries().unwrap()[0];
        assert_eq!(a.at, Position { line: 1, column: 1 });
        let inner = &a.value.entries().unwrap()[0];
        assert_eq!(inner.at, Position { line: 2, column: 3 });
        let Kind::Sequence(items) = &inner.value.kind else { panic!("{inner:?}") };
        assert_eq!(items[1].at, Position { line: 2, column: 10 });
    }

    #[test]
    fn merge_keys_fill_in_what_is_not_there() {
        let merged = parse("x: &x {m: 1, n: 2}\ny: &y {o: 3}\na:\n  <<: [*x, *y]\n  m: 9\n").unwrap();
        let expected = parse("x: {m: 1, n: 2}\ny: {o: 3}\na: {m: 9, n: 2, o: 3}\n").unwrap();
        assert_eq!(merged, expected);
    }

    #[test]
    fn a_duplicate_key_is_refused_where_it_stands() {
        let (line, column, message) = error("a: 1\nb: 2\na: 3\n");
        assert_eq!((line, column), (3, 1));
        assert!(message.contains("first on line 1"), "{message}");
    }

    #[test]
    fn a_duplicate_key_is_found_among_many() {
        let many: String = (0..100).map(|i| format!("k{i}: 1\n")).collect();
        for (key, first) in [("k3", 4), ("k15", 16), ("k16", 17), ("k99", 100)] {
            let (line, _, message) = error(&format!("{many}{key}: 2\n"));
            assert_eq!(line, 101);
            assert!(message.ends_with(&format!("on line {first}")), "{message}");
        }
    }

    #[test]
    fn aliases_cannot_multiply_without_end() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let alias = format!("*a{}, ", i - 1).repeat(10);
            bomb.push_str(&format!("a{i}: &a{i} [{}]\n", alias.trim_end_matches(", ")));
        }
        assert!(error(&bomb).2.contains("too much"));
        assert!(error("a: &a [*a]\n").2.contains("part of"));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(error(&"[".repeat(100)).2.contains("too deep"));
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(100_000)).is_err());
    }

    #[test]
    fn odd_texts_are_refused_in_plain_words() {
        assert!(error("a:\n\tb: 1\n").2.contains("tab"));
        assert_eq!(error("a: 1\n---\nb: 2\n").0, 2);
        assert!(error("a: !!python/object:os.system x\n").2.contains("tag"));
        assert!(error("a: !x y\n").2.contains("tag"));
        assert!(error("? [a]\n: b\n").2.contains("key"));
        assert!(error("a: *nope\n").2.contains("anchor"));
        assert!(error("a: [1\nb: 2\n").0 == 2);
    }

    #[test]
    fn texts_without_content_are_null() {
        for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}", "\u{feff}# x\r\n"] {
            assert!(parse(text).unwrap().is_null(), "{text:?}");
        }
    }
}
