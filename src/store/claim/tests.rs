use super::*;

#[test]
fn what_one_job_has_claimed_another_has_to_wait_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    let (one, other) = (JobId::generate(), JobId::generate());
    let session = Claimable::Session("../../etc/passwd");
    let Claimed::Yes(claim) = store.try_claim(session, one).unwrap() else { panic!("it is free") };
    let Claimed::Busy { holder, waiter } = store.try_claim(session, other).unwrap() else {
        panic!("it is taken")
    };
    assert_eq!(holder, Some(one));
    let elsewhere = Claimable::Directory(Path::new("../../etc/passwd"));
    assert!(matches!(store.try_claim(elsewhere, other).unwrap(), Claimed::Yes(_)));
    assert!(store.is_claimed(session) && !store.is_claimed(Claimable::WaitFor(one)));
    drop(claim);
    waiter.wait().unwrap();
    let Claimed::Yes(claim) = store.try_claim(session, other).unwrap() else { panic!("it is free") };
    drop(claim);
    assert!(!store.is_claimed(session));
    assert_eq!(std::fs::read_dir(store.path().join(".run/claims")).unwrap().count(), 0);
}
