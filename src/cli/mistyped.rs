//! Options that are none, where a text is asked for.
//!
//! A task may begin with a hyphen, so clap takes `run api --strit` for an agent and its task: a run is paid for what was
//! a slip of the finger, or a later word is blamed for it. A text that is one word and looks like an option is no task.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::config::nearest;

/// The first word that looks like an option of the command that was called, and is none. `words` begin with the
/// program's name.
pub(super) fn find(root: &Command, words: &[OsString]) -> Option<Error> {
    let mut command = root;
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "--" {
            return None;
        }
        let known = match (word.strip_prefix("--"), word.strip_prefix('-')) {
            // Those clap adds to every command.
            (Some("help"), _) | (_, Some("h")) => return None,
            (Some(long), _) => {
                let name = long.split_once('=').map_or(long, |(name, _)| name);
                options(root, command).find(|option| longs(option).any(|long| long == name))
            }
            (None, Some(letters)) => {
                let letter = letters.chars().next();
                options(root, command).find(|option| letter.is_some() && option.get_short() == letter)
            }
            (None, None) => {
                command = command.find_subcommand(&*word).unwrap_or(command);
                continue;
            }
        };
        match known {
            // What follows is its value.
            Some(option) if takes_value(option) && !has_value(&word) => drop(words.next()),
            Some(_) => {}
            None if takes_any_text(command) && looks_like_an_option(&word) => {
                return Some(error(root, command, &word));
            }
            None => {}
        }
    }
    None
}

/// The options that can be given to a command: its own, and those of every command.
fn options<'a>(root: &'a Command, command: &'a Command) -> impl Iterator<Item = &'a Arg> {
    let global = root.get_arguments().filter(|argument| argument.is_global_set());
    command.get_arguments().chain(global).filter(|argument| !argument.is_positional())
}

fn longs(option: &Arg) -> impl Iterator<Item = &str> {
    option.get_long().into_iter().chain(option.get_all_aliases().unwrap_or_default())
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// Whether the command has an argument that a word with a hyphen at its beginning can be.
fn takes_any_text(command: &Command) -> bool {
    command.get_positionals().any(Arg::is_allow_hyphen_values_set)
}

/// Whether a word of the command line brings the value of its option: `--name=value`, `-nvalue`.
fn has_value(word: &str) -> bool {
    if word.starts_with("--") { word.contains('=') } else { word.chars().count() > 2 }
}

/// A lone hyphen is standard input, and a text of several words is a text.
fn looks_like_an_option(word: &str) -> bool {
    word.len() > 1 && !word.contains(char::is_whitespace)
}

fn error(root: &Command, command: &Command, word: &str) -> Error {
    let option = word.split('=').next().unwrap_or(word);
    let known = options(root, command).filter(|option| !option.is_hide_set()).filter_map(Arg::get_long);
    let similar = nearest(option.trim_start_matches('-'), known)
        .map(|option| format!("\n\n  tip: a similar argument exists: '--{option}'"))
        .unwrap_or_else(|| "\n".to_owned());
    let text = format!(
        "unexpected argument '{option}' found{similar}\n  tip: to pass '{word}' as a value, use '-- {word}'"
    );
    // Built, it knows what it is called with the program's name.
    let mut root = root.clone();
    root.build();
    let called = root.find_subcommand(command.get_name()).cloned();
    called.unwrap_or(root).error(ErrorKind::UnknownArgument, text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn found(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        find(&Cli::command(), &words).map(|error| error.to_string())
    }

    #[test]
    fn a_slip_of_the_finger_is_no_task() {
        for (line, wrong, right) in [
            ("ad run api --modle opus x", "--modle", "--model"),
            ("ad run api --strit", "--strit", "--strict"),
            ("ad submit api --timeuot=5m x", "--timeuot", "--timeout"),
            ("ad dialogue api web --max-round 2 topic", "--max-round", "--max-rounds"),
            ("ad resume latest --timeuot 5m", "--timeuot", "--timeout"),
            ("ad --jobs-dir run run api --confg x", "--confg", "--config"),
            ("ad -q run api --modle", "--modle", "--model"),
        ] {
            let error = found(line).unwrap_or_else(|| panic!("{line}"));
            assert!(error.contains(&format!("unexpected argument '{wrong}' found")), "{line}: {error}");
            assert!(error.contains(&format!("a similar argument exists: '{right}'")), "{line}: {error}");
            assert!(error.contains(&format!("use '-- {wrong}")), "{line}: {error}");
            assert!(error.contains("Usage: agent-dispatch "), "{line}: {error}");
        }
    }

    #[test]
    fn texts_and_values_may_begin_with_hyphens() {
        for line in [
            "ad run api --model opus x",
            "ad run api -",
            "ad run api -- --modle",
            "ad run api --goal --modle x",
            "ad run api --goal=--modle x",
            "ad run api --",
            "ad run api -- -x",
            "ad run api --help",
            "ad --version",
            "ad jobs --stauts running",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
        for text in ["--modle is what I typed", "- a list", "-x is a flag"] {
            let words = ["ad", "run", "api", text].map(OsString::from);
            assert!(find(&Cli::command(), &words).is_none(), "{text}");
        }
        for word in ["-x", "--42", "-5"] {
            let error = found(&format!("ad run api {word}")).unwrap();
            assert!(error.contains(&format!("unexpected argument '{word}' found")), "{error}");
        }
    }
}
