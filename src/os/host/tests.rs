use super::*;

#[test]
fn a_place_on_disk_tells_how_much_room_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let found = file_system(directory.path()).unwrap();
    assert!(found.size_bytes > 0 && found.free_bytes <= found.size_bytes, "{found:?}");
    let missing = file_system(&directory.path().join("missing")).unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
}

#[test]
fn the_umask_is_what_the_shell_says() {
    let output = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap();
    let shell = String::from_utf8(output.stdout).unwrap();
    assert_eq!(umask(), u32::from_str_radix(shell.trim(), 8).ok());
}
