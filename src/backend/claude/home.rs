//! What Claude Code keeps about its user and their projects. Only read here, never written.
//!
//! As 2.1.330 has it: `~/.claude.json` holds the state (MCP servers, trust, the account), `~/.claude/` the settings
//! and, where there is no keychain, the credentials. With `CLAUDE_CONFIG_DIR` all of it is in that directory.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::backend::{Environment, Registration, Scope};
use crate::os::read_whole;

/// The state file, in the home directory or in `CLAUDE_CONFIG_DIR`.
const STATE: &str = ".claude.json";

/// The largest file that is read, in bytes. State files of long use have some megabytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The largest file that names a git directory, in bytes: a path and a word.
const MAX_LINK_BYTES: u64 = 16 * 1024;

/// Claude Code's own files.
#[derive(Debug, Clone, Default)]
pub struct ClaudeHome {
    /// The state file.
    pub state_path: PathBuf,
    /// The directory with settings and credentials.
    pub directory: PathBuf,
    /// Files that are there and cannot be read as JSON: which, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    pub(super) state: Value,
    pub(super) settings: Value,
    pub(super) credentials: Value,
}

impl ClaudeHome {
    /// Reads the files of the user whose home directory is `home`; `environment` looks up a variable.
    pub fn read(home: &Path, environment: Environment<'_>) -> Self {
        let configured = configured(environment);
        let configured = configured.map(|path| std::path::absolute(&path).unwrap_or(path));
        let state_path = configured.as_deref().unwrap_or(home).join(STATE);
        let directory = configured.unwrap_or_else(|| home.join(".claude"));
        // Where it kept the state once; it goes on using it.
        let old = directory.join(".config.json");
        let state_path = if old.exists() { old } else { state_path };
        let mut unreadable = Vec::new();
        let mut read = |path: PathBuf| match read_json(&path) {
            Ok(value) => value.unwrap_or_default(),
            Err(reason) => {
                unreadable.push((path, reason));
                Value::Null
            }
        };
        let state = read(state_path.clone());
        let settings = read(directory.join("settings.json"));
        let credentials = read(directory.join(".credentials.json"));
        Self { state_path, directory, unreadable, state, settings, credentials }
    }

    /// Whether the user has accepted the trust dialog for the project that `directory` is in.
    pub fn trusts(&self, directory: &Path) -> bool {
        self.trusts_project(&key_of(directory, is_repository))
    }

    fn trusts_project(&self, key: &str) -> bool {
        self.state["projects"][key]["hasTrustDialogAccepted"] == true
    }

    /// Whether the user's own settings grant permissions: rules that allow, or a mode other than the default.
    pub fn grants_permissions(&self) -> bool {
        let permissions = &self.settings["permissions"];
        let mode = permissions["defaultMode"].as_str();
        count(&permissions["allow"]) > 0 || mode.is_some_and(|mode| mode != "default")
    }

    /// How many rules that allow something a project has: in its shared settings, which are ignored without trust, and
    /// in the user's own settings for it, which are not.
    ///
    /// # Errors
    ///
    /// Why the settings cannot be read.
    pub fn allow_rules(&self, directory: &Path) -> Result<(usize, usize), String> {
        let rules = |name: &str| -> Result<usize, String> {
            let path = directory.join(".claude").join(name);
            let settings = read_json(&path).map_err(|reason| format!("{}: {reason}", path.display()))?;
            Ok(settings.map_or(0, |settings| count(&settings["permissions"]["allow"])))
        };
        Ok((rules("settings.json")?, rules("settings.local.json")?))
    }

    /// The settings file that switches on Claude Code's own sandbox in `directory`, where nothing makes it a condition: a
    /// sandbox that cannot start is dropped after one error, and commands run without it. Settings that cannot be read say
    /// nothing.
    pub fn optional_sandbox(&self, directory: &Path) -> Option<PathBuf> {
        let project = |name: &str| {
            let path = directory.join(".claude").join(name);
            let settings = read_json(&path).ok().flatten().unwrap_or_default();
            (path, settings)
        };
        // What comes first counts.
        let layers = [
            project("settings.local.json"),
            project("settings.json"),
            (self.directory.join("settings.json"), self.settings.clone()),
        ];
        let said = |key: &str| {
            layers.iter().find_map(|(path, settings)| Some((path, settings["sandbox"][key].as_bool()?)))
        };
        let (path, is_on) = said("enabled")?;
        let is_condition = said("failIfUnavailable").is_some_and(|(_, is_condition)| is_condition);
        (is_on && !is_condition).then(|| path.clone())
    }

    /// The MCP servers that Claude Code would start in `directory`, those of plugins excepted.
    pub fn mcp_servers(&self, directory: &Path) -> Vec<Registration> {
        let own = |servers: &Value, scope| registrations(servers, scope, &self.state_path);
        let mut found = own(&self.state["mcpServers"], Scope::User);
        found.extend(own(
            &self.state["projects"][key_of(directory, is_repository)]["mcpServers"],
            Scope::Local,
        ));
        let path = directory.join(".mcp.json");
        if let Ok(Some(file)) = read_json(&path) {
            found.extend(registrations(&file["mcpServers"], Scope::Project, &path));
        }
        found
    }
}

/// The directory that all of it is in, where the environment names one.
pub(super) fn configured(environment: Environment<'_>) -> Option<PathBuf> {
    environment("CLAUDE_CONFIG_DIR").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn registrations(servers: &Value, scope: Scope, path: &Path) -> Vec<Registration> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let none = Map::new();
    let servers = servers.as_object().unwrap_or(&none).iter();
    let registration = |(name, server): (&String, &Value)| Registration {
        scope,
        path: path.to_owned(),
        name: name.clone(),
        command: text(&server["command"]),
        arguments: server["args"].as_array().into_iter().flatten().map(text).collect(),
        environment: server["env"]
            .as_object()
            .unwrap_or(&none)
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    };
    servers.map(registration).collect()
}

/// Whether Claude Code takes a directory for the root of a repository: 2.1.332 does so for anything called `.git`, also
/// where git does not: an empty directory, an empty file, one that names a place that is not there. (2.1.197 does so but
/// for the last.)
fn is_repository(directory: &Path) -> bool {
    directory.join(".git").exists()
}

/// The name under which the state has the project that `directory` is in: its repository (of a linked worktree, the
/// main one), else the directory itself, without links.
fn key_of(directory: &Path, is_repository: impl Fn(&Path) -> bool) -> String {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let root = directory.ancestors().find(|path| is_repository(path));
    let root = root.map(|root| main_worktree(root).unwrap_or_else(|| root.to_owned()));
    root.unwrap_or(directory).to_string_lossy().into_owned()
}

/// The main worktree of the linked one at `root`, if it is one.
fn main_worktree(root: &Path) -> Option<PathBuf> {
    // In a directory that anybody may have prepared: a FIFO is not waited for.
    let read = |path: &Path| String::from_utf8(read_whole(path, MAX_LINK_BYTES).ok()?).ok();
    let link = read(&root.join(".git"))?;
    let git = root.join(link.strip_prefix("gitdir:")?.trim());
    let common = read(&git.join("commondir"))?;
    git.join(common.trim()).canonicalize().ok()?.parent().map(Path::to_owned)
}

/// The JSON in a file; `None` when there is no file.
fn read_json(path: &Path) -> Result<Option<Value>, String> {
    let bytes = match read_whole(path, MAX_BYTES) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| error.to_string())?,
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("it is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    fn home(files: &[(&str, Value)]) -> (tempfile::TempDir, ClaudeHome) {
        let directory = tempfile::tempdir().unwrap();
        for (name, value) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, value.to_string()).unwrap();
        }
        let home = ClaudeHome::read(directory.path(), &|_| None);
        (directory, home)
    }

    /// Directories of a test: what lies above them, a repository that all of them are in, say, does not count.
    struct Tree {
        _directory: tempfile::TempDir,
        root: PathBuf,
    }

    impl Tree {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().canonicalize().unwrap();
            Self { _directory: directory, root }
        }

        /// Makes a directory.
        fn directory(&self, name: &str) -> PathBuf {
            let path = self.root.join(name);
            fs::create_dir_all(&path).unwrap();
            path
        }

        /// Whether trust in `trusted` is trust in `directory`.
        fn trusts(&self, trusted: &Path, directory: &Path) -> bool {
            let projects = json!({"projects": {trusted.to_str().unwrap(): {"hasTrustDialogAccepted": true}}});
            let (_home, home) = home(&[(STATE, projects)]);
            home.trusts_project(&key_of(directory, |path| {
                path.starts_with(&self.root) && is_repository(path)
            }))
        }
    }

    #[test]
    fn trust_is_given_to_a_repository_as_a_whole_and_else_to_one_directory() {
        let tree = Tree::new();
        let (plain, inner) = (tree.directory("plain"), tree.directory("repository/inner"));
        tree.directory("repository/.git");
        let repository = tree.root.join("repository");
        assert!(tree.trusts(&plain, &plain));
        assert!(!tree.trusts(&tree.root, &plain), "a directory above it is another one");
        assert!(tree.trusts(&repository, &inner));
        assert!(!tree.trusts(&inner, &inner));
        let link = tree.root.join("link");
        std::os::unix::fs::symlink(&plain, &link).unwrap();
        assert!(tree.trusts(&plain, &link));
        fs::write(plain.join(".git"), "").unwrap();
        assert!(tree.trusts(&plain, &tree.directory("plain/below")), "Claude Code does not look into `.git`");
    }

    #[test]
    fn a_linked_worktree_has_the_trust_of_the_main_one() {
        let tree = Tree::new();
        let git = tree.directory("main/.git/worktrees/linked");
        fs::write(git.join("commondir"), "../..\n").unwrap();
        let linked = tree.directory("linked");
        fs::write(linked.join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
        assert!(tree.trusts(&tree.root.join("main"), &linked));
        assert!(!tree.trusts(&linked, &linked));
        // What an agent put there: a read would wait for ever.
        let trap = tree.directory("trap");
        let made = std::process::Command::new("mkfifo").arg(trap.join(".git")).status().unwrap();
        assert!(made.success());
        assert!(tree.trusts(&trap, &trap));
    }

    #[test]
    fn a_sandbox_that_may_be_missing_is_found_in_the_settings_that_count() {
        let optional = |user: Value, shared: Value, own: Value| {
            let project = tempfile::tempdir().unwrap();
            fs::create_dir(project.path().join(".claude")).unwrap();
            for (name, settings) in [("settings.json", shared), ("settings.local.json", own)] {
                fs::write(
                    project.path().join(".claude").join(name),
                    json!({"sandbox": settings}).to_string(),
                )
                .unwrap();
            }
            let (_home, home) = home(&[(".claude/settings.json", json!({"sandbox": user}))]);
            let path = home.optional_sandbox(project.path())?;
            Some(path.file_name()?.to_str()?.to_owned())
        };
        let (on, off, condition) =
            (json!({"enabled": true}), json!({"enabled": false}), json!({"failIfUnavailable": true}));
        let none = || json!({});
        assert_eq!(optional(none(), none(), none()), None);
        assert_eq!(optional(on.clone(), none(), none()).as_deref(), Some("settings.json"));
        assert_eq!(optional(none(), none(), on.clone()).as_deref(), Some("settings.local.json"));
        assert_eq!(optional(on.clone(), none(), off.clone()), None);
        assert_eq!(optional(on.clone(), condition.clone(), none()), None);
        assert_eq!(optional(json!({"enabled": true, "failIfUnavailable": true}), none(), none()), None);
        assert_eq!(optional(json!("x"), json!([]), none()), None);
    }

    #[test]
    fn servers_are_found_in_every_scope() {
        let project = tempfile::tempdir().unwrap();
        let project = project.path().canonicalize().unwrap();
        // A repository of its own, whatever it lies in.
        fs::create_dir(project.join(".git")).unwrap();
        let server = json!({"command": "x", "args": ["serve-mcp"], "env": {"A": "1"}});
        fs::write(project.join(".mcp.json"), json!({"mcpServers": {"c": server}}).to_string()).unwrap();
        let local = json!({project.to_str().unwrap(): {"mcpServers": {"b": {"type": "http", "url": "u"}}}});
        let (_directory, home) = home(&[(STATE, json!({"mcpServers": {"a": server}, "projects": local}))]);
        let found = home.mcp_servers(&project);
        let told: Vec<_> =
            found.iter().map(|one| (one.scope, one.name.as_str(), one.command.as_str())).collect();
        assert_eq!(told, [(Scope::User, "a", "x"), (Scope::Local, "b", ""), (Scope::Project, "c", "x")]);
        assert_eq!(found[0].arguments, ["serve-mcp"]);
        assert_eq!(found[0].environment, [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_configured_directory_has_everything_and_garbage_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        fs::write(path.join(STATE), "{").unwrap();
        fs::create_dir(path.join("settings.json")).unwrap();
        let environment = |name: &str| (name == "CLAUDE_CONFIG_DIR").then(|| path.clone().into_os_string());
        let home = ClaudeHome::read(Path::new("/nowhere"), &environment);
        let names: Vec<_> = home.unreadable.iter().map(|(path, _)| path.file_name().unwrap()).collect();
        assert_eq!(names, [STATE, "settings.json"]);
        assert!(home.mcp_servers(Path::new("/nowhere")).is_empty());
    }
}
