use super::*;
use crate::store::Record;

#[test]
fn what_a_supervisor_notes_is_there_for_whoever_holds_the_job_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    let id = JobId::generate();
    let job = store.create(&Record::pending(id, "infra", "look", 1.0)).unwrap();
    assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, None));
    job.sign(4_194_304).unwrap();
    assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, Some(4_194_304)));
    let notes = store.notes(id).unwrap();
    let first = Identity { pid: 4_194_303, started: u64::MAX };
    let mut footprint = Footprint { boot: "0123abcd".into(), session: 7, first, strays: Vec::new() };
    notes.agent(&footprint);
    assert_eq!(job.footprint(), Some(footprint.clone()));
    footprint.strays = vec![first; MOST_STRAYS + 1];
    notes.strays(&footprint.strays);
    assert_eq!(job.footprint().unwrap().strays.len(), MOST_STRAYS);
    notes.strays(&footprint.strays[..2]);
    assert_eq!(job.footprint().unwrap().strays, [first, first]);
    for halt in Halt::PLAIN.into_iter().chain([Halt::OutputLimit { bytes: u64::MAX }]) {
        notes.halt(halt);
        assert_eq!(job.halt(), Some(halt));
    }
    assert_eq!(store.supervisor_pid(id), Some(4_194_304));
}

#[test]
fn the_lock_of_an_earlier_version_has_no_notes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    let id = JobId::generate();
    let job = store.create(&Record::pending(id, "infra", "look", 1.0)).unwrap();
    job.lock.write_all_at(b"123\n", 0).unwrap();
    assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, Some(123)));
}
