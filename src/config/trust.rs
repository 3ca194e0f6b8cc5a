//! Whose word counts: what another user could have written is not obeyed, unless the user vouches for it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::agent::Agent;
use super::home::home_directory;
use crate::backend::Backends;
use crate::model::Remedy;
use crate::os::{Exposure, Writers};

/// The variable that names paths the user vouches for, with all that is below them.
const VARIABLE: &str = "AGENT_DISPATCH_TRUST";

/// What stands between its paths.
const SEPARATOR: &str = ":";

/// The paths that the user vouches for. They come from the environment and never from a config: it would vouch for itself.
#[derive(Debug, Clone, Default)]
pub struct Vouched {
    /// The value of the variable.
    given: Option<OsString>,
}

impl Vouched {
    /// What this process's environment says.
    pub fn by_this_process() -> Self {
        Self { given: std::env::var_os(VARIABLE).filter(|given| !given.is_empty()) }
    }

    /// Whether the user vouches for `path`: it is named, or a directory that it is in.
    pub fn covers(&self, path: &Path) -> bool {
        let Some(given) = &self.given else { return false };
        let path = resolved(path);
        // A relative one would mean something else in every directory.
        std::env::split_paths(given)
            .filter(|entry| entry.is_absolute())
            .any(|entry| path.starts_with(resolved(&entry)))
    }

    /// The words of a shell that vouch for `path` as well; `None` when the variable cannot name it.
    fn with(&self, path: &Path) -> Option<String> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // A list is taken apart at each colon, and what is not UTF-8 cannot be printed as it is.
        if path.to_str()?.contains(SEPARATOR) {
            return None;
        }
        let mut value = self.given.clone().unwrap_or_default();
        if !value.is_empty() {
            value.push(SEPARATOR);
        }
        value.push(path);
        Some(format!("{VARIABLE}={}", word(Path::new(&value))))
    }
}

/// Where a path leads to; the path itself where that cannot be said.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// A path as a word of a shell.
fn word(path: &Path) -> String {
    let path = path.to_string_lossy();
    shlex::try_quote(&path).map_or_else(|_| path.to_string(), Cow::into_owned)
}

/// What is not obeyed because another user could have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// What it is, such as "the config".
    what: &'static str,
    /// Where it is.
    path: PathBuf,
    /// Who has a say in it, or in a directory it is in.
    exposure: Exposure,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, path, exposure } = self;
        write!(f, "refused {what} {} as untrusted: ", path.display())?;
        if exposure.path == *path || exposure.path == resolved(path) {
            write!(f, "it {exposure}")
        } else {
            write!(f, "{} {exposure}", exposure.path.display())
        }
    }
}

impl std::error::Error for Untrusted {}

impl Untrusted {
    /// Where what is not trusted is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What would help.
    pub fn remedy(&self) -> Remedy {
        let vouch = Vouched::by_this_process().with(&self.path);
        Remedy::CloseToOthers { commands: self.commands(word), vouch }
    }

    /// The commands that mend it; `word` makes a path a word of a shell.
    pub fn commands(&self, word: impl Fn(&Path) -> String) -> Vec<String> {
        self.exposure.remedies(word)
    }

    fn unless_vouched(what: &'static str, path: &Path, exposure: Option<Exposure>) -> Result<(), Self> {
        match exposure {
            Some(exposure) if !Vouched::by_this_process().covers(path) => {
                Err(Self { what, path: path.to_owned(), exposure })
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a config, open as `file`, that others have a say in.
pub(super) fn check_config(path: &Path, file: &File) -> Result<(), Untrusted> {
    let target = path.canonicalize().ok();
    let place = target.as_deref().unwrap_or(path);
    let exposure = Exposure::of_file(file, place).or_else(|| directories_of(path));
    Untrusted::unless_vouched("the config", path, exposure)
}

/// Refuses a directory that others have a say in as the one for a new config.
pub(super) fn check_config_directory(path: &Path) -> Result<(), Untrusted> {
    Untrusted::unless_vouched("the config", path, directories_of(path))
}

/// Who has a say in which file has this name: in its directory and that of the file which a link leads to, or anywhere
/// on the way up to the home directory.
pub fn directories_of(path: &Path) -> Option<Exposure> {
    let target = path.canonicalize().ok();
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let of_target =
        target.as_deref().and_then(Path::parent).filter(|of_target| Some(*of_target) != directory);
    let nearest = directory.into_iter().chain(of_target).find_map(Exposure::of);
    nearest.or_else(|| Exposure::on_the_way(path, home_directory().as_deref()))
}

/// Refuses a usage journal that others have a say in, or in which file it is. One that is not there is fine: it is
/// created for the user alone.
pub fn check_journal(path: &Path) -> Result<(), Untrusted> {
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    // A link is refused for being one.
    let exposure = if is_link { None } else { Exposure::of(path) };
    Untrusted::unless_vouched("the usage journal", path, exposure.or_else(|| directories_of(path)))
}

/// Refuses a jobs directory when others have a say in which directory that is: in one of those that lead to it, up to
/// the home directory.
pub fn check_jobs_directory(path: &Path) -> Result<(), Untrusted> {
    let exposure = Exposure::on_the_way(path, home_directory().as_deref());
    Untrusted::unless_vouched("the jobs directory", path, exposure)
}

impl Agent {
    /// The places of this agent in which others have a say: its directory, and those with settings, hooks and
    /// commands for an agent CLI. Not when the user says that they are trusted.
    pub fn exposures(&self) -> Vec<Exposure> {
        if self.trusted {
            return Vec::new();
        }
        let obeyed = Backends::of_this_program().project_directories().map(|name| self.directory.join(name));
        let found = std::iter::once(self.directory.clone()).chain(obeyed);
        let found: Vec<Exposure> = found.filter_map(|path| Exposure::of(&path)).collect();
        if found.is_empty() || Vouched::by_this_process().covers(&self.directory) {
            Vec::new()
        } else {
            found
        }
    }

    /// Refuses the agent's directory when another user owns it and every user can write to it: then it is known to
    /// who wrote what.
    pub fn check_trust(&self) -> Result<(), Untrusted> {
        let is_anybodys =
            |exposure: &Exposure| exposure.foreign_owner.is_some() && exposure.writers == Some(Writers::All);
        match self.exposures().into_iter().find(is_anybodys) {
            Some(exposure) => {
                let path = self.directory.clone();
                Err(Untrusted { what: "the agent's directory", path, exposure })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vouched(given: &str) -> Vouched {
        Vouched { given: Some(given.into()) }
    }

    #[test]
    fn the_user_vouches_for_what_is_named_and_for_what_is_below_it() {
        let paths = vouched("/srv/a/agents.yaml:/srv/b:relative");
        assert!(paths.covers(Path::new("/srv/a/agents.yaml")));
        assert!(paths.covers(Path::new("/srv/b/deep/agents.yaml")));
        assert!(!paths.covers(Path::new("/srv/a/other.yaml")));
        assert!(!paths.covers(Path::new("/srv/bb/agents.yaml")));
        assert!(!paths.covers(&std::env::current_dir().unwrap().join("relative")));
        assert!(!Vouched::default().covers(Path::new("/srv/b")));
        assert!(!vouched("::").covers(Path::new("/srv/b")));
    }

    #[test]
    fn what_is_to_be_set_keeps_what_is_set_already() {
        let with = |vouched: Vouched, path: &str| vouched.with(Path::new(path));
        assert_eq!(with(Vouched::default(), "/a b/c").unwrap(), "AGENT_DISPATCH_TRUST='/a b/c'");
        assert_eq!(with(vouched("/srv/b"), "/x").unwrap(), "AGENT_DISPATCH_TRUST=/srv/b:/x");
    }

    #[test]
    fn nothing_is_to_be_set_for_a_path_that_the_variable_cannot_name() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(Vouched::default().with(Path::new("/a:b/c")), None);
        assert_eq!(Vouched::default().with(Path::new(std::ffi::OsStr::from_bytes(b"/a\xff/c"))), None);
    }
}
