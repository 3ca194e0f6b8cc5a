//! What is made of the tables of keys and kept: the JSON Schema, the example config, the lists of the README.

use std::fs;

use agent_dispatch::backend::Backends;
use agent_dispatch::config::{AGENT_KEYS, SETTINGS_KEYS};
use agent_dispatch::engine::RUN_OPTIONS;
use agent_dispatch::model::{Row, Slot};
use serde_json::{Map, Value, json};
use test_support::snapshots::assert_text_kept;

use crate::docs::readme::checkout;

fn kept(path: &str) -> String {
    fs::read_to_string(checkout().join(path)).expect("a kept text")
}

#[test]
fn the_schema_is_made_of_the_tables() {
    const PATH: &str = "examples/agents.schema.json";
    let mut schema: Value = serde_json::from_str(&kept(PATH)).expect("the schema");
    let mappings = [("/$defs/agent", properties(AGENT_KEYS)), ("/$defs/settings", properties(SETTINGS_KEYS))];
    for (place, mut made) in mappings {
        let mapping = schema.pointer_mut(place).expect("a mapping");
        for (name, property) in made.iter_mut().filter(|(_, property)| property.is_null()) {
            // What is not of a common form is described by hand.
            *property = mapping["properties"].get(name).expect("a property by hand").clone();
        }
        mapping["properties"] = made.into();
    }
    let made = serde_json::to_string_pretty(&schema).expect("JSON");
    assert_text_kept(PATH, &format!("{made}\n"));
}

/// The properties of a mapping, as a schema has them; null where the form of the value is no common one.
fn properties<T>(table: &'static [Row<T>]) -> Map<String, Value> {
    table.iter().map(|row| (row.name.to_owned(), property(row))).collect()
}

fn property<T>(row: &Row<T>) -> Value {
    let of = |definition: &str| json!({"$ref": format!("#/$defs/{definition}")});
    let mut form = match row.slot {
        Slot::Path(_) => of("path"),
        Slot::Text(_) => json!({"type": ["string", "null"]}),
        Slot::Word(_) => json!({"anyOf": [of("flag"), {"type": "null"}]}),
        Slot::Mode(_) => of("permission_mode"),
        Slot::Backend => {
            let names = Backends::BUILT_IN.profiles().map(|profile| Value::from(profile.name));
            json!({"enum": names.chain([Value::Null]).collect::<Vec<_>>()})
        }
        Slot::Duration(_) => of("optional_duration"),
        Slot::Dollars(_) => of("optional_budget"),
        Slot::Tools(_) => of("tools"),
        Slot::Texts(_) | Slot::Command(_) => of("texts"),
        Slot::Flag(_) => json!({"type": ["boolean", "null"]}),
        Slot::Count(0, _) => of("count"),
        Slot::Count(..) => of("positive_count"),
        Slot::Object(_) | Slot::Other => return Value::Null,
    };
    let mut property = Map::from_iter([("description".to_owned(), Value::from(row.doc))]);
    property.append(form.as_object_mut().expect("an object"));
    if !row.default.is_empty() {
        let default: Value = serde_yaml::from_str(row.default).expect("a default is YAML");
        property.insert("default".to_owned(), default);
    }
    property.into()
}

#[test]
fn the_example_config_is_made_of_the_tables() {
    const PATH: &str = "examples/agents.yaml";
    let text = replaced(&kept(PATH), "  infra:\n", "\n\n", &entries(AGENT_KEYS, 4));
    assert_text_kept(PATH, &replaced(&text, "\nsettings:\n", "\u{0}", &entries(SETTINGS_KEYS, 2)));
}

/// The keys with a value each, below what they are for; of the settings also those that are unset.
fn entries<T>(table: &[Row<T>], indent: usize) -> String {
    /// How long a line of a comment may be.
    const WIDTH: usize = 118;
    let mut lines = Vec::new();
    for row in table {
        let value = match (row.example, row.default) {
            ("", "") if indent == 4 => continue,
            ("", "") => "null",
            ("", default) => default,
            (example, _) => example,
        };
        let mut line = format!("{:indent$}#", "");
        for word in row.doc.split(' ') {
            if line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::replace(&mut line, format!("{:indent$}#", "")));
            }
            line = format!("{line} {word}");
        }
        lines.push(line);
        lines.push(format!("{:indent$}{}: {value}", "", row.name));
    }
    lines.join("\n")
}

#[test]
fn the_lists_of_the_readme_are_made_of_the_tables() {
    const PATH: &str = "README.md";
    let end = "<!-- end of what is made of the table in the source -->";
    let agent = readme_list(AGENT_KEYS);
    let text = replaced(&kept(PATH), "<!-- keys of an agent -->\n", end, &agent);
    let settings = readme_list(SETTINGS_KEYS);
    let text = replaced(&text, "<!-- keys of the settings -->\n", end, &settings);
    assert_text_kept(PATH, &replaced(&text, "<!-- options of a run -->\n", end, &options()));
}

/// The options of a run, with what the command line calls their values.
fn options() -> String {
    let program = agent_dispatch::command();
    let run = program.find_subcommand("run").expect("the command");
    let mut text = String::new();
    for row in RUN_OPTIONS {
        let long = row.name.replace('_', "-");
        let option = run.get_arguments().find(|option| option.get_long() == Some(&long)).expect("an option");
        let value = option.get_value_names().filter(|_| option.get_action().takes_values());
        let value = value.map(|names| format!(" {}", names[0])).unwrap_or_default();
        text.push_str(&format!("- **`--{long}{value}`**: {}\n", row.doc));
    }
    text
}

fn readme_list<T>(table: &[Row<T>]) -> String {
    let mut text = String::new();
    for row in table {
        let default = match row.default {
            "" => String::new(),
            default => format!(" Default: `{default}`."),
        };
        let modes = match row.slot {
            Slot::Mode(_) => format!(" One of `{}`.", Backends::BUILT_IN.permission_modes().join("`, `")),
            _ => String::new(),
        };
        text.push_str(&format!("- **`{}`**: {}{modes}{default}\n", row.name, row.doc));
    }
    text
}

/// A text with something else between `start` and `end`, which may be the end of the text.
fn replaced(text: &str, start: &str, end: &str, with: &str) -> String {
    let (before, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start:?} is there"));
    let after = rest.find(end).map_or("\n", |at| &rest[at..]);
    format!("{before}{start}{with}{after}")
}
