use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    (dir, store)
}

#[test]
fn jobs_wait_in_the_order_of_their_creation() {
    let (_dir, store) = store();
    let ids: Vec<JobId> = (0..3).map(|_| JobId::generate()).collect();
    let places: Vec<Place> = ids.iter().map(|id| store.enqueue(*id).unwrap()).collect();
    assert_eq!(store.queued().unwrap(), ids);
    let [first, second, third] = <[Place; 3]>::try_from(places).unwrap();
    assert!(first.predecessor().unwrap().is_none());
    assert!(third.predecessor().unwrap().is_some());
    drop(second);
    drop(first);
    assert!(third.predecessor().unwrap().is_none());
    assert_eq!(store.queued().unwrap(), ids[2..]);
}

#[test]
fn whoever_dies_in_the_queue_holds_nobody_up() {
    let (_dir, store) = store();
    let dead = JobId::generate();
    let place = store.enqueue(JobId::generate()).unwrap();
    std::fs::write(store.path().join(".run/queue").join(dead.to_string()), "").unwrap();
    let last = store.enqueue(JobId::generate()).unwrap();
    drop(place);
    assert!(last.predecessor().unwrap().is_none());
    assert_eq!(store.queued().unwrap().len(), 1);
}

#[test]
fn no_more_slots_are_taken_than_the_limit_allows() {
    let (_dir, store) = store();
    let slots: Vec<Slot> = (0..3).map(|_| store.try_take_slot(3).unwrap().unwrap()).collect();
    assert!(store.try_take_slot(3).unwrap().is_none());
    let more = store.try_take_slot(4).unwrap().expect("the limit was raised");
    // Lowered to two while four run: three must end first.
    drop(more);
    let mut slots = slots.into_iter();
    drop(slots.next());
    assert!(store.try_take_slot(2).unwrap().is_none());
    drop(slots.next());
    assert!(store.try_take_slot(2).unwrap().is_some());
}
