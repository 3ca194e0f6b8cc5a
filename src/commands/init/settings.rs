//! The hook in Claude Code's user settings.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::splice::{self, Style};
use crate::error::{Exit, Failure};
use crate::os::{create_private_parents, read_whole, replace_file_keeping_mode};

/// The largest settings that are read, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What the server is called there.
const SERVER: &str = env!("CARGO_PKG_NAME");

/// The words of our command that follow the program and its options; by them a hook is known as ours.
pub(super) const COMMAND: [&str; 2] = ["hook", "claude-code"];

/// When Claude Code runs the hook: after it has called a tool.
const EVENT: &str = "PostToolUse";

/// How long a hook may run, in seconds: as long as a job may be waited for. Claude Code gives one 10 minutes otherwise.
const TIMEOUT_SECONDS: u32 = 24 * 60 * 60;

/// What became of the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Installation {
    /// It is new.
    Installed,
    /// It had another command.
    Replaced,
    /// It was there already.
    Unchanged,
}

/// Puts the hook with this command for a shell into the settings at `path`, and changes nothing else there.
pub(super) fn install(path: &Path, command: &str) -> Result<Installation, Failure> {
    let how = "correct it and run this again, or leave --with-hook out; the settings were not changed";
    let refused = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format_args!("failed to put the hook into {}: {why}", path.display()))
            .correct(how)
    };
    let target = target_of(path).map_err(|error| refused(&error))?;
    let old = read(&target).map_err(|error| refused(&error))?;
    let (new, installation) = with_hook(&old, command).map_err(|why| refused(&why))?;
    if installation != Installation::Unchanged {
        let parent = target.parent().unwrap_or(Path::new("/"));
        create_private_parents(parent)
            .and_then(|()| replace_file_keeping_mode(&target, new.as_bytes()))
            .map_err(|error| refused(&error))?;
    }
    Ok(installation)
}

/// The file that `path` leads to: people keep settings among their dotfiles.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(io::Error::other("it is a symbolic link to a file that does not exist")),
            Err(_) => Ok(path.to_owned()),
        },
        target => target,
    }
}

/// The text of the regular file at `path`, empty when it is missing.
fn read(path: &Path) -> io::Result<String> {
    let bytes = match read_whole(path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        read => read?,
    };
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// The members of an object, in its text. Of several with the same name the last one counts, as it does for Claude Code.
type Members<'a> = IndexMap<String, &'a RawValue>;

/// One group of hooks of an event.
#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow)]
    hooks: Vec<&'a RawValue>,
}

/// One hook.
#[derive(Deserialize)]
struct Hook<'a> {
    #[serde(borrow)]
    command: &'a RawValue,
}

/// The settings `text` with the hook; an error says in words what is wrong with them.
fn with_hook(text: &str, command: &str) -> Result<(String, Installation), String> {
    if text.trim().is_empty() {
        let settings = json!({ "hooks": { EVENT: [group(command)] } });
        return Ok((format!("{settings:#}\n"), Installation::Installed));
    }
    let style = Style::of(text);
    let settings: &RawValue =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let top: Members<'_> =
        serde_json::from_str(settings.get()).map_err(|_| "it is no JSON object".to_owned())?;
    let Some(&hooks) = top.get("hooks") else {
        let value = json!({ EVENT: [group(command)] });
        let new = splice::append(settings.get(), 0, &style, Some("hooks"), &value);
        return Ok((splice::replace(text, settings, &new), Installation::Installed));
    };
    let events: Members<'_> =
        serde_json::from_str(hooks.get()).map_err(|_| "\"hooks\" is no object".to_owned())?;
    let Some(&event) = events.get(EVENT) else {
        let new = splice::append(hooks.get(), 1, &style, Some(EVENT), &json!([group(command)]));
        return Ok((splice::replace(text, hooks, &new), Installation::Installed));
    };
    let groups: Vec<&RawValue> =
        serde_json::from_str(event.get()).map_err(|_| format!("\"hooks.{EVENT}\" is no array"))?;
    let ours = commands(&groups);
    if ours.iter().any(|(_, old)| old == command) {
        return Ok((text.to_owned(), Installation::Unchanged));
    }
    Ok(match ours.first() {
        // What else was set for it, its timeout say, stays.
        Some((old, _)) => {
            (splice::replace(text, old, &Value::from(command).to_string()), Installation::Replaced)
        }
        None => {
            let new = splice::append(event.get(), 2, &style, None, &group(command));
            (splice::replace(text, event, &new), Installation::Installed)
        }
    })
}

/// The commands of those hooks that are ours, in the text and as they are meant.
fn commands<'a>(groups: &[&'a RawValue]) -> Vec<(&'a RawValue, String)> {
    let hooks = groups.iter().filter_map(|group| serde_json::from_str::<Group<'a>>(group.get()).ok());
    let hooks = hooks.flat_map(|group| group.hooks);
    let commands = hooks.filter_map(|hook| Some(serde_json::from_str::<Hook<'a>>(hook.get()).ok()?.command));
    let meant = commands.filter_map(|raw| Some((raw, serde_json::from_str::<String>(raw.get()).ok()?)));
    let ending = format!(" {}", COMMAND.join(" "));
    meant.filter(|(_, command)| command.ends_with(&ending)).collect()
}

/// The hook as Claude Code knows hooks.
fn group(command: &str) -> Value {
    json!({
        "matcher": format!("^mcp__{SERVER}__dispatch(_parallel|_dialogue)?$"),
        "hooks": [{
            "type": "command",
            "command": command,
            // In the background also where no person waits (`claude -p`), unlike with the next alone.
            "async": true,
            "asyncRewake": true,
            "timeout": TIMEOUT_SECONDS,
            "rewakeMessage": "From agent-dispatch:",
            "rewakeSummary": "agent-dispatch: a job has finished",
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "/old/agent-dispatch hook claude-code";
    const NEW: &str = "'/new dir/agent-dispatch' --config /c.yaml hook claude-code";

    #[track_caller]
    fn installed(text: &str) -> String {
        let (new, installation) = with_hook(text, NEW).unwrap();
        assert_eq!(installation, Installation::Installed);
        let value: Value = serde_json::from_str(&new).unwrap();
        let groups = value["hooks"][EVENT].as_array().unwrap();
        assert_eq!(groups.last(), Some(&group(NEW)));
        assert_eq!(with_hook(&new, NEW).unwrap(), (new.clone(), Installation::Unchanged));
        new
    }

    #[test]
    fn the_hook_is_added_and_nothing_else_changes() {
        assert!(installed("").ends_with("}\n"));
        installed("{}");
        installed("{\"hooks\":{}}");
        installed("{\"hooks\": {\"PostToolUse\": []}}");
        // Neither numbers nor escapes nor the order of keys survive a parser and a printer.
        let odd =
            "{\n    \"z\": 1.50e+2,  \"a\": \"\\u00e9\\/\",\n    \"permissions\": {\"allow\" : []}\n}\n";
        let new = installed(odd);
        assert!(new.starts_with(odd.trim_end().strip_suffix("\n}").unwrap()), "{new}");
        assert!(new.ends_with("]\n    }\n}\n"), "{new}");
        let other = "{\n  \"hooks\": {\n    \"Stop\": [{\"hooks\": []}],\n    \"PostToolUse\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"x\"}, 7]}, \"odd\"\n    ]\n  },\n  \"model\": \"opus\"\n}";
        let new = installed(other);
        let (before, after) = other.split_at(other.find("\n    ]\n  },").unwrap());
        assert!(new.starts_with(before) && new.ends_with(after), "{new}");
    }

    #[test]
    fn a_hook_with_another_command_gets_the_new_one_and_keeps_the_rest() {
        let (old, _) = with_hook("{\"a\": 1}", OLD).unwrap();
        let old = old.replace("86400", "60");
        let (new, installation) = with_hook(&old, NEW).unwrap();
        assert_eq!(installation, Installation::Replaced);
        assert_eq!(new, old.replace(OLD, NEW));
        // The second of two groups, the second of two hooks.
        let nested = format!(
            "{{\"hooks\":{{\"PostToolUse\":[{{}},{{\"hooks\":[{{\"command\":\"hook claude-codex\"}},{{\"command\":\"{OLD}\"}}]}}]}}}}"
        );
        assert_eq!(with_hook(&nested, NEW).unwrap(), (nested.replace(OLD, NEW), Installation::Replaced));
    }

    #[test]
    fn what_cannot_be_changed_safely_is_refused() {
        for (text, why) in [
            ("{", "it is not JSON: EOF while parsing an object at line 1 column 1"),
            ("{\"a\": 1} // mine", "it is not JSON: trailing characters at line 1 column 10"),
            ("[]", "it is no JSON object"),
            ("{\"hooks\": null}", "\"hooks\" is no object"),
            ("{\"hooks\": {\"PostToolUse\": {}}}", "\"hooks.PostToolUse\" is no array"),
        ] {
            assert_eq!(with_hook(text, NEW).unwrap_err(), why);
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_and_what_is_no_file_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        std::os::unix::fs::symlink("nothing", at("dangling")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        fs::write(at("binary"), [0xff]).unwrap();
        for name in ["loop", "dangling", "directory", "binary"] {
            let failure = install(&at(name), NEW).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains(&at(name).display().to_string()), "{}", failure.message);
        }
        fs::write(at("file"), "{}").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        assert_eq!(install(&at("link"), NEW).unwrap(), Installation::Installed);
        assert!(
            at("link").is_symlink() && fs::read_to_string(at("file")).unwrap().contains("hook claude-code")
        );
    }
}
