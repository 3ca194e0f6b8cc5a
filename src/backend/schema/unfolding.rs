//! How much a schema asks for when its references are followed.

use std::collections::HashMap;

use serde_json::Value;

/// The most rules that a schema may unfold to. One for answers has some hundred.
const MOST_RULES: u64 = 100_000;

/// How deep references and rules may nest.
const MOST_DEPTH: usize = 400;

/// Keywords whose rules hold for a part of the value, not for the value itself.
const FOR_PARTS: &[&str] = &[
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
];

/// Keywords that hold data or definitions: nothing in them is a rule by being there.
const NO_RULES: &[&str] = &["$defs", "definitions", "enum", "const", "default", "examples"];

/// Refuses a schema whose references multiply, nest too deep, or lead back to themselves without going into the value.
///
/// # Errors
///
/// What is wrong, as a fragment.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let mut unfolding = Unfolding { root: schema, known: HashMap::new(), open: HashMap::new() };
    let rules = unfolding.rules(schema, 0, 0)?;
    if rules > MOST_RULES {
        return Err(format!("its references unfold to more than {MOST_RULES} rules"));
    }
    Ok(())
}

struct Unfolding<'a> {
    root: &'a Value,
    /// How many rules a reference stands for.
    known: HashMap<&'a str, u64>,
    /// The references that are being followed, and how many parts deep in the value each of them was met.
    open: HashMap<&'a str, usize>,
}

impl<'a> Unfolding<'a> {
    fn rules(&mut self, schema: &'a Value, part: usize, depth: usize) -> Result<u64, String> {
        if depth > MOST_DEPTH {
            return Err(format!("its rules and references nest more than {MOST_DEPTH} deep"));
        }
        let mut count: u64 = 1;
        let mut add = |more: u64| count = count.saturating_add(more);
        match schema {
            Value::Array(rules) => {
                for rule in rules {
                    add(self.rules(rule, part, depth + 1)?);
                }
            }
            Value::Object(keywords) => {
                for (keyword, rule) in keywords {
                    match (keyword.as_str(), rule) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) => {
                            add(self.reference(target, part, depth)?);
                        }
                        (keyword, _) if NO_RULES.contains(&keyword) => {}
                        (keyword, _) if FOR_PARTS.contains(&keyword) => {
                            add(self.rules(rule, part + 1, depth + 1)?);
                        }
                        _ => add(self.rules(rule, part, depth + 1)?),
                    }
                }
            }
            _ => {}
        }
        Ok(count)
    }

    fn reference(&mut self, target: &'a str, part: usize, depth: usize) -> Result<u64, String> {
        if let Some(count) = self.known.get(target) {
            return Ok(*count);
        }
        match self.open.get(target) {
            Some(before) if *before == part => {
                return Err(format!(
                    "the reference {target} leads back to itself without going into the value"
                ));
            }
            // A recursive schema: how often it is applied is up to the value.
            Some(_) => return Ok(1),
            None => {}
        }
        // What cannot be found is refused by the check that comes next.
        let Some(found) = find(self.root, target) else { return Ok(1) };
        self.open.insert(target, part);
        let count = self.rules(found, part, depth + 1)?;
        self.open.remove(target);
        self.known.insert(target, count);
        Ok(count)
    }
}

/// What a reference within the document leads to: a path, an anchor, or the whole.
fn find<'a>(root: &'a Value, target: &str) -> Option<&'a Value> {
    let fragment = target.strip_prefix('#')?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return root.pointer(fragment);
    }
    anchored(root, fragment, 0)
}

fn anchored<'a>(value: &'a Value, name: &str, depth: usize) -> Option<&'a Value> {
    if depth > MOST_DEPTH {
        return None;
    }
    match value {
        Value::Array(values) => values.iter().find_map(|value| anchored(value, name, depth + 1)),
        Value::Object(fields) => {
            let is_named = |key: &str| fields.get(key).and_then(Value::as_str) == Some(name);
            if is_named("$anchor") || is_named("$dynamicAnchor") {
                return Some(value);
            }
            fields.values().find_map(|value| anchored(value, name, depth + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn usual_schemas_pass_recursive_ones_included() {
        let tree = json!({
            "$defs": {
                "tree": {
                    "type": "object",
                    "properties": {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/$defs/tree"}},
                },
                "leaf": {"$anchor": "leaf", "type": "string"},
            },
            "type": "object",
            "properties": {"tree": {"$ref": "#/$defs/tree"}, "leaf": {"$ref": "#leaf"}, "self": {"$ref": "#"}},
        });
        assert_eq!(check(&tree), Ok(()));
        let data = json!({"enum": [{"$ref": "#/nowhere"}], "default": {"$ref": "#"}});
        assert_eq!(check(&data), Ok(()));
    }

    #[test]
    fn references_that_multiply_are_refused() {
        let mut definitions = serde_json::Map::new();
        for number in 0..30 {
            let next = json!({"$ref": format!("#/$defs/d{}", number + 1)});
            definitions.insert(format!("d{number}"), json!({"allOf": [next, next]}));
        }
        definitions.insert("d30".to_owned(), json!({"type": "string"}));
        let schema = json!({"$defs": definitions, "$ref": "#/$defs/d0"});
        assert!(check(&schema).is_err_and(|error| error.contains("unfold")), "{schema}");
    }

    #[test]
    fn references_in_a_circle_are_refused() {
        let circle = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"});
        assert!(check(&circle).is_err_and(|error| error.contains("leads back")));
        assert!(check(&json!({"allOf": [{"$ref": "#"}]})).is_err_and(|error| error.contains("leads back")));
    }

    #[test]
    fn references_that_nest_without_end_are_refused() {
        let mut definitions = serde_json::Map::new();
        for number in 0..5_000 {
            definitions
                .insert(format!("d{number}"), json!({"not": {"$ref": format!("#/$defs/d{}", number + 1)}}));
        }
        let schema = json!({"$defs": definitions, "$ref": "#/$defs/d0"});
        assert!(check(&schema).is_err_and(|error| error.contains("deep")));
    }
}
