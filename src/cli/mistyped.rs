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
        let Some(name) = word.strip_prefix("--") else {
            let short = word.strip_prefix('-').and_then(|rest| rest.chars().next());
            let option =
                short.and_then(|letter| options(root, command).find(|it| it.get_short() == Some(letter)));
            if option.is_some_and(takes_value) && word.chars().count() == 2 {
                words.next();
            } else if let Some(sub) = command.find_subcommand(&*word) {
                command = sub;
            }
            continue;
        };
        let (name, has_value) = name.split_once('=').map_or((name, false), |(name, _)| (name, true));
        match options(root, command).find(|option| longs(option).any(|long| long == name)) {
            Some(option) if takes_value(option) && !has_value => drop(words.next()),
            Some(_) => {}
            // Those clap adds to every command.
            None if name == "help" => return None,
            None if takes_any_text(command) && looks_like_an_option(name) => {
                return Some(error(root, command, name));
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

fn looks_like_an_option(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn error(root: &Command, command: &Command, name: &str) -> Error {
    let known = options(root, command).filter(|option| !option.is_hide_set()).filter_map(Arg::get_long);
    let similar = nearest(name, known)
        .map(|option| format!("\n\n  tip: a similar argument exists: '--{option}'"))
        .unwrap_or_else(|| "\n".to_owned());
    let text = format!(
        "unexpected argument '--{name}' found{similar}\n  tip: to pass '--{name}' as a value, use '-- --{name}'"
    );
    // Built, it knows what it is called with the program's name.
    let mut root = root.clone();
    root.build();
    let called = root.find_subcommand(command.get_name()).cloned();
    called.unwrap_or(root).error(ErrorKind::UnknownArgument, text)
}

#[cfg(test)]
mod tests;
