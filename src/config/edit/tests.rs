use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::*;
use crate::config::agent::AGENT_KEYS;
use crate::config::{Field, Member, MemberChanges, load};
use crate::model::{Access, AgentChange, Remedy, Row};

/// A directory with a config in it, and an agent's directory.
struct Fixture {
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new(text: &str) -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(fixture.project()).unwrap();
        fs::write(fixture.path(), text).unwrap();
        fixture
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("agents.yaml")
    }

    fn project(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn editor(&self) -> Editor {
        Editor::new(self.path())
    }

    fn add(&self, name: &str) -> Result<Config, EditError> {
        self.editor().add_agent(&name.parse().unwrap(), &self.project(), &AgentChanges::default())
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_agent_creates_an_owner_only_config() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/agent-dispatch/agents.yaml");
    let config = Editor::new(&path)
        .add_agent(&"a".parse().unwrap(), directory.path(), &AgentChanges::default())
        .unwrap();
    assert_eq!(config.agents["a"].directory, directory.path().canonicalize().unwrap());
    assert_eq!(load(&path).unwrap(), config);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path.with_extension("yaml.lock")), 0o600);
}

/// Changes that give keys these values.
fn setting(values: &Value) -> AgentChanges {
    let mut changes = AgentChanges::default();
    for (name, value) in values.as_object().unwrap() {
        let row = Row::named(AGENT_KEYS, name).unwrap();
        changes.set(row, row.slot.of_json(value).unwrap());
    }
    changes
}

#[test]
fn every_field_can_be_set_kept_and_removed() {
    let fixture = Fixture::new("# mine\n");
    let name = "a".parse().unwrap();
    let list = json!(["x y", "B(z:*)"]);
    let changes = setting(&json!({
        "description": "yes: no", "timeout": 90, "idle_timeout": 0.5, "max_budget_usd": 0.25, "model": "opus",
        "permission_mode": "plan", "allowed_tools": list, "disallowed_tools": [], "capabilities": list,
        "risky_capabilities": list, "instructions": "# one\n\ntwo: three\n", "backend": "command", "command": list,
        "exclusive": true, "max_concurrency": 3, "trusted": true,
    }));
    assert_eq!(changes.fields().len(), AGENT_KEYS.len() - 1, "all but the directory");
    let full = fixture.editor().add_agent(&name, &fixture.project(), &changes).unwrap();
    let agent = &full.agents["a"];
    assert_eq!(agent.description, "yes: no");
    assert_eq!(agent.idle_timeout.unwrap().duration(), Duration::from_millis(500));
    assert_eq!(agent.disallowed_tools.as_deref(), Some(&[][..]));
    assert_eq!(agent.instructions.as_deref(), Some("# one\n\ntwo: three\n"));
    assert_eq!(full.warnings, []);

    let kept = fixture.editor().update_agent(&name, &AgentChanges::default()).unwrap();
    assert_eq!(kept, full);
    let mut gone = AgentChanges::default();
    gone.set(&AGENT_KEYS[0], FieldValue::Path(fixture.directory.path().to_owned()));
    assert!(AGENT_KEYS.iter().filter(|row| row.name != "directory").all(|row| gone.unset(row)));
    let bare = fixture.editor().update_agent(&name, &gone).unwrap();
    let directory = fixture.directory.path().canonicalize().unwrap();
    assert_eq!(bare.agents["a"], crate::config::Agent { directory, ..Default::default() });
    assert!(fixture.text().starts_with("# mine\n"));
}

#[test]
fn groups_are_added_changed_and_removed() {
    let fixture = Fixture::new("agents: {}\n");
    fixture.add("a").unwrap();
    let name = "team".parse().unwrap();
    let member =
        |agent: &str, use_for: &str| Member { agent: agent.parse().unwrap(), use_for: use_for.to_owned() };
    let members = vec![member("a", "this: and that"), member("b", "")];
    let changes = GroupChanges {
        shared_context: Field::Set("line\nline".into()),
        members: MemberChanges { put: members.clone(), ..Default::default() },
        ..Default::default()
    };
    let config = fixture.editor().add_group(&name, &changes).unwrap();
    assert_eq!(config.groups["team"].members, members);
    assert_eq!(config.warnings.len(), 1);
    let leaves = MemberChanges { remove: vec!["b".parse().unwrap()], ..Default::default() };
    let changes = GroupChanges { members: leaves, ..Default::default() };
    let config = fixture.editor().update_group(&name, &changes).unwrap();
    assert_eq!(config.groups["team"].members.len(), 1);
    assert_eq!(config.groups["team"].shared_context, "line\nline");

    // The member outlives its agent.
    let config = fixture.editor().remove_agent(&"a".parse().unwrap()).unwrap();
    assert_eq!(config.groups["team"].members.len(), 1);
    assert_eq!(config.warnings.len(), 1);
    assert!(fixture.editor().remove_group(&name).unwrap().groups.is_empty());
    assert!(matches!(fixture.editor().remove_group(&name), Err(EditError::Unknown { .. })));
}

#[test]
fn members_keep_their_order_and_new_ones_come_last() {
    let fixture =
        Fixture::new("groups:\n  g: {members: [{agent: api, use_for: routes}, {agent: web}, {agent: db}]}\n");
    let change = |put: &[(&str, &str)], remove: &[&str]| {
        let put = put
            .iter()
            .map(|(agent, use_for)| Member { agent: agent.parse().unwrap(), use_for: (*use_for).to_owned() });
        let remove = remove.iter().map(|name| name.parse().unwrap()).collect();
        let changes =
            GroupChanges { members: MemberChanges { put: put.collect(), remove }, ..Default::default() };
        let config = fixture.editor().update_group(&"g".parse().unwrap(), &changes)?;
        let members = &config.groups["g"].members;
        Ok::<_, EditError>(
            members.iter().map(|m| format!("{}={}", m.agent, m.use_for)).collect::<Vec<_>>().join(" "),
        )
    };
    assert_eq!(change(&[("ops", ""), ("db", "schema")], &["web"]).unwrap(), "api=routes db=schema ops=");
    assert!(matches!(change(&[], &["web"]), Err(EditError::NotAMember { .. })));
}

#[test]
fn twenty_members_that_join_at_once_all_belong_to_the_group() {
    let fixture = Fixture::new("groups: {g: {}}\n");
    std::thread::scope(|scope| {
        for i in 0..20 {
            let fixture = &fixture;
            scope.spawn(move || {
                let member = Member { agent: format!("agent-{i}").parse().unwrap(), use_for: String::new() };
                let members = MemberChanges { put: vec![member], ..Default::default() };
                let changes = GroupChanges { members, ..Default::default() };
                fixture.editor().update_group(&"g".parse().unwrap(), &changes).unwrap();
            });
        }
    });
    assert_eq!(load(&fixture.path()).unwrap().groups["g"].members.len(), 20);
}

#[test]
fn groups_can_begin_empty() {
    let fixture = Fixture::new("");
    for name in ["one", "two"] {
        fixture.editor().add_group(&name.parse().unwrap(), &GroupChanges::default()).unwrap();
    }
    assert_eq!(fixture.text(), "groups:\n  one:\n    members: []\n  two:\n    members: []\n");
}

#[test]
fn fifty_edits_at_once_lose_nothing() {
    let fixture = Fixture::new("# kept\nagents:\n  first: {directory: /x}\n");
    std::thread::scope(|scope| {
        for i in 0..50 {
            let fixture = &fixture;
            scope.spawn(move || fixture.add(&format!("agent-{i}")).unwrap());
        }
    });
    let config = load(&fixture.path()).unwrap();
    assert_eq!(config.agents.len(), 51);
    assert!(fixture.text().starts_with("# kept\n"));
}

#[test]
fn a_lock_that_is_held_is_an_error_that_names_it() {
    let fixture = Fixture::new("");
    let lock = fixture.directory.path().join("agents.yaml.lock");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    let editor = fixture.editor().waiting(Duration::from_millis(20));
    let error = editor.add_agent(&"a".parse().unwrap(), &fixture.project(), &AgentChanges::default());
    let error = error.unwrap_err();
    assert!(matches!(error, EditError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("agents.yaml.lock"), "{error}");
    assert!(error.to_string().contains("another agent-dispatch"), "{error}");
    assert_eq!(fixture.text(), "");
    drop(held);
    fixture.add("a").unwrap();
}

#[test]
fn a_linked_config_stays_a_link() {
    let fixture = Fixture::new("");
    let real = fixture.directory.path().join("dotfiles/real.yaml");
    fs::remove_file(fixture.path()).unwrap();
    // Its target need not exist yet.
    std::os::unix::fs::symlink("dotfiles/real.yaml", fixture.path()).unwrap();
    fixture.add("a").unwrap();
    fixture.add("b").unwrap();
    assert!(fs::symlink_metadata(fixture.path()).unwrap().is_symlink());
    assert_eq!(load(&real).unwrap().agents.len(), 2);
    assert!(real.with_extension("yaml.lock").exists());

    let circle = fixture.directory.path().join("circle.yaml");
    std::os::unix::fs::symlink("circle.yaml", &circle).unwrap();
    let removed = Editor::new(&circle).remove_agent(&"a".parse().unwrap());
    assert!(matches!(removed, Err(EditError::Config(ConfigError::Unreadable { .. }))));
}

#[test]
fn a_broken_config_is_left_as_it_is() {
    for text in ["agents: [\n", "agents:\n  a: {directory: /x, timeout: -1}\n", "a: 1\na: 2\n", "\u{0}"] {
        let fixture = Fixture::new(text);
        let error = fixture.add("new").unwrap_err();
        assert!(matches!(error, EditError::Config(ConfigError::Invalid { .. })), "{error}");
        assert_eq!(fixture.text(), text);
    }
}

#[test]
fn a_bad_value_is_refused_before_anything_is_written() {
    let fixture = Fixture::new("agents:\n  a: {directory: /x}\n");
    for changes in [
        json!({"model": "--yolo"}),
        json!({"model": ""}),
        json!({"permission_mode": "-p"}),
        json!({"allowed_tools": ["-x"]}),
        json!({"command": ["x"]}),
    ] {
        let changes = setting(&changes);
        let error = fixture.editor().update_agent(&"a".parse().unwrap(), &changes).unwrap_err();
        assert!(matches!(error, EditError::Refused { .. }), "{error}");
        assert!(error.to_string().starts_with("agents.a."), "{error}");
    }
    assert_eq!(fixture.text(), "agents:\n  a: {directory: /x}\n");
}

#[test]
fn names_are_taken_once_and_unknown_ones_get_a_suggestion() {
    let fixture = Fixture::new("");
    fixture.add("infra").unwrap();
    let error = fixture.add("infra").unwrap_err();
    let change = AgentChange::Directory(fixture.project());
    assert_eq!(error.remedy(), Some(Remedy::UpdateAgent { agent: "infra".into(), change }));
    let error = fixture.editor().remove_agent(&"infa".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no agent 'infa'");
    assert_eq!(error.remedy(), Some(Remedy::ChooseAgent { nearest: Some("infra".into()) }));
}

#[test]
fn an_agents_directory_must_exist_and_is_made_absolute() {
    let fixture = Fixture::new("");
    let add = |directory: &Path| {
        fixture.editor().add_agent(&"a".parse().unwrap(), directory, &AgentChanges::default())
    };
    let missing = fixture.directory.path().join("missing");
    assert!(matches!(add(&missing), Err(EditError::Directory { .. })));
    assert!(matches!(add(&fixture.path()), Err(EditError::Directory { .. })));
    let config = add(&fixture.project().join("../project/.")).unwrap();
    assert_eq!(config.agents["a"].directory, fixture.project().canonicalize().unwrap());
}

#[test]
fn nothing_is_created_where_nothing_can_be_changed() {
    let directory = tempfile::tempdir().unwrap();
    let editor = Editor::new(directory.path().join("new/agents.yaml"));
    let removed = editor.remove_agent(&"a".parse().unwrap());
    assert!(matches!(removed, Err(EditError::Unknown { .. })));
    assert!(!directory.path().join("new").exists());
}

#[test]
fn aliases_that_would_spill_over_are_left_to_their_owner() {
    let text = "agents:\n  a: &a\n    directory: /x\n    model: m\n  c: *a\n";
    let fixture = Fixture::new(text);
    let changes = setting(&json!({"model": "opus"}));
    match fixture.editor().update_agent(&"a".parse().unwrap(), &changes) {
        Ok(config) => assert_eq!(config.agents["c"].model.as_deref(), Some("m")),
        Err(error) => {
            assert!(matches!(error, EditError::Entangled { .. }), "{error}");
            assert_eq!(error.remedy(), Some(Remedy::EditConfig { path: fixture.path(), line: None }));
            assert_eq!(fixture.text(), text);
        }
    }
}

#[test]
fn the_directory_to_be_made_writable_is_one_that_exists() {
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("missing/deeper/agents.yaml.lock");
    let error = EditError::NoLock { lock, source: std::io::ErrorKind::PermissionDenied.into() };
    let path = directory.path().to_owned();
    assert_eq!(error.remedy(), Some(Remedy::GrantAccess { path, access: Access::WriteInto }));
}
