//! Changing the config on disk: under a lock, atomically, and only if the file was good before.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::changes::{AgentChanges, ChangedFields, GroupChanges};
use super::decode::Places;
use super::load::{self, ConfigError};
use super::patch::{self, Change, Patch};
use super::syntax::Node;
use super::trust;
use super::types::{Config, nearest};
use crate::backend::Backends;
use crate::model::{AgentName, FieldValue, GroupName, flag_value};
use crate::os::{LockError, create_private_parents, lock_within, open_lock_file, replace_file};

mod error;

pub use error::{DirectoryProblem, EditError, Kind};

/// How long an edit waits for another one to end, unless told otherwise.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

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

    /// Creates the config with this text, unless there is one; returns whether that was so.
    pub fn create(&self, text: &str) -> Result<bool, EditError> {
        let target = follow_links(&self.path)?;
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_private_parents(parent)?;
        }
        self.check_directories(&target)?;
        let _lock = self.lock(&target)?;
        if fs::symlink_metadata(&target).is_ok() {
            return Ok(false);
        }
        replace_file(&target, text.as_bytes())?;
        Ok(true)
    }

    /// Adds the agent `name` that works in `directory`, which must exist; see [`agent_directory`] for what
    /// the config gets.
    pub fn add_agent(
        &self,
        name: &AgentName,
        directory: &Path,
        changes: &AgentChanges,
    ) -> Result<Config, EditError> {
        check_mode(name, changes)?;
        let mut fields = vec![("directory", directory_node(directory)?)];
        let others = changes.fields().into_iter().filter(|(key, _)| *key != "directory");
        fields.extend(others.filter_map(|(key, value)| Some((key, value?))));
        self.edit(Kind::Agent, name.as_str(), Edit::Add(fields)).map_err(|error| match error {
            EditError::Exists { kind, name, .. } => {
                EditError::Exists { kind, name, directory: Some(directory.to_owned()) }
            }
            error => error,
        })
    }

    /// Changes fields of the agent `name`.
    pub fn update_agent(&self, name: &AgentName, changes: &AgentChanges) -> Result<Config, EditError> {
        check_mode(name, changes)?;
        let mut fields = changes.fields();
        if let Some(directory) = &changes.directory {
            fields.push(("directory", Some(directory_node(directory)?)));
        }
        self.edit(Kind::Agent, name.as_str(), Edit::Update(&|_| Ok(fields.clone())))
    }

    /// Removes the agent `name`. Groups keep their member of that name, with a warning.
    pub fn remove_agent(&self, name: &AgentName) -> Result<Config, EditError> {
        self.edit(Kind::Agent, name.as_str(), Edit::Remove)
    }

    /// Adds the group `name`.
    pub fn add_group(&self, name: &GroupName, changes: &GroupChanges) -> Result<Config, EditError> {
        let fields = changes.fields(&[])?.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let mut fields: Vec<_> = fields.collect();
        // Shows the reader of the file where members go.
        if fields.iter().all(|(key, _)| *key != "members") {
            fields.push(("members", Node::empty_list()));
        }
        self.edit(Kind::Group, name.as_str(), Edit::Add(fields))
    }

    /// Changes fields of the group `name`.
    pub fn update_group(&self, name: &GroupName, changes: &GroupChanges) -> Result<Config, EditError> {
        let fields = |config: &Config| {
            let present = config.groups.get(name).map_or(&[][..], |group| &group.members);
            changes.fields(present)
        };
        self.edit(Kind::Group, name.as_str(), Edit::Update(&fields))
    }

    /// Removes the group `name`; its agents stay.
    pub fn remove_group(&self, name: &GroupName) -> Result<Config, EditError> {
        self.edit(Kind::Group, name.as_str(), Edit::Remove)
    }

    fn edit(&self, kind: Kind, name: &str, edit: Edit<'_>) -> Result<Config, EditError> {
        let target = follow_links(&self.path)?;
        if !matches!(edit, Edit::Add(_)) && !target.exists() {
            // Nothing to change, so nothing is created, not even a lock.
            check_presence(&Config::default(), kind, name, &edit)?;
        }
        match fs::metadata(&target) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(ConfigError::IsADirectory { path: self.path.clone() }.into());
            }
            Ok(metadata) if !metadata.is_file() => {
                return Err(EditError::NotAFile { path: self.path.clone() });
            }
            // What cannot be looked at cannot be read either, which says why.
            _ => {}
        }
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_private_parents(parent)?;
        }
        self.check_directories(&target)?;
        let _lock = self.lock(&target)?;
        let text = load::read(&target)?.unwrap_or_default();
        let (config, root) = load::parse(&self.path, &text)?;
        check_presence(&config, kind, name, &edit)?;
        let change = match edit {
            Edit::Add(fields) => Change::Add(fields),
            Edit::Update(fields) => Change::Update(fields(&config)?),
            Edit::Remove => Change::Remove,
        };
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

    /// Refuses to write where another user could put a config of their own in the place of this one.
    fn check_directories(&self, target: &Path) -> Result<(), ConfigError> {
        trust::check_config_directory(&self.path)?;
        Ok(trust::check_config_directory(target)?)
    }

    /// Takes the lock that edits of the file `target` share.
    fn lock(&self, target: &Path) -> Result<File, EditError> {
        let mut lock = target.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let taken = open_lock_file(&lock).map_err(LockError::Io).and_then(|file| {
            lock_within(&file, self.wait)?;
            Ok(file)
        });
        taken.map_err(|error| match error {
            LockError::Busy(waited) => EditError::Locked { lock, waited },
            LockError::Io(source) => EditError::NoLock { lock, source },
        })
    }
}

/// What is to happen to an entry.
enum Edit<'a> {
    Add(Vec<(&'static str, Node<'static>)>),
    /// What changes may depend on what there is, which no other process changes while this is called.
    Update(&'a dyn Fn(&Config) -> Result<ChangedFields, EditError>),
    Remove,
}

/// Refuses a permission mode with which every run would fail. One that is in the file is only warned of: a newer
/// agent CLI may know it.
fn check_mode(name: &AgentName, changes: &AgentChanges) -> Result<(), EditError> {
    let Some(Some(FieldValue::Text(mode))) = changes.get("permission_mode") else { return Ok(()) };
    // What looks like an option is refused for that, with everything else that does.
    let known = Backends::of_this_program().permission_modes();
    if known.contains(&mode.as_str()) || flag_value(mode).is_err() {
        return Ok(());
    }
    let meant = nearest(mode, &known).map(|near| format!("; did you mean {near}?"));
    let message = format!(
        "'{mode}' is not a permission mode; there are {}{}",
        known.join(", "),
        meant.unwrap_or_default()
    );
    Err(EditError::Refused { key: format!("agents.{name}.permission_mode"), message })
}

fn check_presence(config: &Config, kind: Kind, name: &str, edit: &Edit<'_>) -> Result<(), EditError> {
    let (present, nearest) = match kind {
        Kind::Agent => (config.agents.contains_key(name), config.nearest(name).map(ToString::to_string)),
        Kind::Group => {
            (config.groups.contains_key(name), config.nearest_group(name).map(ToString::to_string))
        }
    };
    match (edit, present) {
        (Edit::Add(_), true) => Err(EditError::Exists { kind, name: name.to_owned(), directory: None }),
        (Edit::Update(_) | Edit::Remove, false) => {
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

/// The directory an agent gets for what was typed: canonical, absolute, and there. A `~` that no shell replaced
/// is the home directory.
pub fn agent_directory(typed: &Path) -> Result<PathBuf, EditError> {
    let refuse = |problem| EditError::Directory { path: typed.to_owned(), problem };
    let text = typed.to_str().ok_or_else(not_utf8).map_err(refuse)?;
    let home = super::home::home_directory();
    // Relative to the working directory, not to the config: this was typed, not read.
    let places = Places { base: Path::new(""), home: home.as_deref() };
    let path = places.absolute(text).map_err(|reason| refuse(DirectoryProblem::NotAPath(reason)))?;
    let canonical = fs::canonicalize(&path).map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => DirectoryProblem::Missing,
            io::ErrorKind::NotADirectory => DirectoryProblem::NotADirectory,
            _ => DirectoryProblem::Io(error),
        };
        // What was looked for, so that a hint with it is right in any shell.
        EditError::Directory { path, problem }
    })?;
    if canonical.is_dir() { Ok(canonical) } else { Err(refuse(DirectoryProblem::NotADirectory)) }
}

fn directory_node(typed: &Path) -> Result<Node<'static>, EditError> {
    let text = agent_directory(typed)?.into_os_string().into_string();
    let refuse = |path: std::ffi::OsString| EditError::Directory { path: path.into(), problem: not_utf8() };
    text.map(Node::text).map_err(refuse)
}

fn not_utf8() -> DirectoryProblem {
    DirectoryProblem::NotAPath("its path is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests;
