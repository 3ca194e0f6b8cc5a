//! Every command, option and key of the config that a text of this tool names exists: read from the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Command;
use clap::error::ErrorKind;
use serde_json::Value;

use super::rust as source;

/// What may stand for a value that is not known before: a name, which is also the beginning of a job's id; a number; a
/// duration.
const FILLINGS: [&str; 3] = ["abc", "1", "1s"];

/// A text in a source, and where.
struct Text {
    place: String,
    value: String,
}

/// Every text of the program, without its tests.
fn texts() -> Vec<Text> {
    fn add(directory: &Path, texts: &mut Vec<Text>) {
        for path in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path())
        {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                add(&path, texts);
            } else if !(name.ends_with("tests") || name == "testing") {
                let source = fs::read_to_string(&path).expect("a source");
                let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                texts.extend(
                    texts_of(source)
                        .into_iter()
                        .map(|(line, value)| Text { place: format!("{}:{line}", path.display()), value }),
                );
            }
        }
    }
    let mut texts = Vec::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    texts
}

/// The texts of a source, each with its line, as the program has them.
fn texts_of(text: &str) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            source::block_comment(rest)
        } else if let Some(length) = source::literal(rest) {
            let (raw, written) = rest[..length].split_once('"').unwrap_or_default();
            let (written, _) = written.rsplit_once('"').unwrap_or_default();
            texts.push((line, if raw.contains('r') { written.to_owned() } else { unescaped(written) }));
            length
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    texts
}

/// What a quoted text means.
fn unescaped(written: &str) -> String {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, escape)) = rest.split_once('\\') {
        text += before;
        let mut characters = escape.chars();
        match characters.next() {
            // The line goes on where the next one begins.
            Some('\n') => {
                rest = escape.trim_start();
                continue;
            }
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(character) => text.push(character),
            None => {}
        }
        rest = characters.as_str();
    }
    text + rest
}

/// The commands in a text: between backticks, in an example, after a colon, or as the whole text.
fn commands(text: &str) -> Vec<&str> {
    const PROGRAM: &str = "agent-dispatch ";
    let mut commands = Vec::new();
    for (at, _) in text.match_indices(PROGRAM) {
        let (before, rest) = (&text[..at], &text[at + PROGRAM.len()..]);
        if before.ends_with('`') {
            commands.extend(rest.split_once('`').map(|(command, _)| command));
            continue;
        }
        let first = rest.split_whitespace().next().unwrap_or_default();
        let is_known = agent_dispatch::command().find_subcommand(first).is_some();
        let begins =
            ["  ", ": ", "$(", "<(", "| ", "&& ", "'", "-- "].iter().any(|end| before.ends_with(end));
        if begins || before.is_empty() && is_known {
            commands.push(rest);
        }
    }
    commands
}

/// The words of a command, as a shell would read them up to the next command, redirection or sentence.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut quote = None;
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '\\') if characters.peek() == Some(&'\n') => {
                characters.next();
                continue;
            }
            (None, '\n' | '|' | '>' | '<' | '&' | ';' | ')') => break,
            (None, ' ') => {
                is_open = false;
                continue;
            }
            _ => {
                if !is_open {
                    words.push(String::new());
                }
                words.last_mut().expect("a word").push(character);
            }
        }
        if !is_open && quote.is_some() {
            words.push(String::new());
        }
        is_open = true;
    }
    words
}

/// Replaces what stands for something: `{id}`, `$id`, JOB.
fn fill(word: &str, filling: &str) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled += before;
        filled += match name {
            "kind" => "agent",
            // What follows is an option of its own, or nothing.
            "again" => "",
            _ => filling,
        };
        rest = after;
    }
    filled += rest;
    if filled.starts_with('$') || filled == "JOB" { filling.to_owned() } else { filled }
}

/// Why a command is none; `None` when it can be typed with some filling of what it leaves open.
fn refusal(command: &str) -> Option<String> {
    let words = words(command);
    let mut lines = vec![vec!["agent-dispatch".to_owned()]];
    for word in &words {
        let mut fillings: Vec<String> = FILLINGS.iter().map(|filling| fill(word, filling)).collect();
        fillings.dedup();
        let with = |line: &Vec<String>, word: &String| line.iter().chain([word]).cloned().collect();
        lines = lines.iter().flat_map(|line| fillings.iter().map(move |word| with(line, word))).collect();
    }
    let errors = lines.into_iter().map(|line| agent_dispatch::command().try_get_matches_from(line).err());
    let mut refusals = errors.map(|error| {
        error.filter(|error| error.kind() != ErrorKind::DisplayHelp).map(|error| error.to_string())
    });
    // The last filling's error is as good as any.
    let mut last = None;
    if refusals.any(|refusal| {
        last = refusal;
        last.is_none()
    }) {
        None
    } else {
        last
    }
}

#[test]
fn every_command_in_a_text_can_be_typed() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for Text { place, value } in texts() {
        for command in commands(&value) {
            count += 1;
            wrong.extend(
                refusal(command).map(|refusal| format!("{place}: agent-dispatch {command}\n{refusal}")),
            );
        }
    }
    assert!(count > 60, "only {count} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_cannot_be_typed_is_found() {
    for text in [
        "see `agent-dispatch agent list`",
        "see `agent-dispatch agents show`",
        "it goes on: agent-dispatch wait {id} --forever",
        "Example:\n  agent-dispatch gc --older-than \"a week\"",
        "  x | agent-dispatch jobs --status lost | wc",
    ] {
        let commands = commands(text);
        assert_eq!(commands.len(), 1, "{text}");
        assert!(refusal(commands[0]).is_some(), "{text}");
    }
    assert!(commands("run agent-dispatch outside the sandbox").is_empty());
    assert_eq!(words("run a \"b c\" --x='d' ''e | f"), ["run", "a", "b c", "--x=d", "e"]);
    assert_eq!(words("run \"\" x; y"), ["run", "", "x"]);
}

/// The options that a text names: `--max-budget-usd`.
fn options(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    words.filter(|word| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic)))
}

/// Options of other programs.
const FOREIGN: [&str; 4] = ["--cached", "--flag", "--locked", "--path"];

#[test]
fn every_option_in_a_text_exists() {
    fn add(command: &Command, options: &mut BTreeSet<String>) {
        options.extend(
            command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))),
        );
        command.get_subcommands().for_each(|command| add(command, options));
    }
    let mut known: BTreeSet<String> = FOREIGN.map(str::to_owned).into();
    let mut root = agent_dispatch::command();
    root.build();
    add(&root, &mut known);
    let mut wrong = Vec::new();
    for Text { place, value } in texts() {
        // How others are called is no business of ours.
        if place.contains("src/backend/claude/command_line.rs") {
            continue;
        }
        wrong.extend(
            options(&value).filter(|option| !known.contains(*option)).map(|o| format!("{place}: {o}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_key_of_the_settings_in_a_text_exists() {
    let schema: Value = serde_json::from_str(agent_dispatch::config::SCHEMA).unwrap();
    let settings = &schema["properties"]["settings"];
    let settings = settings["$ref"].as_str().map_or(settings, |path| schema.pointer(&path[1..]).unwrap());
    let mut count = 0;
    for Text { place, value } in texts() {
        for (at, _) in value.match_indices("`settings.") {
            let key = value[at + 1..].split('`').next().unwrap_or_default();
            let key = key.trim_start_matches("settings.");
            count += 1;
            assert!(settings["properties"].get(key).is_some(), "{place}: there is no setting {key}");
        }
    }
    assert!(count >= 5, "only {count} keys were found");
}
