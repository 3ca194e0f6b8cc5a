//! Finding and reading the config.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::decode::{self, Places};
use super::fields::Problem;
use super::home::{home, home_directory};
use super::syntax::{self, Node, Position, SyntaxError};
use super::trust::{self, Untrusted};
use super::types::Config;
use crate::model::{Access, Remedy};
use crate::os::read_within;

/// The largest config that is read, in bytes: one of 10,000 agents has a tenth of it.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// How long a writer may take to write a config into a FIFO.
const FIFO_PATIENCE: Duration = Duration::from_secs(10);

/// Why a config cannot be used. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The operating system refused.
    #[error("failed to read {}: {source}", path.display())]
    Unreadable {
        /// The config.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A directory is where the file should be.
    #[error("failed to read {}: it is a directory", path.display())]
    IsADirectory {
        /// The config.
        path: PathBuf,
    },
    /// It is too large to be a config.
    #[error("failed to read {}: it is larger than {} MiB", path.display(), MAX_BYTES / 1024 / 1024)]
    TooLarge {
        /// The config.
        path: PathBuf,
    },
    /// It is not UTF-8, not YAML, or says something that cannot be.
    #[error("{}:{line}:{column}: {}{message}", path.display(), prefix(key))]
    Invalid {
        /// The config.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// The column in characters, from 1.
        column: u32,
        /// Where in the config, such as `agents.infra.timeout`; empty when the text is no YAML at all.
        key: String,
        /// What is wrong, in a sentence.
        message: String,
    },
    /// Another user could have written it.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// No place for a config is known.
    #[error("failed to find the config: neither AGENT_DISPATCH_CONFIG, XDG_CONFIG_HOME nor HOME is set")]
    NoHome,
}

fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

impl ConfigError {
    /// What would help.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Unreadable { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(Remedy::GrantAccess { path: path.clone(), access: Access::Read })
            }
            Self::IsADirectory { path } => Some(Remedy::ChooseConfig { path: Some(path.join(FILE_NAME)) }),
            Self::Invalid { path, line, .. } => {
                Some(Remedy::EditConfig { path: path.clone(), line: Some(*line) })
            }
            Self::Untrusted(untrusted) => Some(untrusted.remedy()),
            Self::NoHome => Some(Remedy::ChooseConfig { path: None }),
            Self::Unreadable { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// What the config is called in its directory.
const FILE_NAME: &str = "agents.yaml";

/// Where the config is: the file given with `--config`, else `$AGENT_DISPATCH_CONFIG`, else
/// `$XDG_CONFIG_HOME/agent-dispatch/agents.yaml`, else `~/.config/agent-dispatch/agents.yaml`.
///
/// `environment` looks up a variable. Empty variables count as unset, as does a relative
/// `XDG_CONFIG_HOME`, which its specification declares invalid. The result is absolute if the working
/// directory is known.
pub fn config_path(
    flag: Option<PathBuf>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, ConfigError> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = if let Some(path) = flag.or_else(|| variable("AGENT_DISPATCH_CONFIG")) {
        path
    } else {
        let directory = variable("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| home(&environment).map(|home| home.join(".config")))
            .ok_or(ConfigError::NoHome)?;
        directory.join("agent-dispatch").join(FILE_NAME)
    };
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// Reads the config at `path`. A missing file is an empty config that says so ([`Config::is_missing`]). One that another
/// user could have written is refused.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    decode(path, read(path)?)
}

/// The same for a process that looks at the config again while it has other things to do: it must not wait, so
/// only a regular file is read.
pub fn reload(path: &Path) -> Result<Config, ConfigError> {
    let check = |file: &File| {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("it is not a regular file")));
        }
        Ok(trust::check_config(path, file)?)
    };
    decode(path, read_if(path, check)?)
}

/// The same for those who only say what is in it: also of a config that another user could have written.
pub fn inspect(path: &Path) -> Result<Config, ConfigError> {
    decode(path, read_if(path, |_| Ok(()))?)
}

fn decode(path: &Path, text: Option<String>) -> Result<Config, ConfigError> {
    match text {
        Some(text) => parse(path, &text).map(|(config, _)| config),
        None => Ok(Config { path: path.to_owned(), is_missing: true, ..Config::default() }),
    }
}

/// The text of the config at `path`; `None` when there is no such file. One that another user could have written is
/// refused.
pub(super) fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    read_if(path, |file| Ok(trust::check_config(path, file)?))
}

/// The text of the config at `path`, if `check` has nothing against the file.
fn read_if(
    path: &Path,
    check: impl FnOnce(&File) -> Result<(), ConfigError>,
) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    // A FIFO may never have a writer: do not wait for one.
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(ConfigError::IsADirectory { path: path.to_owned() });
    }
    check(&file)?;
    let bytes = if metadata.file_type().is_fifo() {
        // One that has a writer may be `--config <(…)`.
        let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
        let found = match read_within(file.as_fd(), limit, FIFO_PATIENCE) {
            Some(bytes) if bytes.is_empty() => Err("it is a FIFO without a writer".to_owned()),
            Some(bytes) => Ok(bytes),
            None => Err(format!(
                "it is a FIFO without an end within {} s and {} MiB",
                FIFO_PATIENCE.as_secs(),
                MAX_BYTES / 1024 / 1024
            )),
        };
        found.map_err(|problem| unreadable(io::Error::other(problem)))?
    } else {
        let mut bytes = Vec::with_capacity(metadata.len().min(MAX_BYTES) as usize + 1);
        // One more than is allowed, to notice that there is more.
        (&mut file).take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        bytes
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let valid = String::from_utf8_lossy(valid);
        let last_line = valid.rsplit('\n').next().unwrap_or_default();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let line = number(valid.matches('\n').count() + 1);
        let column = number(last_line.chars().count() + 1);
        let message = "it is not UTF-8 text".to_owned();
        ConfigError::Invalid { path: path.to_owned(), line, column, key: String::new(), message }
    })
}

/// Reads `text` as the config at `path`, and returns its tree as well.
pub(super) fn parse<'t>(path: &Path, text: &'t str) -> Result<(Config, Node<'t>), ConfigError> {
    let invalid = |at: Position, key: String, message: String| ConfigError::Invalid {
        path: path.to_owned(),
        // What stands nowhere is missing at the top.
        line: at.line.max(1),
        column: at.column.max(1),
        key,
        message,
    };
    let root =
        syntax::parse(text).map_err(|SyntaxError { at, message }| invalid(at, String::new(), message))?;
    let home = home_directory();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let places = Places { base: absolute.parent().unwrap_or(Path::new("/")), home: home.as_deref() };
    let mut config =
        decode::config(&root, places).map_err(|Problem { at, key, message }| invalid(at, key, message))?;
    config.path = path.to_owned();
    Ok((config, root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AgentName;

    fn load_text(bytes: &[u8]) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        std::fs::write(&path, bytes).unwrap();
        load(&path)
    }

    #[test]
    fn the_config_is_where_the_flag_the_environment_or_xdg_say() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        };
        let all: &[_] =
            &[("AGENT_DISPATCH_CONFIG", "/env.yaml"), ("XDG_CONFIG_HOME", "/xdg"), ("HOME", "/me")];
        let find = |flag: Option<&str>, pairs| config_path(flag.map(Into::into), set(pairs)).unwrap();
        assert_eq!(find(Some("/flag.yaml"), all), Path::new("/flag.yaml"));
        assert_eq!(find(None, all), Path::new("/env.yaml"));
        assert_eq!(find(None, &all[1..]), Path::new("/xdg/agent-dispatch/agents.yaml"));
        assert_eq!(find(None, &all[2..]), Path::new("/me/.config/agent-dispatch/agents.yaml"));
        let odd: &[_] = &[("AGENT_DISPATCH_CONFIG", ""), ("XDG_CONFIG_HOME", "relative"), ("HOME", "/me")];
        assert_eq!(find(None, odd), Path::new("/me/.config/agent-dispatch/agents.yaml"));
        // Without `HOME`, the user database knows; in a container it may not.
        if let Ok(path) = config_path(None, |_| None) {
            assert!(path.ends_with(".config/agent-dispatch/agents.yaml"), "{}", path.display());
        }
    }

    #[test]
    fn a_missing_file_is_an_empty_config_that_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let config = load(&directory.path().join("none.yaml")).unwrap();
        assert!(config.is_missing);
        assert!(config.agents.is_empty());
    }

    #[test]
    fn empty_files_and_byte_order_marks_are_fine() {
        for text in
            ["", "# nothing yet\n", "---\n", "\u{feff}agents: {}\r\n", "agents:\nsettings:\ngroups:\n"]
        {
            let config = load_text(text.as_bytes()).unwrap();
            assert!(!config.is_missing && config.agents.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn an_error_is_one_sentence_with_file_line_column_and_key() {
        let error = load_text(b"agents:\n  infra:\n    directory: /x\n    timeout: -5\n").unwrap_err();
        let shown = error.to_string();
        let tail = "agents.yaml:4:14: agents.infra.timeout: '-5' is not a time limit: it must be above zero";
        assert!(shown.ends_with(tail), "{shown}");
        assert!(matches!(error.remedy(), Some(Remedy::EditConfig { line: Some(4), .. })));
    }

    #[test]
    fn what_is_no_config_is_refused_with_its_place() {
        for (bytes, line, column) in [
            (&b"agents:\n  a: \xff\n"[..], 2, 6),
            (b"agents:\n\ta: 1\n", 2, 1),
            (b"agents: {}\n---\nagents: {}\n", 2, 1),
            (b"- a\n", 1, 1),
            (b"a: 'x", 1, 4),
        ] {
            let error = load_text(bytes).unwrap_err();
            let ConfigError::Invalid { line: l, column: c, .. } = &error else { panic!("{error}") };
            assert_eq!(*l, line, "{error}");
            assert!(c.abs_diff(column) <= 1, "{error}");
        }
    }

    #[test]
    fn a_directory_or_an_unreadable_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = load(directory.path()).unwrap_err();
        assert!(matches!(error, ConfigError::IsADirectory { .. }), "{error}");
        let error = load(&directory.path().join("\0")).unwrap_err();
        assert!(error.to_string().contains("failed to read"), "{error}");
    }

    #[test]
    fn a_slip_in_a_name_finds_the_agent_that_was_meant() {
        let config = load_text(b"agents: {infra: {directory: /x}, web-frontend: {directory: /y}}").unwrap();
        let nearest = |text| config.nearest(text).map(AgentName::as_str);
        assert_eq!(nearest("infa"), Some("infra"));
        assert_eq!(nearest("INFRA"), Some("infra"));
        assert_eq!(nearest("frontend"), Some("web-frontend"));
        assert_eq!(nearest("zzz"), None);
        assert_eq!(nearest(""), None);
    }
}
