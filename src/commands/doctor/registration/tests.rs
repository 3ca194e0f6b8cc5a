use super::*;
use crate::commands::doctor::finding::Level;

fn registration(command: &str, arguments: &[&str], scope: Scope) -> Registration {
    Registration {
        scope,
        path: "/me/.claude.json".into(),
        name: NAME.to_owned(),
        command: command.to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        environment: Vec::new(),
    }
}

fn target_of(registration: &Registration) -> Target {
    target(registration, None, Path::new("/"), Some(OsStr::new("/bin:/usr/bin")))
}

#[test]
fn what_is_not_this_tool_is_never_started() {
    let user = |command, arguments| target_of(&registration(command, arguments, Scope::User));
    assert!(matches!(user("", &[]), Target::Elsewhere));
    assert!(matches!(user("${BIN}/agent-dispatch", &["serve"]), Target::Unexpanded));
    assert!(matches!(user("/missing/agent-dispatch", &["serve-mcp"]), Target::Missing));
    assert!(matches!(user("sh", &["run"]), Target::NoServer));
    assert!(matches!(user("sh", &["run", "api", "serve-mcp"]), Target::NoServer));
    assert!(matches!(user("sh", &["--config", "serve-mcp", "gc", "--all"]), Target::NoServer));
    assert!(matches!(user("sh", &["--config", "a.yaml", "-q", "serve"]), Target::Untrusted(_)));
    assert!(matches!(user("sh", &["serve-mcp"]), Target::Untrusted(_)));
    let directory = tempfile::tempdir().unwrap();
    let planted = directory.path().join(NAME);
    std::os::unix::fs::symlink("/bin/sh", &planted).unwrap();
    let planted = registration(planted.to_str().unwrap(), &["serve-mcp"], Scope::Project);
    assert!(matches!(target_of(&planted), Target::Untrusted(_)));
}

#[test]
fn an_older_server_is_a_warning_and_a_broken_one_an_error() {
    let judged = |is_this, info| {
        let target = Target::Server { program: "/opt/agent-dispatch".into(), is_this, info };
        let facts = Facts { registration: registration("x", &["serve-mcp"], Scope::User), target };
        judge(&facts).into_iter().map(|finding| (finding.id, finding.level)).collect::<Vec<_>>()
    };
    let info = |version: &str| Ok(ServerInfo { name: NAME.to_owned(), version: version.to_owned() });
    let registered = ("mcp-registered", Level::Ok);
    let fine = ("mcp-server", Level::Ok);
    assert_eq!(judged(true, info("0.0.1")), [registered, fine]);
    assert_eq!(judged(false, info("0.0.1")), [registered, ("mcp-binary", Level::Warning), fine]);
    let same = info(env!("CARGO_PKG_VERSION"));
    assert_eq!(judged(false, same), [registered, ("mcp-binary", Level::Note), fine]);
    let silent = Err(ProbeError::Silent(PATIENCE));
    assert_eq!(judged(true, silent), [registered, ("mcp-server", Level::Error)]);
}

#[test]
fn the_fix_names_the_scope() {
    let facts = Facts { registration: registration("/x", &[], Scope::Local), target: Target::Missing };
    let fix = judge(&facts).remove(0).fix.unwrap();
    assert_eq!(fix, "claude mcp remove agent-dispatch -s local && agent-dispatch init");
}
