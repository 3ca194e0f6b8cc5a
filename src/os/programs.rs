//! Finding programs by `PATH`.
//!
//! An entry that is empty or not absolute means a place in the working directory: with `.` or `node_modules/.bin` on the
//! `PATH` any checkout could bring its own `claude`. Such entries are skipped here, as git and sudo do.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why a program cannot be run, to be said after its name.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It was named without a slash, and no entry of `PATH` has it.
    #[error("was not found on PATH")]
    NotOnPath,
    /// It was named with a slash, and nothing is there.
    #[error("does not exist")]
    Missing,
    /// A file is there that this user may not execute.
    #[error("is not executable: {}", .0.display())]
    NotExecutable(PathBuf),
    /// What is there is no file.
    #[error("is not a file: {}", .0.display())]
    NotAFile(PathBuf),
    /// The place cannot be looked at.
    #[error("cannot be looked at: {0}")]
    Unreadable(io::Error),
}

/// Where a program is, looked for in `path`, a value as of `PATH`. One that is named with a slash is meant from
/// `directory`.
///
/// # Errors
///
/// There is no such program, or none that this user may execute.
pub fn find_program(
    program: impl AsRef<OsStr>,
    path: Option<&OsStr>,
    directory: &Path,
) -> Result<PathBuf, ProgramError> {
    let program = program.as_ref();
    let path = path.and_then(absolute_entries);
    which::which_in(program, path.as_deref(), directory)
        .map_err(|_| why_not_found(program, path.as_deref(), directory))
}

/// What is in the way of a program that was not found.
fn why_not_found(program: &OsStr, path: Option<&OsStr>, directory: &Path) -> ProgramError {
    if program.as_bytes().contains(&b'/') {
        let place = directory.join(program);
        return match std::fs::metadata(&place) {
            Ok(found) if found.is_file() => ProgramError::NotExecutable(place),
            Ok(_) => ProgramError::NotAFile(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => ProgramError::Missing,
            Err(error) => ProgramError::Unreadable(error),
        };
    }
    let mut places = path.into_iter().flat_map(std::env::split_paths).map(|entry| entry.join(program));
    places.find(|place| place.is_file()).map_or(ProgramError::NotOnPath, ProgramError::NotExecutable)
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
            assert_eq!(find_program("tool", Some(&path), work).unwrap(), good, "{hidden:?}");
            assert_eq!(find_programs("tool", Some(&path)), std::slice::from_ref(&good));
            assert!(!relative_entries(&path).is_empty());
            let only = OsString::from(hidden);
            let found = find_program("tool", Some(&only), work);
            assert!(matches!(found, Err(ProgramError::NotOnPath)), "{hidden:?}: {found:?}");
        }
        assert!(relative_entries(OsStr::new(good_entry)).is_empty());
        assert!(relative_entries(OsStr::new("")).is_empty());
        // A path is meant as it stands.
        assert_eq!(find_program("./tool", None, work).unwrap(), own);
    }

    #[test]
    fn what_cannot_be_run_is_told_apart_from_what_is_not_there() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        fs::create_dir_all(bin.join("folder")).unwrap();
        fs::write(bin.join("plain"), "").unwrap();
        let said = |program: &str| {
            let error = find_program(program, Some(bin.as_os_str()), root.path()).unwrap_err().to_string();
            error.replace(root.path().to_str().unwrap(), "ROOT")
        };
        assert_eq!(said("plain"), "is not executable: ROOT/bin/plain");
        assert_eq!(said("./bin/plain"), "is not executable: ROOT/./bin/plain");
        assert_eq!(said("folder"), "was not found on PATH");
        assert_eq!(said("bin/folder"), "is not a file: ROOT/bin/folder");
        assert_eq!(said("none"), "was not found on PATH");
        assert_eq!(said("bin/none"), "does not exist");
        assert_eq!(said("bin/plain/none"), "cannot be looked at: Not a directory (os error 20)");
    }
}
