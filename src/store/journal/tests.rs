use super::*;
use crate::store::{Finished, JobResult, State, Verdict};

fn record(agent: &str, duration_ms: u64) -> Record {
    let mut record = Record::pending(JobId::generate(), agent, "look", 1.0);
    let result = JobResult { duration_ms: Some(duration_ms), ..JobResult::answer(record.id, agent, "hi") };
    record.state = State::Finished(Box::new(Finished {
        started_at: Some(1.0),
        completed_at: 2.0,
        verdict: Verdict::Done,
        result: Some(result),
        error: None,
    }));
    record
}

fn journal() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::at(dir.path().join("new/usage.jsonl"));
    (dir, journal)
}

#[test]
fn a_job_that_is_over_is_one_line_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, journal) = journal();
    journal.for_each(|_| panic!("there is nothing yet")).unwrap();
    let record = record("infra", 5);
    journal.note(&record).unwrap();
    journal.note(&Record::pending(JobId::generate(), "infra", "look", 1.0)).unwrap();
    let mut entries = Vec::new();
    journal.for_each(|entry| entries.push(entry)).unwrap();
    assert_eq!(entries, [Entry::of(&record)]);
    assert_eq!(journal.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(journal.path()).unwrap().contains("null"));
}

#[test]
fn a_job_is_noted_once_however_far_back_its_line_stands() {
    let (_dir, journal) = journal();
    let (noted, missing) = (record("infra", 5), record("infra", 6));
    journal.note_once(&noted).unwrap();
    // More than is read at first, of the same hour.
    let mut line = serde_json::to_vec(&Entry::of(&record("web", 1)).unwrap()).unwrap();
    line.push(b'\n');
    let mut file = std::fs::OpenOptions::new().append(true).open(journal.path()).unwrap();
    file.write_all(&line.repeat(3 * RECENT_BYTES as usize / line.len())).unwrap();
    let length = || journal.path().metadata().unwrap().len();
    let before = length();
    journal.note_once(&noted).unwrap();
    assert_eq!(length(), before);
    journal.note_once(&missing).unwrap();
    let after = length();
    assert!(after > before);
    journal.note_once(&missing).unwrap();
    assert_eq!(length(), after);
    std::fs::rename(journal.path(), journal.before()).unwrap();
    journal.note_once(&noted).unwrap();
    assert!(!journal.path().exists());
}

#[test]
fn a_line_that_a_full_disk_tore_takes_no_other_with_it() {
    let (_dir, journal) = journal();
    journal.note(&record("infra", 5)).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(journal.path()).unwrap();
    file.write_all(b"{\"time\":1.0,\"job").unwrap();
    journal.note(&record("infra", 6)).unwrap();
    let mut entries = Vec::new();
    journal.for_each(|entry| entries.push(entry.is_some())).unwrap();
    assert_eq!(entries, [true, false, true]);
}

#[test]
fn a_full_journal_is_put_aside_and_read_on() {
    let (_dir, journal) = journal();
    journal.note(&record("infra", 1)).unwrap();
    let mut line = std::fs::read(journal.path()).unwrap();
    let (first, second) = (FULL_BYTES as usize / line.len() + 1, 3);
    line = line.repeat(first);
    line.extend(b"what is this\n");
    std::fs::write(journal.path(), line).unwrap();
    (0..second).for_each(|_| journal.note(&record("web", 2)).unwrap());
    let (mut entries, mut unreadable) = (0, 0);
    journal.for_each(|entry| *(if entry.is_some() { &mut entries } else { &mut unreadable }) += 1).unwrap();
    assert_eq!((entries, unreadable), (first + second, 1));
    assert!(journal.path().metadata().unwrap().len() < 1_000);
    let mut recent = 0;
    journal.for_each_recent(Some("web"), |entry| recent += entry.duration_ms.unwrap()).unwrap();
    assert_eq!(recent, 6);
    let mut recent = 0;
    journal.for_each_recent(None, |_| recent += 1).unwrap();
    assert!((1_000..4_000).contains(&recent), "{recent}");
}

#[test]
fn what_stands_in_the_way_of_the_journal_is_left_alone() {
    let (dir, _) = journal();
    let target = dir.path().join("target");
    std::os::unix::fs::symlink(&target, dir.path().join("link")).unwrap();
    assert!(Journal::at(dir.path().join("link")).note(&record("infra", 1)).is_err());
    assert!(Journal::at(dir.path().to_owned()).note(&record("infra", 1)).is_err());
    assert!(!target.exists());
}

#[test]
fn percentiles_are_values_that_occurred() {
    assert_eq!(Usual::of(Vec::new(), Vec::new()), None);
    let usual = Usual::of((1..=10).rev().collect(), vec![0.5, 0.25]).unwrap();
    assert_eq!(usual, Usual { runs: 10, median_ms: 5, p90_ms: 9, median_cost_usd: Some(0.25) });
    assert_eq!(Usual::of(vec![7], Vec::new()).map(|usual| usual.p90_ms), Some(7));
}
