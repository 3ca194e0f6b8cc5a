//! Claude Code's registry of MCP servers. It is read from its files and changed only by `claude` itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::home::ClaudeHome;
use super::profile::{INSTALLATION, PROFILE, PROGRAM};
use crate::backend::{McpClient, Registered, Registration, RegistrationError, ServerCommand, Surroundings};
use crate::os::{ProbeError, ask, find_program, read_whole};
use crate::text::shell;

/// The largest state file that is read, in bytes. Those of long use have some megabytes.
const MAX_STATE_BYTES: u64 = 64 * 1024 * 1024;

/// How long `claude` may take to change its registry. It takes under a second; one that looks for an update in vain, or
/// hangs at its start, would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Claude Code as a client.
pub(super) struct ClaudeClient<'a> {
    home: ClaudeHome,
    path: Option<&'a OsStr>,
}

impl<'a> ClaudeClient<'a> {
    pub(super) fn new(surroundings: Surroundings<'a>) -> Self {
        let home = ClaudeHome::read(surroundings.home, surroundings.environment);
        Self { home, path: surroundings.path }
    }

    /// What is registered for the user under this name.
    fn registered(&self, name: &str) -> Result<Option<Value>, RegistrationError> {
        let file = &self.home.state_path;
        // What cannot be read here, `claude` will complain about.
        let Ok(text) = read_whole(file, MAX_STATE_BYTES) else { return Ok(None) };
        let state: Value = serde_json::from_slice(&text).map_err(|error| RegistrationError::Damaged {
            title: PROFILE.title,
            file: file.clone(),
            error,
            copies: self.home.directory.join("backups"),
        })?;
        Ok(state["mcpServers"].get(name).cloned())
    }
}

impl McpClient for ClaudeClient<'_> {
    fn title(&self) -> &'static str {
        PROFILE.title
    }

    fn servers(&self, directory: &Path) -> Vec<Registration> {
        self.home.mcp_servers(directory)
    }

    fn file(&self) -> &Path {
        &self.home.state_path
    }

    fn is_readable(&self) -> bool {
        !self.home.unreadable.iter().any(|(path, _)| *path == self.home.state_path)
    }

    fn hook_settings(&self) -> Option<PathBuf> {
        Some(self.home.directory.join("settings.json"))
    }

    fn removal(&self, registration: &Registration) -> String {
        let Registration { name, scope, .. } = registration;
        format!("{PROGRAM} mcp remove {} -s {}", shell::word(name), scope.name())
    }

    fn register(&self, server: &ServerCommand<'_>) -> Result<Registered, RegistrationError> {
        let Ok(claude) = find_program(PROGRAM, self.path, Path::new("/")) else {
            return Ok(Registered::NotInstalled { program: PROGRAM, installation: &INSTALLATION });
        };
        let before = self.registered(server.name)?;
        let (command, arguments) = (json!(server.program), json!(server.arguments));
        let is_ours = |server: &Value| {
            server["command"] == command
                && server["args"] == arguments
                && server.get("type").is_none_or(|kind| kind == "stdio")
        };
        if before.as_ref().is_some_and(is_ours) {
            return Ok(Registered::Unchanged);
        }
        let mut definition = json!({ "type": "stdio", "command": command, "args": arguments });
        // What the user added to it, its environment say, stays.
        for (key, value) in before.as_ref().and_then(Value::as_object).into_iter().flatten() {
            if definition.get(key).is_none() && !["url", "headers"].contains(&key.as_str()) {
                definition[key] = value.clone();
            }
        }
        let definition = definition.to_string();
        let add = ["mcp", "add-json", server.name, &definition, "-s", "user"];
        let by_hand = shell::command(std::iter::once(PROGRAM).chain(add));
        let run = |arguments: &[&str]| {
            let words = match ask(&claude, arguments, PATIENCE) {
                Ok(_) => return Ok(()),
                Err(ProbeError::Failed { status, said }) if said.is_empty() => {
                    format!("it said nothing ({status})")
                }
                Err(ProbeError::Failed { said, .. }) => said,
                Err(error) => error.to_string(),
            };
            let command = format!("{PROGRAM} {}", arguments[..2].join(" "));
            Err(RegistrationError::Refused { command, words, by_hand: by_hand.clone() })
        };
        if before.is_some() {
            run(&["mcp", "remove", server.name, "-s", "user"])?;
        }
        run(&add)?;
        Ok(before.map_or(Registered::New, |before| Registered::Replaced { before: command_of(&before) }))
    }
}

/// What a registered server is started with, as a command for a shell; for one that is not started, where it is.
fn command_of(server: &Value) -> String {
    let words = std::iter::once(&server["command"]).chain(server["args"].as_array().into_iter().flatten());
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    if words.is_empty() {
        server["url"].as_str().unwrap_or("nothing").to_owned()
    } else {
        shell::command(words)
    }
}
