//! What must hold after any crash or failure, once all is quiet and somebody has looked at the jobs once.
//!
//! The agent's own files are the witnesses: what its output says and what it logged. Tasks come from [`task`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{PATIENCE, TestEnvironment, wait_until};

/// An environment with the agent `infra`, for tasks of [`task`].
pub fn environment() -> TestEnvironment {
    let mut environment = TestEnvironment::new();
    environment.leak_grace(Duration::from_secs(30));
    environment.project("infra");
    fs::create_dir(logs(&environment)).expect("a directory for the agents' logs");
    environment
}

fn logs(environment: &TestEnvironment) -> PathBuf {
    environment.root().join("logs")
}

/// Where the agent that does the task `name` logs its start and its end.
pub fn log(environment: &TestEnvironment, name: &str) -> PathBuf {
    logs(environment).join(name)
}

/// A task that takes so many milliseconds and whose answer is its name.
pub fn task(environment: &TestEnvironment, name: &str, milliseconds: u64) -> String {
    let log = log(environment, name);
    format!("fake: log {}\nfake: sleep {milliseconds}ms\nfake: answer {name}", log.display())
}

/// How the jobs ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: usize,
    pub failed: usize,
    pub cancelled: usize,
}

impl Tally {
    pub fn total(&self) -> usize {
        self.done + self.failed + self.cancelled
    }
}

/// Waits until nothing runs, looks at the jobs once and checks everything. `how` tells what was done before.
#[track_caller]
pub fn check(environment: &TestEnvironment, how: &str) -> Tally {
    environment.assert_nothing_running();
    // A process that the test harness forks has a copy of every descriptor of the harness, until it executes.
    wait_until(PATIENCE, "every lock is free", || all_locks_are_free(environment));
    // Readable at every moment, not only after somebody has tidied up.
    for id in environment.job_ids() {
        environment.record(&id);
    }
    let listed = environment.command(["jobs", "-n", "0", "--json"]).run().expect_code(0);
    assert!(!listed.stderr.contains("warning"), "{how}: {}", listed.stderr);
    let listed = listed.json();
    let listed = listed.as_array().expect("a list");
    let ids = environment.job_ids();
    assert_eq!(listed.len(), ids.len(), "{how}: every record is listed");

    let mut tally = Tally::default();
    let mut named = BTreeSet::new();
    for id in &ids {
        let record = environment.record(id);
        let count = match record["status"].as_str() {
            Some("done") => &mut tally.done,
            Some("failed") => &mut tally.failed,
            Some("cancelled") => &mut tally.cancelled,
            status => panic!("{how}: job {id} is {status:?} although nobody runs it"),
        };
        *count += 1;
        named.extend(truthful(environment, id, &record, how));
    }
    let logged =
        fs::read_dir(logs(environment)).expect("the logs").filter_map(|entry| Some(entry.ok()?.path()));
    let unrecorded: Vec<PathBuf> = logged.filter(|log| !named.contains(log)).collect();
    assert!(unrecorded.is_empty(), "{how}: agents ran without a record: {unrecorded:?}");
    assert_noted_once(environment, &ids, how);
    assert_tidy(environment, &ids, how);
    tally
}

/// Checks that the usage journal has one line for each job.
fn assert_noted_once(environment: &TestEnvironment, ids: &[String], how: &str) {
    let journal = environment.config().with_file_name("usage.jsonl");
    let journal = fs::read_to_string(journal).unwrap_or_default();
    let lines = journal.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut noted: Vec<String> =
        lines.map(|line| line["job_id"].as_str().expect("an id").to_owned()).collect();
    noted.sort();
    let missing: Vec<_> = ids.iter().filter(|id| noted.binary_search(id).is_err()).collect();
    assert!(missing.is_empty(), "{how}: not in the journal: {missing:?}");
    let lines = noted.len();
    noted.dedup();
    assert_eq!(noted.len(), lines, "{how}: a job is in the journal more than once");
}

fn all_locks_are_free(environment: &TestEnvironment) -> bool {
    let run = environment.jobs_directory().join(".run");
    let locks = names(&run).into_iter().filter(|name| name.ends_with(".lock"));
    locks.into_iter().all(|name| File::open(run.join(name)).is_ok_and(|lock| lock.try_lock_shared().is_ok()))
}

/// Checks a record of a finished job against what its agent left behind; returns the agent's log.
fn truthful(environment: &TestEnvironment, id: &str, record: &Value, how: &str) -> Option<PathBuf> {
    let folder = environment.jobs_directory().join(id);
    let output = fs::read_to_string(folder.join("stdout.jsonl")).unwrap_or_default();
    let answer = complete_answer(&output);
    let result = &record["result"];
    let tell = || format!("{how}: {record:#}\nits agent wrote:\n{output}");
    assert_eq!(
        record["status"] == "done",
        answer.is_some(),
        "done means that there is an answer; {}",
        tell()
    );
    assert_eq!(result["success"], record["status"] == "done", "{}", tell());
    assert!(record["completed_at"].is_number(), "{}", tell());
    match &answer {
        Some(answer) => assert_eq!(result["result"], answer.as_str(), "{}", tell()),
        None => {
            assert!(record["error"].as_str().is_some_and(|error| !error.is_empty()), "{}", tell());
            assert!(result["error_type"].is_string(), "{}", tell());
        }
    }
    let task = record["task"].as_str().expect("a task");
    let log = PathBuf::from(task.lines().find_map(|line| line.strip_prefix("fake: log "))?);
    let logged = fs::read_to_string(&log).unwrap_or_default();
    assert!(logged.matches("start").count() <= 1, "the agent ran more than once: {logged}; {}", tell());
    if logged.contains("start") {
        assert!(record["started_at"].is_number(), "an agent that ran was started; {}", tell());
    }
    if logged.contains("end") && record["status"] == "failed" {
        // An agent that was asked to stop logs its end as well, but its output says so.
        assert!(output.contains("error_during_execution"), "an answer was lost; {}", tell());
    }
    Some(log)
}

/// The answer in an agent's output, if it is complete.
fn complete_answer(output: &str) -> Option<String> {
    let mut results = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = results.rfind(|event| event["type"] == "result")?;
    (last["is_error"] == false).then(|| last["result"].as_str().unwrap_or_default().to_owned())
}

/// After a collection, a day later, nothing is in the directory but the jobs.
#[track_caller]
pub fn assert_tidy(environment: &TestEnvironment, ids: &[String], how: &str) {
    let jobs = environment.jobs_directory();
    if !jobs.exists() {
        assert!(ids.is_empty(), "{how}");
        return;
    }
    age(&jobs);
    environment.command(["gc", "--older-than", "365d"]).run().expect_code(0);
    let mut expected: BTreeSet<String> = [".run".to_owned()].into();
    expected.extend(ids.iter().map(|id| format!("{id}.json")));
    let folders: BTreeSet<String> = ids.iter().cloned().collect();
    let found = names(&jobs);
    let unexpected: Vec<_> =
        found.iter().filter(|name| !expected.contains(*name) && !folders.contains(*name)).collect();
    assert!(unexpected.is_empty(), "{how}: gc left {unexpected:?}");
    assert!(expected.is_subset(&found), "{how}: gc took a job: {found:?}");
    for id in ids {
        let left: Vec<String> =
            names(&jobs.join(id)).into_iter().filter(|name| name.starts_with(".tmp-")).collect();
        assert!(left.is_empty(), "{how}: unfinished files in the folder of {id}: {left:?}");
    }
    let run = jobs.join(".run");
    let left: Vec<String> = names(&run)
        .into_iter()
        .filter(|name| !["admission", "gate", "slots", "queue", "claims"].contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "{how}: left in .run: {left:?}");
    for directory in ["queue", "claims"] {
        let left = names(&run.join(directory));
        assert!(left.is_empty(), "{how}: left in .run/{directory}: {left:?}");
    }
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// Makes everything look a day old.
fn age(directory: &Path) {
    let then = SystemTime::now() - Duration::from_secs(86_400);
    for name in names(directory) {
        let path = directory.join(name);
        if path.is_dir() {
            age(&path);
        }
        File::open(&path).and_then(|file| file.set_modified(then)).expect("a file of the owner's");
    }
}
