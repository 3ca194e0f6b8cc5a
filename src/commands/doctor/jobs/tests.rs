use super::*;
use crate::commands::doctor::finding::Level;

const MIB: u64 = 1024 * 1024;

fn judged(
    free_mib: u64,
    files: u64,
    free_files: u64,
    network: Option<&'static str>,
) -> Vec<(&'static str, Level)> {
    let found = FileSystem {
        size_bytes: 10_000 * MIB,
        free_bytes: free_mib * MIB,
        files,
        free_files,
        network,
        without_modes: None,
    };
    room(Path::new("/"), &found).iter().map(|finding| (finding.id, finding.level)).collect()
}

#[test]
fn too_little_room_and_unsure_locks_are_warned_of() {
    let fine = ("jobs-space", Level::Ok);
    assert_eq!(judged(5_000, 0, 0, None), [fine]);
    assert_eq!(judged(500, 1_000, 500, None), [fine]);
    assert_eq!(judged(499, 0, 0, None), [("jobs-space", Level::Warning)]);
    assert_eq!(judged(5_000, 1_000, 9, None), [fine, ("jobs-inodes", Level::Warning)]);
    assert_eq!(judged(5_000, 0, 0, Some("NFS")), [fine, ("jobs-network", Level::Warning)]);
}

#[test]
fn a_job_from_the_future_says_that_a_clock_is_wrong() {
    let id = JobId::generate();
    let made = id.created_at_ms().unwrap() as f64 / 1_000.0;
    assert_eq!(from_the_future(&[id], made - 30.0), None);
    let found = from_the_future(&[id], made - 3_600.0).unwrap();
    assert!(found.level == Level::Warning && found.found.contains(&id.to_string()), "{found:?}");
}
