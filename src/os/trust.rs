//! Who besides this user decides what a file says, or which file has its name.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, Stat, StatVfsMountFlags};

use super::host;
use super::users::{is_private_group, own_uids};
use super::way::deciding_names;

/// A file or a directory that others have a say in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// Where it is.
    pub path: PathBuf,
    /// The user it belongs to, when that is neither root nor this one.
    pub foreign_owner: Option<u32>,
    /// Who else can write to it.
    pub writers: Option<Writers>,
    mode: u32,
    kind: FileType,
}

/// Users who can write to a file besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Every user of the machine.
    All,
    /// The members of this group.
    Group(u32),
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(uid) = self.foreign_owner {
            write!(f, "belongs to another user (uid {uid})")?;
        }
        let and = if self.foreign_owner.is_some() { " and " } else { "" };
        let mode = self.mode;
        match self.writers {
            Some(Writers::All) => write!(f, "{and}can be written by every user (mode {mode:04o})"),
            Some(Writers::Group(gid)) => {
                write!(f, "{and}can be written by the group with gid {gid} (mode {mode:04o})")
            }
            None => Ok(()),
        }
    }
}

impl Exposure {
    /// The commands that end it, one after the other; `word` makes the path a word of a shell.
    pub fn remedies(&self, word: impl Fn(&Path) -> String) -> Vec<String> {
        let me = rustix::process::geteuid();
        let sudo = if me.is_root() { "" } else { "sudo " };
        let path = word(&self.path);
        let mut remedies = Vec::new();
        if self.foreign_owner.is_some() {
            // Otherwise what the link leads to would be given to this user.
            let of_link = if self.kind == FileType::Symlink { "-h " } else { "" };
            remedies.push(format!("{sudo}chown {of_link}{} {path}", me.as_raw()));
        }
        match self.writers {
            // What is no directory need not be open to others at all.
            Some(_) if self.kind != FileType::Directory => remedies.push(format!("chmod 600 {path}")),
            Some(_) => remedies.push(format!("chmod go-w {path}")),
            None => {}
        }
        remedies
    }

    /// Who has a say in what is at `path`, at the end of all links; `None` when no user has, or nothing can be known.
    pub fn of(path: &Path) -> Option<Self> {
        Self::of_place(&Place::Named(path), path)
    }

    /// The same of a file that is open, and was found at `path`.
    pub fn of_file(file: &File, path: &Path) -> Option<Self> {
        Self::of_place(&Place::Open(file), path)
    }

    /// Who has a say in where `path` leads: in a directory above it, or above a link on the way, or in such a link. The
    /// directories above each are looked at up to the first one with the sticky bit, where only owners rename, and up
    /// to `home`.
    pub fn on_the_way(path: &Path, home: Option<&Path>) -> Option<Self> {
        let end = home.and_then(|home| home.canonicalize().ok());
        deciding_names(path, home)
            .iter()
            .find_map(|name| Self::of_link(name).or_else(|| Self::of_parents(name, end.as_deref())))
    }

    /// Who can replace the link at `path` although only owners rename in its directory.
    fn of_link(path: &Path) -> Option<Self> {
        let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        let is_in_sticky = || path.parent().is_some_and(is_sticky);
        if is_link && is_in_sticky() {
            Self::of_place(&Place::Link(path), path).filter(Self::is_of_a_stranger)
        } else {
            None
        }
    }

    /// Who has a say in one of the directories above `path`: each decides which directory has the name of the next.
    fn of_parents(path: &Path, end: Option<&Path>) -> Option<Self> {
        for parent in path.ancestors().skip(1) {
            if end == Some(parent) {
                return None;
            }
            let exposure = Self::of(parent).filter(Self::is_of_a_stranger);
            if exposure.is_some() || is_sticky(parent) {
                return exposure;
            }
        }
        None
    }

    /// Whether others can write, or the owner is not root under another number: where root's number has no meaning, as in
    /// a user namespace, its files seem to be those of another user.
    fn is_of_a_stranger(&self) -> bool {
        let root = || rustix::fs::stat("/").map_or(0, |stat| stat.st_uid);
        self.writers.is_some() || self.foreign_owner.is_some_and(|owner| owner != root())
    }

    fn of_place(place: &Place<'_>, path: &Path) -> Option<Self> {
        let stat = place.stat().ok()?;
        let uids = own_uids();
        let exposure = Self {
            path: path.to_owned(),
            foreign_owner: Some(stat.st_uid).filter(|uid| !uids.contains(uid)),
            writers: writers(place, &stat, &uids),
            mode: Mode::from_raw_mode(stat.st_mode).bits() & 0o7777,
            kind: FileType::from_raw_mode(stat.st_mode),
        };
        (exposure.foreign_owner.is_some() || exposure.writers.is_some()).then_some(exposure)
    }
}

/// Whether only owners rename in a directory.
fn is_sticky(directory: &Path) -> bool {
    rustix::fs::stat(directory).is_ok_and(|stat| Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX))
}

/// What is looked at.
enum Place<'a> {
    Named(&'a Path),
    /// A link itself, not what it leads to.
    Link(&'a Path),
    Open(&'a File),
}

impl Place<'_> {
    fn stat(&self) -> rustix::io::Result<Stat> {
        match self {
            Self::Named(path) => rustix::fs::stat(*path),
            Self::Link(path) => rustix::fs::lstat(*path),
            Self::Open(file) => rustix::fs::fstat(file),
        }
    }

    /// Whether nothing can be written there by anybody.
    fn is_read_only(&self) -> bool {
        let found = match self {
            Self::Named(path) | Self::Link(path) => rustix::fs::statvfs(*path),
            Self::Open(file) => rustix::fs::fstatvfs(file),
        };
        found.is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
    }

    /// Whether modes are made up there.
    fn is_without_modes(&self) -> bool {
        let found = match self {
            Self::Named(path) | Self::Link(path) => rustix::fs::statfs(*path),
            Self::Open(file) => rustix::fs::fstatfs(file),
        };
        found.is_ok_and(|found| host::without_modes(&found).is_some())
    }

    /// Whether an access control list names others: the bits of the group are only the most that it allows then.
    #[cfg(target_os = "linux")]
    fn has_access_list(&self) -> bool {
        const LIST: &str = "system.posix_acl_access";
        let length = match self {
            Self::Named(path) | Self::Link(path) => rustix::fs::getxattr(*path, LIST, &mut [0_u8; 0][..]),
            Self::Open(file) => rustix::fs::fgetxattr(file, LIST, &mut [0_u8; 0][..]),
        };
        length.is_ok_and(|bytes| bytes > 0)
    }

    #[cfg(not(target_os = "linux"))]
    fn has_access_list(&self) -> bool {
        false
    }
}

/// Who besides its owner can write to a file.
fn writers(place: &Place<'_>, stat: &Stat, uids: &[u32]) -> Option<Writers> {
    let mode = Mode::from_raw_mode(stat.st_mode);
    let kind = FileType::from_raw_mode(stat.st_mode);
    // What is written to a device or a terminal is not what is read from it.
    let keeps_content = matches!(kind, FileType::RegularFile | FileType::Directory | FileType::Fifo);
    let is_sticky = kind == FileType::Directory && mode.contains(Mode::SVTX);
    if !keeps_content || is_sticky || !mode.intersects(Mode::WGRP | Mode::WOTH) {
        return None;
    }
    // No user writes where nothing can be written, and where modes are made up they say nothing.
    if place.is_read_only() || place.is_without_modes() {
        None
    } else if mode.contains(Mode::WOTH) {
        Some(Writers::All)
    } else {
        let is_private = is_private_group(stat.st_gid, uids) && !place.has_access_list();
        (!is_private).then_some(Writers::Group(stat.st_gid))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_everybody_can_write_is_exposed_and_what_only_its_owner_can_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        with_mode(&file, 0o600);
        assert_eq!(Exposure::of(&file), None);
        with_mode(&file, 0o644);
        assert_eq!(Exposure::of(&file), None);
        with_mode(&file, 0o646);
        let exposure = Exposure::of(&file).unwrap();
        assert_eq!((exposure.foreign_owner, exposure.writers), (None, Some(Writers::All)));
        assert_eq!(exposure.to_string(), "can be written by every user (mode 0646)");
        assert_eq!(exposure.remedies(|_| "FILE".to_owned()), ["chmod 600 FILE"]);
        assert_eq!(Exposure::of_file(&File::open(&file).unwrap(), &file), Some(exposure));
        let link = dir.path().join("link");
        symlink(&file, &link).unwrap();
        assert!(Exposure::of(&link).is_some(), "what a link leads to is looked at");
        assert_eq!(Exposure::of(&dir.path().join("nothing")), None);
    }

    #[test]
    fn a_directory_with_the_sticky_bit_and_a_device_are_fine() {
        let dir = tempfile::tempdir().unwrap();
        let shared = dir.path().join("shared");
        fs::create_dir(&shared).unwrap();
        with_mode(&shared, 0o1777);
        assert_eq!(Exposure::of(&shared), None);
        with_mode(&shared, 0o777);
        assert_eq!(Exposure::of(&shared).unwrap().remedies(|_| "DIR".to_owned()), ["chmod go-w DIR"]);
        assert_eq!(Exposure::of(Path::new("/dev/null")), None);
    }

    #[test]
    fn a_group_of_the_user_alone_may_write_and_another_may_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        with_mode(&file, 0o660);
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let group = |gid| std::os::unix::fs::chown(&file, None, Some(gid)).unwrap();
        group(3_999_999_999);
        assert_eq!(Exposure::of(&file).unwrap().writers, Some(Writers::Group(3_999_999_999)));
        group(0);
        with_mode(&file, 0o660);
        let is_private = is_private_group(0, &own_uids());
        assert_eq!(Exposure::of(&file).is_none(), is_private);
    }

    #[test]
    fn parents_are_looked_at_up_to_the_first_sticky_one_and_up_to_the_home_directory() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (open, sticky) = (root.join("open"), root.join("open/sticky"));
        let jobs = sticky.join("a/jobs");
        fs::create_dir_all(sticky.join("a")).unwrap();
        with_mode(&open, 0o777);
        with_mode(&sticky, 0o1777);
        assert_eq!(Exposure::on_the_way(&jobs, None), None, "the sticky one is the last");
        with_mode(&sticky, 0o755);
        assert_eq!(Exposure::on_the_way(&jobs, None).map(|exposure| exposure.path), Some(open.clone()));
        assert_eq!(Exposure::on_the_way(&jobs, Some(&sticky)), None);
        assert_eq!(Exposure::on_the_way(&jobs, Some(&open)), None, "the end itself is not looked at");
    }

    #[test]
    fn the_directories_of_links_on_the_way_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["mine", "open", "safe"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        with_mode(&root.join("open"), 0o777);
        symlink("../safe", root.join("open/l")).unwrap();
        symlink("../open/l", root.join("mine/l")).unwrap();
        for path in ["mine/l/jobs", "open/sub/../../safe/jobs", "mine/../open/l/jobs"] {
            let found = Exposure::on_the_way(&root.join(path), None).map(|exposure| exposure.path);
            assert_eq!(found, Some(root.join("open")), "{path}");
        }
        for path in ["mine/../safe/jobs", "open/../safe/jobs"] {
            assert_eq!(Exposure::on_the_way(&root.join(path), None), None, "{path}");
        }
    }

    #[test]
    fn a_strangers_link_and_a_strangers_directory_are_exposed_although_they_are_sticky() {
        const STRANGER: u32 = 3_999_999_999;
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let shared = root.join("shared");
        fs::create_dir(&shared).unwrap();
        fs::create_dir(root.join("safe")).unwrap();
        with_mode(&shared, 0o1777);
        symlink(root.join("safe"), shared.join("l")).unwrap();
        let jobs = shared.join("l/jobs");
        assert_eq!(Exposure::on_the_way(&jobs, None), None);
        std::os::unix::fs::lchown(shared.join("l"), Some(STRANGER), None).unwrap();
        let link = Exposure::on_the_way(&jobs, None).unwrap();
        assert_eq!(link.path, shared.join("l"));
        assert_eq!(link.remedies(|_| "LINK".to_owned()), ["chown -h 0 LINK"]);
        std::os::unix::fs::chown(&shared, Some(STRANGER), None).unwrap();
        let directory = Exposure::on_the_way(&shared.join("jobs"), None).unwrap();
        assert_eq!((directory.path, directory.foreign_owner), (shared, Some(STRANGER)));
    }
}
