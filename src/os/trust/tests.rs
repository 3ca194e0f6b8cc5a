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
fn parents_are_looked_at_up_to_the_first_sticky_one_and_up_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (open, sticky) = (dir.path().join("open"), dir.path().join("open/sticky"));
    let jobs = sticky.join("a/jobs");
    fs::create_dir_all(sticky.join("a")).unwrap();
    with_mode(&open, 0o777);
    with_mode(&sticky, 0o1777);
    assert_eq!(Exposure::of_parents(&jobs, None), None, "the sticky one is the last");
    with_mode(&sticky, 0o755);
    assert_eq!(Exposure::of_parents(&jobs, None).map(|exposure| exposure.path), Some(open.clone()));
    assert_eq!(Exposure::of_parents(&jobs, Some(&sticky)), None);
    assert_eq!(Exposure::of_parents(&jobs, Some(&open)), None, "the end itself is not looked at");
}
