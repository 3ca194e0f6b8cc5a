use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("jobs")).unwrap();
    (dir, store)
}

fn pending() -> Record {
    Record::pending(JobId::generate(), "infra", "look", 1_700_000_000.0)
}

fn finish(store: &Store, record: &mut Record) {
    let held = store.create(record).unwrap();
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: record.created_at + 1.0,
        verdict: Verdict::Done,
        result: Some(JobResult::answer(record.id, "infra", "hi")),
        error: None,
    }));
    held.finish(record, None).map_err(|(_, error)| error).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_can_read_what_the_store_writes() {
    let (_dir, store) = store();
    let record = pending();
    let held = store.create(&record).unwrap();
    held.folder().unwrap().append_to_stdout().unwrap();
    let at = |name: &str| store.path().join(name);
    assert_eq!(mode(store.path()), 0o700);
    assert_eq!(mode(&at(".run")), 0o700);
    assert_eq!(mode(&at(&record.id.to_string())), 0o700);
    assert_eq!(mode(&at(&format!("{}.json", record.id))), 0o600);
    assert_eq!(mode(&at(&format!("{}/stdout.jsonl", record.id))), 0o600);
    assert_eq!(mode(&at(&format!(".run/{}.lock", record.id))), 0o600);
}

#[test]
fn a_job_is_alive_while_its_lock_is_held_and_not_a_moment_longer() {
    let (_dir, store) = store();
    let record = pending();
    let held = store.create(&record).unwrap();
    assert_eq!(store.liveness(record.id).unwrap(), Liveness::Alive);
    assert!(store.try_hold(record.id).unwrap().is_none());
    drop(held);
    assert_eq!(store.liveness(record.id).unwrap(), Liveness::Abandoned);
    assert!(store.try_hold(record.id).unwrap().is_some());
    assert_eq!(store.read(record.id).unwrap().status(), Status::Pending);
}

#[test]
fn a_finished_job_leaves_no_lock() {
    let (_dir, store) = store();
    let mut record = pending();
    finish(&store, &mut record);
    assert!(store.active_ids().unwrap().is_empty());
    assert_eq!(store.read(record.id).unwrap(), record);
}

#[test]
fn a_waiter_wakes_when_the_job_is_let_go() {
    let (_dir, store) = store();
    let record = pending();
    let held = store.create(&record).unwrap();
    std::thread::scope(|scope| {
        let waiter = store.waiter(record.id).unwrap().unwrap();
        let waiting = scope.spawn(|| waiter.wait());
        assert!(!waiting.is_finished());
        drop(held);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn a_jobs_directory_that_is_a_link_or_open_to_others_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let link = dir.path().join("link");
    symlink(&open, &link).unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (path, words) in
        [(&open, "other users can open it (mode 0755)"), (&link, "symbolic link"), (&file, "not a directory")]
    {
        let error = Store::open(path).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn what_is_not_a_record_is_moved_aside_and_reported() {
    let (_dir, store) = store();
    type Make = fn(&Path);
    let make: [(&str, Make); 5] = [
        ("expected ident", |path| std::fs::write(path, "not json").unwrap()),
        ("missing field", |path| std::fs::write(path, "{}").unwrap()),
        ("symbolic link", |path| symlink("/etc/passwd", path).unwrap()),
        ("not a regular file", |path| {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
                0,
            )
            .unwrap();
        }),
        ("not a regular file", |path| std::fs::create_dir(path).unwrap()),
    ];
    for (words, make) in make {
        let id = JobId::generate();
        make(&store.path().join(format!("{id}.json")));
        let error = store.read(id).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(matches!(error, StoreError::Damaged { moved_to: Some(_), .. }));
        assert!(matches!(store.read(id), Err(StoreError::NoSuchJob(_))));
    }
    assert_eq!(store.leftovers(|_| true).unwrap().damaged.len(), 5);
}

#[test]
fn a_job_is_found_by_prefix_or_as_the_latest() {
    let (_dir, store) = store();
    assert!(matches!(store.resolve(&JobSelector::Latest), Err(StoreError::Empty(_))));
    let mut old = Record::pending("5f0c9d0e7a3b4c1d8e2f00112233aabb".parse().unwrap(), "a", "t", 1.0);
    finish(&store, &mut old);
    let mut new = pending();
    finish(&store, &mut new);
    assert_eq!(store.ids().unwrap(), [new.id, old.id]);
    assert_eq!(store.resolve(&JobSelector::Latest).unwrap(), new.id);
    assert_eq!(store.resolve(&JobSelector::Prefix("5f0c".into())).unwrap(), old.id);
    assert!(matches!(store.resolve(&JobSelector::Prefix("ffff".into())), Err(StoreError::NoSuchPrefix(_))));
}

#[test]
fn deleting_a_job_removes_every_file_and_follows_no_link() {
    let (dir, store) = store();
    let mut record = pending();
    finish(&store, &mut record);
    let outside = dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("precious"), "x").unwrap();
    symlink(&outside, store.path().join(record.id.to_string()).join("link")).unwrap();
    store.delete(record.id).unwrap();
    assert_eq!(store.jobs.names().unwrap(), [std::ffi::OsString::from(".run")]);
    assert!(outside.join("precious").exists());
}
