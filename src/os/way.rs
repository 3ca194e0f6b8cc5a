//! Which names decide where a path leads.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// How many links are followed: as many as Linux follows.
const MAX_LINKS: usize = 40;

/// The names that decide where `path` leads, each in the directory that it really is in: every link on the way, every
/// directory that `..` leaves, and what the path leads to. A user who can give one of them to something else decides
/// what the path means. The way into the directory `home` is not looked at.
pub(super) fn deciding_names(path: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let from_home = || {
        let home = home.filter(|home| home.is_absolute())?;
        Some((home.canonicalize().ok()?, path.strip_prefix(home).ok()?))
    };
    let (mut here, rest) = from_home().unwrap_or_else(|| (PathBuf::from("/"), &path));
    let mut ahead: Vec<OsString> = Vec::new();
    put_ahead(&mut ahead, rest);
    let mut names = Vec::new();
    let mut links = 0;
    while let Some(next) = ahead.pop() {
        if next == OsStr::new("/") {
            here = PathBuf::from("/");
        } else if next == OsStr::new("..") {
            names.push(here.clone());
            here.pop();
        } else {
            let candidate = here.join(&next);
            match candidate.read_link() {
                Ok(_) if links == MAX_LINKS => return names,
                Ok(target) => {
                    links += 1;
                    names.push(candidate);
                    put_ahead(&mut ahead, &target);
                }
                // No link, or nothing that is there.
                Err(_) => here = candidate,
            }
        }
    }
    names.push(here);
    names
}

/// Puts the components of `path` in front of those that are to be walked, which are taken from the end.
fn put_ahead(ahead: &mut Vec<OsString>, path: &Path) {
    let components = path.components().filter(|component| *component != Component::CurDir);
    ahead.extend(components.rev().map(|component| component.as_os_str().to_owned()));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_and_every_directory_that_is_left_again_is_named_where_it_really_is() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("safe/deep")).unwrap();
        fs::create_dir_all(root.join("open")).unwrap();
        symlink("../safe", root.join("open/l")).unwrap();
        symlink(root.join("open/l/deep"), root.join("first")).unwrap();
        let named = |path: &str| {
            let names = deciding_names(&root.join(path), None);
            let below = |name: &PathBuf| name.strip_prefix(&root).unwrap().display().to_string();
            names.iter().map(below).collect::<Vec<_>>()
        };
        assert_eq!(named("safe/./a.yaml"), ["safe/a.yaml"]);
        assert_eq!(named("first/a.yaml"), ["first", "open/l", "open", "safe/deep/a.yaml"]);
        assert_eq!(named("safe/deep/../a.yaml"), ["safe/deep", "safe/a.yaml"]);
        assert_eq!(named("nothing/here/a.yaml"), ["nothing/here/a.yaml"]);
    }

    #[test]
    fn links_in_a_circle_end_the_walk() {
        let dir = tempfile::tempdir().unwrap();
        symlink(dir.path().join("b"), dir.path().join("a")).unwrap();
        symlink(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert!(deciding_names(&dir.path().join("a/x"), None).len() >= MAX_LINKS);
    }

    #[test]
    fn the_way_into_the_home_directory_is_not_walked() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("home")).unwrap();
        let names = deciding_names(&root.join("home/a.yaml"), Some(&root.join("home")));
        assert_eq!(names, [root.join("real/a.yaml")]);
    }
}
