//! Every command, option and key of the config that a remedy or a help text names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use agent_dispatch::model::Remedy;
use agent_dispatch::remedy::Commands;
use clap::Command;
use clap::error::ErrorKind;
use serde_json::Value;

use test_support::snapshots;

/// The remedies there are, each of which the unit tests know to be among these.
fn remedies() -> Vec<Remedy> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/remedies.jsonl");
    let text = fs::read_to_string(path).expect("the remedies");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Why a command of this program cannot be typed; `None` when it can. What stands for a value is one.
fn refusal(words: &[String]) -> Option<String> {
    let fill = |word: &String| match word.as_str() {
        "JOB" | "$id" | "latest" => "abc".to_owned(),
        "COUNT" => "1".to_owned(),
        _ => word.clone(),
    };
    let error = agent_dispatch::command().try_get_matches_from(words.iter().map(fill)).err()?;
    (error.kind() != ErrorKind::DisplayHelp).then(|| error.to_string())
}

/// The commands of this program in a sentence, between backticks.
fn commands(text: &str) -> Vec<Vec<String>> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|command| command.starts_with("agent-dispatch "))
        .map(|command| shlex::split(command).expect("words"))
        .collect()
}

#[test]
fn every_command_in_a_remedy_can_be_typed() {
    let places = ["--config", "a place/agents.yaml"];
    let told = Commands::with_options(places);
    let mut count = 0;
    for remedy in remedies() {
        for words in commands(&told.tell(&remedy)) {
            count += 1;
            assert_eq!(words[1..3], places, "{remedy:?}");
            assert_eq!(refusal(&words), None, "{words:?}");
        }
    }
    assert!(count > 40, "only {count} commands were found");
}

#[test]
fn remedies_are_worded_as_in_the_snapshots() {
    let told = remedies().iter().map(|remedy| Commands::default().tell(remedy) + "\n").collect();
    snapshots::assert_kept("tests/snapshots/remedies", &[("shell.txt".to_owned(), told)].into());
}

#[test]
fn a_command_that_cannot_be_typed_is_found() {
    for text in ["`agent-dispatch agent list`", "see `agent-dispatch wait 1 --forever`, or not"] {
        let commands = commands(text);
        assert_eq!(commands.len(), 1, "{text}");
        assert!(refusal(&commands[0]).is_some(), "{text}");
    }
    assert!(commands("run agent-dispatch outside the sandbox").is_empty());
}

/// All commands, with what each says about itself.
fn each_command(command: &Command, take: &mut dyn FnMut(&Command)) {
    take(command);
    command.get_subcommands().for_each(|command| each_command(command, take));
}

#[test]
fn every_example_in_the_help_can_be_typed() {
    let mut examples = Vec::new();
    each_command(&agent_dispatch::command(), &mut |command| {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.replace("\\\n", " ").lines().filter(|line| line.starts_with("  ")) {
            // A line may be a pipe, or have a command in the place of a word.
            for (at, _) in line.match_indices("agent-dispatch ") {
                let begins =
                    ["  ", "$(", "<(", "| ", "&& ", "-- "].iter().any(|end| line[..at].ends_with(end));
                let end = line[at..].find([')', '|', '>', '<', '&', ';']).unwrap_or(line.len() - at);
                if begins && let Some(words) = shlex::split(&line[at..at + end]) {
                    examples.push(words);
                }
            }
        }
    });
    assert!(examples.len() > 40, "only {} examples were found", examples.len());
    for words in examples {
        assert_eq!(refusal(&words), None, "{words:?}");
    }
}

#[test]
fn every_option_and_every_setting_that_a_remedy_names_exists() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut root = agent_dispatch::command();
    root.build();
    each_command(&root, &mut |command| {
        known.extend(
            command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))),
        );
    });
    let schema: Value = serde_json::from_str(agent_dispatch::config::SCHEMA).unwrap();
    let settings = &schema["properties"]["settings"];
    let settings = settings["$ref"].as_str().map_or(settings, |path| schema.pointer(&path[1..]).unwrap());
    let mut count = 0;
    for text in remedies().iter().map(|remedy| Commands::default().tell(remedy)) {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        for option in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
            assert!(known.contains(option), "{text}");
        }
        for (at, found) in text.match_indices("`settings.") {
            let key = text[at + found.len()..].split('`').next().unwrap_or_default();
            count += 1;
            assert!(settings["properties"].get(key).is_some(), "there is no setting {key}");
        }
    }
    assert!(count >= 5, "only {count} keys were found");
}
