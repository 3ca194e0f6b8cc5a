//! Claude Code's registry of MCP servers. It is read from its file and changed only by `claude` itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::invocation::Invocation;
use crate::config::home_directory;
use crate::error::{Exit, Failure};
use crate::os::{ProbeError, ask, find_program, read_whole};
use crate::ui::shell;

/// The largest state file that is read, in bytes. Those of long use have some megabytes.
const MAX_STATE_BYTES: u64 = 64 * 1024 * 1024;

/// What the server is called there, and with it its tools: `mcp__agent-dispatch__dispatch`.
pub(super) const SERVER: &str = "agent-dispatch";

/// The command that is the MCP server.
pub(super) const SERVE: [&str; 1] = ["serve-mcp"];

/// How long `claude` may take to change its registry. It takes under a second; one that looks for an update in vain, or
/// hangs at its start, would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where Claude Code keeps what belongs to a user.
#[derive(Debug)]
pub(super) struct Places {
    /// `settings.json` of the user.
    pub(super) settings: PathBuf,
    /// The file with the MCP servers, among other things.
    state: PathBuf,
}

impl Places {
    /// `CLAUDE_CONFIG_DIR`, else the home directory.
    pub(super) fn of_this_process() -> Result<Self, Failure> {
        let named = std::env::var_os("CLAUDE_CONFIG_DIR").filter(|path| !path.is_empty());
        let named = named.and_then(|path| std::path::absolute(path).ok());
        let home = home_directory().ok_or_else(|| {
            Failure::new(Exit::Failure, "failed to find Claude Code's files: HOME is not set")
        });
        let (directory, state) = match named {
            Some(directory) => (directory.clone(), directory.join(".claude.json")),
            None => home.map(|home| (home.join(".claude"), home.join(".claude.json")))?,
        };
        // Where Claude Code kept it once; it goes on using it.
        let old = directory.join(".config.json");
        Ok(Self { settings: directory.join("settings.json"), state: if old.exists() { old } else { state } })
    }

    /// What is registered under our name.
    fn registered(&self) -> Result<Option<Value>, Failure> {
        // What cannot be read here, `claude` will complain about.
        let Ok(text) = read_whole(&self.state, MAX_STATE_BYTES) else { return Ok(None) };
        let state: Value = serde_json::from_slice(&text).map_err(|error| {
            let state = self.state.display();
            Failure::new(
                Exit::Usage,
                format_args!("failed to register the MCP server: {state} is not JSON: {error}"),
            )
            .hint(format!(
                "mend it there, or put back one of the copies that Claude Code keeps in {}; then repeat this",
                self.settings.with_file_name("backups").display()
            ))
        })?;
        Ok(state["mcpServers"].get(SERVER).cloned())
    }
}

/// What became of the registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Registration {
    /// It is new.
    Registered,
    /// This one, which was another, was replaced.
    Replaced(Value),
    /// It was there already.
    Unchanged,
    /// There is no `claude`.
    NoClaude,
}

/// Registers the MCP server for all projects of the user.
pub(super) fn register(places: &Places, invocation: &Invocation) -> Result<Registration, Failure> {
    let Ok(claude) = find_program("claude", std::env::var_os("PATH").as_deref(), Path::new("/")) else {
        return Ok(Registration::NoClaude);
    };
    let before = places.registered()?;
    let (command, arguments) = (json!(invocation.program), json!(invocation.arguments(&SERVE)));
    let is_ours = |server: &Value| {
        server["command"] == command
            && server["args"] == arguments
            && server.get("type").is_none_or(|kind| kind == "stdio")
    };
    if before.as_ref().is_some_and(is_ours) {
        return Ok(Registration::Unchanged);
    }
    let mut definition = json!({ "type": "stdio", "command": command, "args": arguments });
    // What the user added to it, its environment say, stays.
    for (key, value) in before.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if definition.get(key).is_none() && !["url", "headers"].contains(&key.as_str()) {
            definition[key] = value.clone();
        }
    }
    let definition = definition.to_string();
    let add = ["mcp", "add-json", SERVER, &definition, "-s", "user"];
    let by_hand = shell::command(std::iter::once("claude").chain(add));
    let run = |arguments: &[&str]| {
        let words = match ask(&claude, arguments, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(ProbeError::Failed { status, said }) if said.is_empty() => {
                format!("it said nothing ({status})")
            }
            Err(ProbeError::Failed { said, .. }) => said,
            Err(error) => error.to_string(),
        };
        let command = arguments[..2].join(" ");
        Err(Failure::new(Exit::Failure, format_args!("`claude {command}` failed: {words}"))
            .hint(format!("register it by hand: {by_hand}")))
    };
    if before.is_some() {
        run(&["mcp", "remove", SERVER, "-s", "user"])?;
    }
    run(&add)?;
    Ok(before.map_or(Registration::Registered, Registration::Replaced))
}

/// What a registered server is started with, as a command for a shell; for one that is not started, where it is.
pub(super) fn command_of(server: &Value) -> String {
    let words = std::iter::once(&server["command"]).chain(server["args"].as_array().into_iter().flatten());
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    if words.is_empty() {
        server["url"].as_str().unwrap_or("nothing").to_owned()
    } else {
        shell::command(words)
    }
}
