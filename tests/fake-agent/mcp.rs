//! `claude mcp`: the registry of MCP servers in `~/.claude.json` or `$CLAUDE_CONFIG_DIR/.claude.json`, user scope only.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

/// `add-json NAME JSON`, `add NAME -- COMMAND…`, `get NAME`, `list`, `remove NAME`, each with `-s user`.
pub(crate) fn perform(arguments: &[String]) -> io::Result<i32> {
    let directory = std::env::var_os("CLAUDE_CONFIG_DIR").or_else(|| std::env::var_os("HOME"));
    let file = PathBuf::from(directory.unwrap_or_default()).join(".claude.json");
    let mut settings: Value = match fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => json!({}),
    };
    let (options, command) = match arguments.iter().position(|word| word == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let mut words = Vec::new();
    let mut rest = options.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-s" | "--scope" | "-t" | "--transport" => drop(rest.next()),
            word if word.starts_with('-') => return say_error(&format!("error: unknown option '{word}'")),
            word => words.push(word),
        }
    }
    let servers = &mut settings["mcpServers"];
    match words[..] {
        ["list"] => {
            let names: Vec<&String> = servers.as_object().into_iter().flat_map(|map| map.keys()).collect();
            if names.is_empty() {
                return say("No MCP servers configured. Use `claude mcp add` to add a server.");
            }
            names.iter().try_for_each(|name| say(&format!("{name}: ✔ Connected")).map(drop))?;
            return Ok(0);
        }
        ["get", name] => {
            return match servers.get(name) {
                Some(server) => {
                    say(&format!("{name}:\n  Scope: User config\n  Command: {}", server["command"]))
                }
                None => {
                    say_error(&format!("No MCP server named \"{name}\". Run `claude mcp add` to add one."))
                }
            };
        }
        ["add-json", name, _] | ["add", name, ..] if servers.get(name).is_some() => {
            return say_error(&format!("MCP server {name} already exists in user config"));
        }
        ["add-json", name, definition] => servers[name] = serde_json::from_str(definition)?,
        ["add", name, ref inline @ ..] => {
            let mut command = inline.iter().map(|word| (*word).to_owned()).chain(command.iter().cloned());
            servers[name] = json!({"command": command.next(), "args": command.collect::<Vec<_>>()});
        }
        ["remove", name] => {
            if servers.as_object_mut().and_then(|servers| servers.shift_remove(name)).is_none() {
                return say_error(&format!("No MCP server named \"{name}\" in user scope"));
            }
        }
        _ => return say_error("error: unknown command"),
    }
    fs::write(file, settings.to_string())?;
    say(&format!("{} MCP server {} (user config)", words[0], words[1]))
}

fn say(line: &str) -> io::Result<i32> {
    writeln!(io::stdout(), "{line}")?;
    Ok(0)
}

fn say_error(line: &str) -> io::Result<i32> {
    writeln!(io::stderr(), "{line}")?;
    Ok(1)
}
