use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::SCHEMA;
use crate::backend::Backends;
use crate::config::decode::{self, CACHE_KEYS, GROUP_KEYS, MEMBER_KEYS, Places, ROOT_KEYS};
use crate::config::{AGENT_KEYS, Config, SETTINGS_KEYS, Settings, syntax};
use crate::model::Row;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Whether the schema is satisfied.
fn is_valid(text: &str) -> bool {
    let value: Value = serde_yaml::from_str(text).unwrap();
    jsonschema::validator_for(&schema()).unwrap().is_valid(&value)
}

fn read(text: &str) -> Option<Config> {
    let places = Places { base: Path::new("/etc/x"), home: Some(Path::new("/home/me")) };
    decode::config(&syntax::parse(text).unwrap(), places).ok()
}

/// Whether it is read without a warning.
fn is_read(text: &str) -> bool {
    read(text).is_some_and(|config| config.warnings.is_empty())
}

#[test]
fn it_is_a_valid_schema() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn it_has_the_keys_that_are_read_and_no_other() {
    fn names<T>(table: &'static [Row<T>]) -> Vec<&'static str> {
        table.iter().map(|row| row.name).collect()
    }
    let (agent, settings) = (names(AGENT_KEYS), names(SETTINGS_KEYS));
    let schema = schema();
    for (place, known) in [
        ("", &ROOT_KEYS[..]),
        ("/$defs/agent", &agent),
        ("/$defs/group", &GROUP_KEYS),
        ("/$defs/member/anyOf/1", &MEMBER_KEYS),
        ("/$defs/settings", &settings),
        ("/$defs/cache", &CACHE_KEYS),
    ] {
        let object = schema.pointer(place).unwrap();
        let keys = object["properties"].as_object().unwrap().keys().map(String::as_str);
        assert_eq!(keys.collect::<BTreeSet<_>>(), known.iter().copied().collect(), "{place}");
        assert_eq!(object["additionalProperties"], json!(false), "{place}");
        assert_eq!(object["patternProperties"], json!({"^x-": {}}), "{place}");
    }
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    for place in
        ["", "/$defs/agent", "/$defs/group", "/$defs/member/anyOf/1", "/$defs/settings", "/$defs/cache"]
    {
        for (key, value) in schema.pointer(place).unwrap()["properties"].as_object().unwrap() {
            // A key that is a mapping of its own is described where that is.
            let own = value["$ref"].as_str().map(|at| schema.pointer(&at[1..]).unwrap());
            let described = [Some(value), own].into_iter().flatten().any(|at| at["description"].is_string());
            assert!(described, "{place}: {key}");
        }
    }
}

#[test]
fn its_defaults_are_those_of_the_settings() {
    let schema = schema();
    let defaults = |place: &str| -> Map<String, Value> {
        let properties = schema.pointer(place).unwrap()["properties"].as_object().unwrap();
        let defaults =
            properties.iter().filter_map(|(key, value)| Some((key.clone(), value.get("default")?.clone())));
        defaults.collect()
    };
    let mut settings = defaults("/$defs/settings");
    // Without one are those that are unset unless they are given, and the cache, which has its own.
    assert_eq!(settings.len(), SETTINGS_KEYS.len() - 3);
    settings.insert("cache".to_owned(), defaults("/$defs/cache").into());
    let config = read(&json!({ "settings": settings }).to_string()).unwrap();
    assert_eq!(config.settings, Settings::default());
}

#[test]
fn its_permission_modes_are_the_known_ones() {
    let mut modes: Vec<Value> = Backends::BUILT_IN.permission_modes().into_iter().map(Value::from).collect();
    modes.push(Value::Null);
    assert_eq!(schema()["$defs"]["permission_mode"]["enum"], Value::from(modes));
}

#[test]
fn its_backends_are_the_known_ones() {
    let mut names: Vec<Value> = Backends::BUILT_IN.profiles().map(|profile| profile.name.into()).collect();
    names.push(Value::Null);
    let backend = &schema()["$defs"]["agent"]["properties"]["backend"];
    assert_eq!((&backend["enum"], &backend["default"]), (&Value::from(names.clone()), &names[0]));
}

/// A config with one agent that has these lines.
fn agent(lines: &str) -> String {
    format!("agents:\n  a:\n    directory: /x\n    {lines}\n")
}

#[test]
fn what_satisfies_it_is_read_without_a_warning() {
    let agents = [
        "timeout: 0.5",
        "timeout: 1h 30m",
        "idle_timeout: '90'",
        "timeout: null",
        "max_budget_usd: 0.01",
        "model: opus",
        "permission_mode: plan",
        "allowed_tools: [Read, 'Bash(git:*)']",
        "allowed_tools:",
        "backend: command\n    command: [sh, '', -c]",
        "backend: claude\n    command: []",
        "backend:\n    command:",
        "exclusive: true",
        "trusted: true",
        "x-note: {any: thing}",
    ];
    let whole = [
        "null",
        "{}",
        "agents:\ngroups:\nsettings:",
        "agents: {a: {directory: '~'}}",
        "agents: {a: {directory: ~/x}, B-1_c: {directory: ../x}}",
        "agents: {a: {directory: /x}}\ngroups: {g: {members: [a, {agent: a, use_for: x}]}, h: }",
        "settings: {cache: {ttl: 0, max_size: 0}, usage_log: ~/u.jsonl, max_queued: 0}",
        "settings: {max_budget_usd_ceiling: 5000, default_max_budget_usd: 2000}",
        "settings: {cache: , usage_log: false, default_timeout: 2d}",
        "x-mine: 1",
    ];
    for text in agents.map(agent).iter().map(String::as_str).chain(whole) {
        assert!(is_valid(text), "the schema refuses {text}");
        assert!(is_read(text), "the reader complains about {text}");
    }
}

#[test]
fn what_is_refused_or_warned_about_does_not_satisfy_it() {
    let agents = [
        "timeout: 0",
        "timeout: -5",
        "timeout: 0s",
        "timeout: soon",
        "timeout: 31536001",
        "timeout: [1]",
        "max_budget_usd: 0",
        "max_budget_usd: a lot",
        "model: ''",
        "model: -p",
        "model: ' --x'",
        "model: \"a\\nb\"",
        "permission_mode: bypassPermission",
        "allowed_tools: Read",
        "allowed_tools: [Read, --yolo]",
        "disallowed_tools: [null]",
        "disallowed_tools: ['Bash(rm *']",
        "allowed_tools: ['Bash(rm *)x']",
        "capabilities: {a: b}",
        "description: [a]",
        "exclusive: maybe",
        "trusted: maybe",
        "backend: other",
        "backend: command",
        "backend: command\n    command: []",
        "backend: command\n    command: ['']",
        "command: [x]",
        "timeot: 5",
    ];
    let whole = [
        "[a]",
        "just text",
        "agent: {}",
        "agents: [a]",
        "agents: {a/b: {directory: /x}}",
        "agents: {a: }",
        "agents: {a: /x}",
        "agents: {a: {model: x}}",
        "agents: {a: {directory: ''}}",
        "agents: {a: {directory: ~bob/x}}",
        "groups: {g: {member: [a]}}",
        "groups: {g: {members: [{use_for: x}]}}",
        "groups: {g: {members: [-a]}}",
        "groups: {g: {members: [{agent: a, for: x}]}}",
        "settings: {max_concurrency: 0}",
        "settings: {max_budget_usd_ceiling: 0}",
        "settings: {max_queued: -1}",
        "settings: {max_tree_jobs: 1.5}",
        "settings: {max_dispatch_depth: 4294967296}",
        "settings: {usage_log: ''}",
        "settings: {cache: {ttl: -1}}",
        "settings: {cache: {size: 1}}",
        "settings: {dispatch_protocol: 3}",
    ];
    for text in agents.map(agent).iter().map(String::as_str).chain(whole) {
        assert!(!is_valid(text), "the schema accepts {text}");
        assert!(!is_read(text), "the reader accepts {text}");
    }
}
