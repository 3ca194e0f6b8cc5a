use super::*;
use serde_json::json;

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

fn trusting(path: &Path) -> ClaudeHome {
    let (_directory, home) =
        home(&[(STATE, json!({"projects": {path.to_str().unwrap(): {"hasTrustDialogAccepted": true}}}))]);
    home
}

#[test]
fn trust_is_given_to_a_repository_as_a_whole_and_else_to_one_directory() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let plain = root.join("plain");
    let inner = root.join("repository/inner");
    fs::create_dir_all(&plain).unwrap();
    fs::create_dir_all(&inner).unwrap();
    fs::create_dir_all(root.join("repository/.git")).unwrap();
    assert!(trusting(&plain).trusts(&plain));
    assert!(!trusting(&root).trusts(&plain), "a directory above it is another one");
    assert!(trusting(&root.join("repository")).trusts(&inner));
    assert!(!trusting(&inner).trusts(&inner));
    std::os::unix::fs::symlink(&plain, root.join("link")).unwrap();
    assert!(trusting(&plain).trusts(&root.join("link")));
}

#[test]
fn a_linked_worktree_has_the_trust_of_the_main_one() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let git = root.join("main/.git/worktrees/linked");
    fs::create_dir_all(&git).unwrap();
    fs::write(git.join("commondir"), "../..\n").unwrap();
    fs::create_dir_all(root.join("linked")).unwrap();
    fs::write(root.join("linked/.git"), format!("gitdir: {}\n", git.display())).unwrap();
    assert!(trusting(&root.join("main")).trusts(&root.join("linked")));
    assert!(!trusting(&root.join("linked")).trusts(&root.join("linked")));
}

#[test]
fn servers_are_found_in_every_scope() {
    let project = tempfile::tempdir().unwrap();
    let project = project.path().canonicalize().unwrap();
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
