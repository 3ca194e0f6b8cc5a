//! The example config, and the schema of a config.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::documents::checkout;
use crate::support::TestEnvironment;

/// Where an example is.
fn example(name: &str) -> PathBuf {
    checkout().join("examples").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_schema_is_printed_as_it_is_committed() {
    let environment = TestEnvironment::new();
    environment.write_config("agents: [broken");
    let output = environment.command(["agents", "schema"]).run().expect_code(0);
    assert_eq!(output.stdout, read(&example("agents.schema.json")));
    assert_eq!(output.stderr, "");
}

#[test]
fn the_example_config_is_complete_valid_and_read_without_a_warning() {
    let environment = TestEnvironment::new();
    let text = read(&example("agents.yaml"));
    environment.write_config(&text);
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(2));
    assert_eq!(listed.stderr, "");

    let first = text.lines().next().expect("a line");
    assert_eq!(first, "# yaml-language-server: $schema=agents.schema.json");
    let schema: Value = serde_json::from_str(&read(&example("agents.schema.json"))).expect("JSON");
    for place in
        ["", "/$defs/agent", "/$defs/group", "/$defs/member/anyOf/1", "/$defs/settings", "/$defs/cache"]
    {
        for key in schema.pointer(place).expect(place)["properties"].as_object().expect(place).keys() {
            let given =
                text.lines().any(|line| line.trim_start_matches([' ', '-']).starts_with(&format!("{key}:")));
            assert!(given, "the example does not show {key}");
        }
    }
}

#[test]
fn every_config_that_is_committed_satisfies_the_schema() {
    let schema: Value = serde_json::from_str(&read(&example("agents.schema.json"))).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for path in [example("agents.yaml"), checkout().join("tests/integration/original-agents.yaml")] {
        let errors: Vec<String> =
            validator.iter_errors(&yaml(&path)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}
