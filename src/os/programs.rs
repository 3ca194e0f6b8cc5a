//! Finding programs by `PATH`.
//!
//! An entry that is empty or not absolute means a place in the working directory: with `.` or `node_modules/.bin` on the
//! `PATH` any checkout could bring its own `claude`. Such entries are skipped here, as git and sudo do.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where a program is, looked for in `path`, a value as of `PATH`. One that is named with a slash is meant from
/// `directory`.
pub fn find_program(program: impl AsRef<OsStr>, path: Option<&OsStr>, directory: &Path) -> Option<PathBuf> {
    which::which_in(program, path.and_then(absolute_entries), directory).ok()
}

/// Every place where a program is, in the order of `path`.
pub fn find_programs(program: &str, path: Option<&OsStr>) -> Vec<PathBuf> {
    which::which_in_all(program, path.and_then(absolute_entries), "/").into_iter().flatten().collect()
}

/// The entries of a `PATH` that are not absolute, as they stand there.
pub fn relative_entries(path: &OsStr) -> Vec<PathBuf> {
    // A variable that is empty has no entries.
    let entries = std::env::split_paths(path).filter(|_| !path.is_empty());
    entries.filter(|entry| !entry.is_absolute()).collect()
}

/// A `PATH` with the absolute entries only, if there are any.
pub fn absolute_entries(path: &OsStr) -> Option<OsString> {
    let entries = std::env::split_paths(path).filter(|entry| entry.is_absolute());
    std::env::join_paths(entries).ok().filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_absolute_entries_are_looked_in() {
        let root = tempfile::tempdir().unwrap();
        let program = |directory: &str| {
            let path = root.path().join(directory).join("tool");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let (own, good) = (program("work"), program("bin"));
        let work = own.parent().unwrap();
        let good_entry = good.parent().unwrap().to_str().unwrap();
        for hidden in ["", ".", "./", "../work", ":"] {
            let path = OsString::from(format!("{hidden}:{good_entry}"));
            assert_eq!(find_program("tool", Some(&path), work).as_ref(), Some(&good), "{hidden:?}");
            assert_eq!(find_programs("tool", Some(&path)), std::slice::from_ref(&good));
            assert!(!relative_entries(&path).is_empty());
            let only = OsString::from(hidden);
            assert_eq!(find_program("tool", Some(&only), work), None, "{hidden:?}");
        }
        assert!(relative_entries(OsStr::new(good_entry)).is_empty());
        assert!(relative_entries(OsStr::new("")).is_empty());
        // A path is meant as it stands.
        assert_eq!(find_program("./tool", None, work), Some(own));
    }
}
