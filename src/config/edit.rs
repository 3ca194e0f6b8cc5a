//! Changing the config on disk: under a lock, atomically, and only if the file was good before.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::changes::{AgentChanges, GroupChanges};
use super::load::{self, ConfigError};
use super::patch::{self, Change, Patch};
use super::syntax::Node;
use super::types::Config;
use super::values::{AgentName, GroupName};
use crate::os::{FileError, LockError, create_private_parents, lock_within, replace_file};

/// How long an edit waits for another one to end, unless told otherwise.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Why the config was not changed. The file is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The config cannot be read, or what it says cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process edits the config, or hangs doing so.
    #[error(
        "failed to lock {}: another agent-dispatch has been editing the config for {} s",
        lock.display(), waited.as_secs_f64()
    )]
    Locked {
        /// The file that is locked.
        lock: PathBuf,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The operating system refused the lock.
    #[error("failed to lock {}: {source}", lock.display())]
    NoLock {
        /// The file to be locked.
        lock: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error(transparent)]
    File(#[from] FileError),
    /// The config is a FIFO, a device or the like, which cannot be replaced.
    #[error("failed to edit {}: it is not a regular file", path.display())]
    NotAFile {
        /// The config.
        path: PathBuf,
    },
    /// An agent's directory is not there or not usable.
    #[error("failed to use {} as an agent's directory: {reason}", path.display())]
    Directory {
        /// What was to be the directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name is taken.
    #[error("the {kind} '{name}' exists already")]
    Exists {
        /// Agent or group.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// There is nothing of that name.
    #[error("there is no {kind} '{name}'")]
    Unknown {
        /// Agent or group.
        kind: Kind,
        /// The name asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// A new value cannot be used.
    #[error("{key}: {message}")]
    Refused {
        /// Where in the config the value would be.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// The file is written in a way that the change would spill over, for example into an alias.
    #[error("failed to change {key} in {} without changing something else", path.display())]
    Entangled {
        /// The config.
        path: PathBuf,
        /// What was to be changed.
        key: String,
    },
}

/// What an entry of the config is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An agent.
    Agent,
    /// A group.
    Group,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Group => "group",
        })
    }
}

impl EditError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Locked { lock, .. } => Some(format!(
                "try again when it has finished; see who holds the lock with: fuser {}",
                lock.display()
            )),
            Self::NoLock { lock, .. } => {
                let directory = lock.parent().unwrap_or(lock);
                Some(format!("make the directory writable for you: chmod u+rwx {}", directory.display()))
            }
            Self::Directory { path, .. } => Some(format!("create it first: mkdir -p {}", path.display())),
            Self::Exists { kind, name } => Some(format!("change it: agent-dispatch {kind}s update {name}")),
            Self::Unknown { kind, nearest: Some(near), .. } => {
                Some(format!("did you mean '{near}'? see them all: agent-dispatch {kind}s list"))
            }
            Self::Unknown { kind, .. } => Some(format!("see what there is: agent-dispatch {kind}s list")),
            Self::Entangled { path, .. } => {
                Some(format!("edit {} by hand; anchors and aliases are the usual cause", path.display()))
            }
            Self::File(_) | Self::NotAFile { .. } | Self::Refused { .. } => None,
        }
    }
}

/// Changes a config file. Every method is one edit: it locks, reads, changes, checks and replaces the
/// file, and returns the config as it is afterwards.
///
/// Comments, the order of entries and unknown keys stay. A config that is a symbolic link stays one: what
/// it points to is replaced. The lock is a file beside that, `agents.yaml.lock`; it is never removed.
#[derive(Debug, Clone)]
pub struct Editor {
    path: PathBuf,
    wait: Duration,
}

impl Editor {
    /// An editor of the config at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), wait: LOCK_WAIT }
    }

    /// The same, but waiting at most `wait` for other edits to end.
    #[must_use]
    pub fn waiting(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Adds the agent `name` that works in `directory`, which must exist. Relative directories are
    /// relative to the working directory; the config gets the canonical absolute path.
    pub fn add_agent(
        &self,
        name: &AgentName,
        directory: &Path,
        changes: &AgentChanges,
    ) -> Result<Config, EditError> {
        let mut fields = vec![("directory", directory_node(directory)?)];
        let others = changes.fields().into_iter().filter(|(key, _)| *key != "directory");
        fields.extend(others.filter_map(|(key, value)| Some((key, value?))));
        self.edit(Kind::Agent, name.as_str(), Change::Add(fields))
    }

    /// Changes fields of the agent `name`.
    pub fn update_agent(&self, name: &AgentName, changes: &AgentChanges) -> Result<Config, EditError> {
        let mut fields = changes.fields();
        if let Some(directory) = &changes.directory {
            fields.push(("directory", Some(directory_node(directory)?)));
        }
        self.edit(Kind::Agent, name.as_str(), Change::Update(fields))
    }

    /// Removes the agent `name`. Groups keep their member of that name, with a warning.
    pub fn remove_agent(&self, name: &AgentName) -> Result<Config, EditError> {
        self.edit(Kind::Agent, name.as_str(), Change::Remove)
    }

    /// Adds the group `name`.
    pub fn add_group(&self, name: &GroupName, changes: &GroupChanges) -> Result<Config, EditError> {
        let fields = changes.fields().into_iter().filter_map(|(key, value)| Some((key, value?)));
        let mut fields: Vec<_> = fields.collect();
        // Shows whoever opens the file where members go.
        if fields.iter().all(|(key, _)| *key != "members") {
            fields.push(("members", Node::empty_list()));
        }
        self.edit(Kind::Group, name.as_str(), Change::Add(fields))
    }

    /// Changes fields of the group `name`.
    pub fn update_group(&self, name: &GroupName, changes: &GroupChanges) -> Result<Config, EditError> {
        self.edit(Kind::Group, name.as_str(), Change::Update(changes.fields()))
    }

    /// Removes the group `name`; its agents stay.
    pub fn remove_group(&self, name: &GroupName) -> Result<Config, EditError> {
        self.edit(Kind::Group, name.as_str(), Change::Remove)
    }

    fn edit(&self, kind: Kind, name: &str, change: Change) -> Result<Config, EditError> {
        let target = follow_links(&self.path)?;
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_private_parents(parent)?;
        }
        let _lock = self.lock(&target)?;
        match fs::metadata(&target) {
            Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                return Err(EditError::NotAFile { path: self.path.clone() });
            }
            _ => {}
        }
        let text = load::read(&target)?.unwrap_or_default();
        let (config, root) = load::parse(&self.path, &text)?;
        check_presence(&config, kind, name, &change)?;
        if matches!(&change, Change::Update(fields) if fields.is_empty()) {
            return Ok(config);
        }

        let section = match kind {
            Kind::Agent => "agents",
            Kind::Group => "groups",
        };
        let patch = Patch { section, name, change };
        let new = patch::apply(&text, &root, &patch).ok_or_else(|| EditError::Entangled {
            path: self.path.clone(),
            key: format!("{section}.{name}"),
        })?;
        // The old text was good, so what is bad now is a new value.
        let (config, _) = load::parse(&self.path, &new).map_err(|error| match error {
            ConfigError::Invalid { key, message, .. } => EditError::Refused { key, message },
            error => error.into(),
        })?;
        replace_file(&target, new.as_bytes())?;
        Ok(config)
    }

    /// Takes the lock that edits of the file `target` share.
    fn lock(&self, target: &Path) -> Result<File, EditError> {
        let mut lock = target.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let taken = file.map_err(LockError::Io).and_then(|file| {
            lock_within(&file, self.wait)?;
            Ok(file)
        });
        taken.map_err(|error| match error {
            LockError::Busy(waited) => EditError::Locked { lock, waited },
            LockError::Io(source) => EditError::NoLock { lock, source },
        })
    }
}

fn check_presence(config: &Config, kind: Kind, name: &str, change: &Change) -> Result<(), EditError> {
    let (present, nearest) = match kind {
        Kind::Agent => (config.agents.contains_key(name), config.nearest(name).map(ToString::to_string)),
        Kind::Group => {
            (config.groups.contains_key(name), config.nearest_group(name).map(ToString::to_string))
        }
    };
    match (change, present) {
        (Change::Add(_), true) => Err(EditError::Exists { kind, name: name.to_owned() }),
        (Change::Update(_) | Change::Remove, false) => {
            Err(EditError::Unknown { kind, name: name.to_owned(), nearest })
        }
        _ => Ok(()),
    }
}

/// What is to be replaced for `path` to have other content: what its links lead to, even if that does
/// not exist.
fn follow_links(path: &Path) -> Result<PathBuf, EditError> {
    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            // Not a link, or not there.
            Err(_) => return Ok(path),
        }
    }
    let source = io::Error::other("too many symbolic links");
    Err(ConfigError::Unreadable { path, source }.into())
}

/// An agent's directory as the config has it: canonical, absolute, and there.
fn directory_node(directory: &Path) -> Result<Node<'static>, EditError> {
    let refuse = |reason: String| EditError::Directory { path: directory.to_owned(), reason };
    let canonical = fs::canonicalize(directory).map_err(|error| refuse(error.to_string()))?;
    if !canonical.is_dir() {
        return Err(refuse("it is not a directory".to_owned()));
    }
    let text = canonical.into_os_string().into_string();
    text.map(Node::text).map_err(|_| refuse("its path is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{Field, Member, load};

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

    #[test]
    fn every_field_can_be_set_kept_and_removed() {
        let fixture = Fixture::new("# mine\n");
        let name = "a".parse().unwrap();
        let list = || Field::Set(vec!["x y".to_owned(), "B(z:*)".to_owned()]);
        let changes = AgentChanges {
            directory: None,
            description: Field::Set("yes: no".into()),
            timeout: Field::Set("90s".parse().unwrap()),
            idle_timeout: Field::Set("500ms".parse().unwrap()),
            max_budget_usd: Field::Set("0.25".parse().unwrap()),
            model: Field::Set("opus".into()),
            permission_mode: Field::Set("plan".into()),
            allowed_tools: list(),
            disallowed_tools: Field::Set(Vec::new()),
            capabilities: list(),
            risky_capabilities: list(),
            instructions: Field::Set("# one\n\ntwo: three\n".into()),
            backend: Field::Set(crate::config::BackendKind::Command),
            command: list(),
            exclusive: Field::Set(true),
        };
        let full = fixture.editor().add_agent(&name, &fixture.project(), &changes).unwrap();
        let agent = &full.agents["a"];
        assert_eq!(agent.description, "yes: no");
        assert_eq!(agent.idle_timeout.unwrap().duration(), Duration::from_millis(500));
        assert_eq!(agent.disallowed_tools.as_deref(), Some(&[][..]));
        assert_eq!(agent.instructions.as_deref(), Some("# one\n\ntwo: three\n"));
        assert_eq!(full.warnings, []);

        let kept = fixture.editor().update_agent(&name, &AgentChanges::default()).unwrap();
        assert_eq!(kept, full);
        let gone = AgentChanges {
            directory: Some(fixture.directory.path().to_owned()),
            description: Field::Unset,
            timeout: Field::Unset,
            idle_timeout: Field::Unset,
            max_budget_usd: Field::Unset,
            model: Field::Unset,
            permission_mode: Field::Unset,
            allowed_tools: Field::Unset,
            disallowed_tools: Field::Unset,
            capabilities: Field::Unset,
            risky_capabilities: Field::Unset,
            instructions: Field::Unset,
            backend: Field::Unset,
            command: Field::Unset,
            exclusive: Field::Unset,
        };
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
        let member = |agent: &str, use_for: &str| Member {
            agent: agent.parse().unwrap(),
            use_for: use_for.to_owned(),
        };
        let members = vec![member("a", "this: and that"), member("b", "")];
        let changes = GroupChanges {
            shared_context: Field::Set("line\nline".into()),
            members: Field::Set(members.clone()),
            ..Default::default()
        };
        let config = fixture.editor().add_group(&name, &changes).unwrap();
        assert_eq!(config.groups["team"].members, members);
        assert_eq!(config.warnings.len(), 1);
        let changes = GroupChanges { members: Field::Set(vec![member("a", "")]), ..Default::default() };
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
            AgentChanges { model: Field::Set("--yolo".into()), ..Default::default() },
            AgentChanges { model: Field::Set(String::new()), ..Default::default() },
            AgentChanges { permission_mode: Field::Set("-p".into()), ..Default::default() },
            AgentChanges { allowed_tools: Field::Set(vec!["-x".into()]), ..Default::default() },
            AgentChanges { command: Field::Set(vec!["x".into()]), ..Default::default() },
        ] {
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
        assert_eq!(error.hint().unwrap(), "change it: agent-dispatch agents update infra");
        let error = fixture.editor().remove_agent(&"infa".parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "there is no agent 'infa'");
        assert!(error.hint().unwrap().contains("did you mean 'infra'"), "{error:?}");
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
}
