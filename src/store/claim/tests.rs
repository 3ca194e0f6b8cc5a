use super::*;

#[test]
fn a_directory_is_the_same_by_every_path() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    let real = dir.path().join("real");
    std::fs::create_dir_all(real.join("below")).unwrap();
    std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
    let claimed = store.try_claim(Claimable::Directory(&real), JobId::generate()).unwrap();
    assert!(matches!(claimed, Claimed::Yes(_)));
    for other in ["link", "real/", "real/.", "real/below/..", "link/../link"] {
        let other = dir.path().join(other);
        assert!(store.is_claimed(Claimable::Directory(&other)), "{}", other.display());
    }
    assert!(!store.is_claimed(Claimable::Directory(&real.join("below"))));
}

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
