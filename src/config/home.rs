//! The home directory.

use std::ffi::OsString;
use std::path::PathBuf;

/// The home directory: `$HOME`, else what the system's user database says.
pub(super) fn home(environment: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| directories::BaseDirs::new().map(|base| base.home_dir().to_owned()))
}

/// The home directory, which is what `~` stands for.
pub fn home_directory() -> Option<PathBuf> {
    home(&|name| std::env::var_os(name))
}
