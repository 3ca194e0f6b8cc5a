use super::*;
use rustix::fs::FileType;
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

#[test]
fn a_whole_file_is_a_regular_one_of_bounded_size() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x");
    std::fs::write(&file, "12345").unwrap();
    assert_eq!(read_whole(&file, 5).unwrap(), b"12345");
    let said = |path: &Path, limit| read_whole(path, limit).unwrap_err().to_string();
    assert_eq!(said(&file, 4), "it has more than 4 bytes");
    assert_eq!(said(directory.path(), 5), "it is not a regular file");
    // Nobody writes into it: a read would wait for ever.
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(said(&fifo, 5), "it is not a regular file");
    assert_eq!(read_beginning(&fifo, 5), None);
}
