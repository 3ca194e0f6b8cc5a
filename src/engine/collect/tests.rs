use super::*;
use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

const DAY: f64 = 86_400.0;
const NOW: f64 = 2_000_000_000.0;

#[test]
fn a_backlog_of_old_jobs_goes_in_portions_the_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    // All were made in 2023; which is the older one is in the last digits.
    let ended = UNIX_EPOCH + Duration::from_secs_f64(NOW - 8.0 * DAY);
    for number in 0..AT_MOST + 5 {
        let path = store.path().join(format!("018bcfe5680070008000{number:012x}.json"));
        File::create(path).and_then(|file| file.set_modified(ended)).unwrap();
    }
    let week = Duration::from_secs(7 * 86_400);
    collect_by_itself(&store, week * 2, NOW).unwrap();
    assert_eq!(store.ids().unwrap().len(), AT_MOST + 5);
    store.leave_collection_unfinished().unwrap();
    collect_by_itself(&store, week, NOW).unwrap();
    let left = store.ids().unwrap();
    assert_eq!(left.len(), 5);
    assert!(left[4].to_string().ends_with(&format!("{AT_MOST:x}")));
    // There was more: the next one goes on at once.
    collect_by_itself(&store, week, NOW).unwrap();
    assert!(store.ids().unwrap().is_empty());
}
