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
    let home = ClaudeHome::read(directory.path(), |_| None);
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
        home.trusts_project(&key_of(directory, |path| path.starts_with(&self.root) && is_repository(path)))
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
            fs::write(project.path().join(".claude").join(name), json!({"sandbox": settings}).to_string())
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
    let told: Vec<_> = found.iter().map(|one| (one.scope, one.name.as_str(), one.command.as_str())).collect();
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
    let home = ClaudeHome::read(Path::new("/nowhere"), environment);
    let names: Vec<_> = home.unreadable.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(names, [STATE, "settings.json"]);
    assert!(home.mcp_servers(Path::new("/nowhere")).is_empty());
}
