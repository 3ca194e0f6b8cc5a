use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.json");
    let mode = || path.metadata().unwrap().permissions().mode() & 0o7777;
    replace_file_keeping_mode(&path, b"1").unwrap();
    assert_eq!(mode(), 0o600);
    for wanted in [0o644, 0o640, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wanted)).unwrap();
        replace_file_keeping_mode(&path, b"2").unwrap();
        assert_eq!((mode(), std::fs::read(&path).unwrap().as_slice()), (wanted, &b"2"[..]));
    }
    replace_file(&path, b"3").unwrap();
    assert_eq!(mode(), 0o600);
}
