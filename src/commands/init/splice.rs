//! Changing a JSON text in one place. Everything else stays as it is, to the byte.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Serializer, Value};

/// `text` with `new` in place of `part`, which is a piece of it.
pub(super) fn replace(text: &str, part: &RawValue, new: &str) -> String {
    let start = part.get().as_ptr() as usize - text.as_ptr() as usize;
    format!("{}{new}{}", &text[..start], &text[start + part.get().len()..])
}

/// The object or array `text`, `depth` levels below the top, with one more element at its end: a member with this
/// `key`, or a value. It is laid out like the elements before it.
pub(super) fn append(text: &str, depth: usize, style: &Style, key: Option<&str>, value: &Value) -> String {
    // One byte each: a bracket. `text` comes from a parser, without blanks around it.
    let (open, inside, close) = (&text[..1], &text[1..text.len() - 1], &text[text.len() - 1..]);
    let key = key.map_or_else(String::new, |key| format!("{}: ", Value::from(key)));
    let filled = inside.trim_end();
    let first = inside.len() - inside.trim_start().len();
    let indent = match inside[..first].rfind('\n') {
        _ if filled.is_empty() => style.indent.repeat(depth + 1),
        Some(line) => inside[line + 1..first].to_owned(),
        // All of it is on one line.
        None => return format!("{open}{filled}, {key}{value}{}{close}", &inside[filled.len()..]),
    };
    let line = format!("{}{indent}", style.line_end);
    let value = style.pretty(value).replace('\n', &line);
    if filled.is_empty() {
        let end = style.indent.repeat(depth);
        format!("{open}{line}{key}{value}{}{end}{close}", style.line_end)
    } else {
        format!("{open}{filled},{line}{key}{value}{}{close}", &inside[filled.len()..])
    }
}

/// How a text is laid out.
#[derive(Debug)]
pub(super) struct Style {
    indent: String,
    line_end: &'static str,
}

impl Style {
    /// The style of a document, as its first indented line has it.
    pub(super) fn of(document: &str) -> Self {
        let is_indented = |line: &&str| line.starts_with([' ', '\t']) && line.trim_start().starts_with('"');
        let indented = document.lines().find(is_indented);
        let indent = indented.map(|line| &line[..line.len() - line.trim_start().len()]);
        Self {
            indent: indent.unwrap_or("  ").to_owned(),
            line_end: if document.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    fn pretty(&self, value: &Value) -> String {
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(self.indent.as_bytes());
        // Writing a value into memory does not fail.
        let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
        String::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_element_is_laid_out_like_those_before_it() {
        let value = json!({"a": [1]});
        for (document, expected) in [
            ("{}", "{\n  \"k\": {\n    \"a\": [\n      1\n    ]\n  }\n}"),
            ("{ \n }", "{\n  \"k\": {\n    \"a\": [\n      1\n    ]\n  }\n}"),
            ("{\"x\":1}", "{\"x\":1, \"k\": {\"a\":[1]}}"),
            ("{ \"x\":1 }", "{ \"x\":1, \"k\": {\"a\":[1]} }"),
            ("{\n\t\"x\":1\n}", "{\n\t\"x\":1,\n\t\"k\": {\n\t\t\"a\": [\n\t\t\t1\n\t\t]\n\t}\n}"),
            ("{\r\n \"x\" : 1\r\n}", "{\r\n \"x\" : 1,\r\n \"k\": {\r\n  \"a\": [\r\n   1\r\n  ]\r\n }\r\n}"),
        ] {
            let new = append(document, 0, &Style::of(document), Some("k"), &value);
            assert_eq!(new, expected);
            assert_eq!(serde_json::from_str::<Value>(&new).unwrap()["k"], value);
        }
        let style = Style::of("{\n  \"x\": [\n    1\n  ]\n}");
        assert_eq!(append("[\n    1\n  ]", 1, &style, None, &json!(2)), "[\n    1,\n    2\n  ]");
        assert_eq!(append("[]", 1, &style, None, &json!(2)), "[\n    2\n  ]");
    }

    #[test]
    fn a_part_is_replaced_where_it_is_and_nowhere_else() {
        let text = "{ \"a\": \"x\", \"b\" :\"x\" }";
        let parts: indexmap::IndexMap<String, &RawValue> = serde_json::from_str(text).unwrap();
        assert_eq!(replace(text, parts["b"], "[]"), "{ \"a\": \"x\", \"b\" :[] }");
    }
}
