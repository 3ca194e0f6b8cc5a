//! A wall clock that is set while jobs run: lengths of time do not follow it, and nobody waits for ever.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless, with_agent};
use test_support::{PATIENCE, TestEnvironment, quoted, skip, wait_until};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// An environment with one agent, whose programs all go by a clock that can be set.
struct Scene {
    environment: TestEnvironment,
    shift: PathBuf,
}

impl Scene {
    /// `None` where no library can be made that shifts the clock.
    fn new() -> Option<Self> {
        let mut environment = with_agent();
        let library = environment.root().join("shifted-clock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/fixtures/shifted-clock.c");
        match Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).output() {
            Ok(made) => assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr)),
            Err(error) => {
                skip(&format!("the clock cannot be shifted without a C compiler: cc: {error}"));
                return None;
            }
        }
        let shift = environment.root().join("shift");
        // By its name: a space in the path would part LD_PRELOAD in two.
        let directory = environment.root().to_owned();
        environment.variable("SHIFTED_CLOCK", &shift).variable("LD_LIBRARY_PATH", directory);
        environment.variable("LD_PRELOAD", library.file_name().unwrap_or_default());
        Some(Self { environment, shift })
    }

    /// Sets the clock so many seconds before or after what it really is.
    fn set(&self, seconds: i64) {
        // Replaced as a whole: whoever reads it at this moment reads one or the other.
        let new = self.shift.with_extension("new");
        fs::write(&new, seconds.to_string()).expect("the shift");
        fs::rename(new, &self.shift).expect("the shift");
    }

    fn submit_with(&self, arguments: &[&str]) -> String {
        let output = self.environment.command(["submit", AGENT]).args(arguments).run().expect_code(0);
        output.stdout.trim_end().to_owned()
    }

    fn status(&self, id: &str) -> Value {
        self.environment.command(["status", id, "--json"]).run().expect_code(0).json()
    }

    fn cancel(&self, id: &str) {
        self.environment.command(["cancel", id]).run().expect_code(0);
        self.environment.command(["wait", id]).run().expect_code(130);
    }

    /// How many jobs `gc` deletes, and how many it keeps because they are recent.
    fn collect(&self, age: &str) -> (usize, Value) {
        let document =
            self.environment.command(["gc", "--older-than", age, "--json"]).run().expect_code(0).json();
        (document["deleted"].as_array().expect("a list").len(), document["kept_recent"].clone())
    }
}

/// How far a time in a record is from the real one, in whole hours.
fn hours_from_now(record: &Value, time: &str) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64();
    ((record[time].as_f64().expect("a time") - now) / HOUR as f64).round()
}

#[test]
fn a_clock_that_is_set_forward_ends_no_job_early() {
    let Some(scene) = Scene::new() else { return };
    let (gate, task) = gate(&scene.environment);
    let id = scene.submit_with(&["--timeout", "1h", "--idle-timeout", "1h", &task]);
    wait_until(PATIENCE, "the agent runs", || scene.environment.record(&id)["status"] == "running");
    scene.set(3 * DAY);
    let patient = scene.environment.command(["wait", &id, "--timeout", "1h"]).spawn();
    // Twice the supervisor's look at its limits.
    let until = Instant::now() + Duration::from_millis(600);
    wait_until(PATIENCE, "the supervisor has looked", || Instant::now() > until);
    assert_eq!(scene.status(&id)["status"], "running");
    fs::write(gate, "").expect("the gate opens");
    patient.wait().expect_code(0);
    let record = scene.environment.record(&id);
    assert_eq!(record["status"], "done");
    assert_eq!(hours_from_now(&record, "completed_at"), 72.0, "the clock was shifted for the supervisor");
    assert!(record["result"]["duration_ms"].as_u64().unwrap() < 60_000, "{record}");
}

#[test]
fn a_clock_that_is_set_back_lets_no_job_run_on() {
    let Some(scene) = Scene::new() else { return };
    let id = scene.submit_with(&["--timeout", "2s", "fake: hang"]);
    wait_until(PATIENCE, "the agent runs", || scene.environment.record(&id)["status"] == "running");
    let impatient = scene.environment.command(["wait", &id, "--timeout", "100ms"]).spawn();
    scene.set(-DAY);
    impatient.wait().expect_code(124);
    scene.environment.command(["wait", &id]).run().expect_code(124);
    let record = scene.environment.record(&id);
    assert_eq!((&record["status"], &record["result"]["error_type"]), (&json!("failed"), &json!("timeout")));
    assert!((2_000..60_000).contains(&record["result"]["duration_ms"].as_u64().unwrap()), "{record}");
    // It ended before it started, by the clock, and is read all the same.
    assert_eq!(hours_from_now(&record, "started_at"), 0.0);
    assert_eq!(hours_from_now(&record, "completed_at"), -24.0);
    for command in [["status", &id], ["logs", &id], ["status", "latest"]] {
        scene.environment.command(command).run().expect_code(0);
    }
    scene.environment.command(["result", &id]).run().expect_code(124);
}

#[test]
fn who_waits_when_the_clock_goes_back_stays_before_who_comes_later() {
    let Some(scene) = Scene::new() else { return };
    let environment = &scene.environment;
    environment.configure("settings:\n  max_concurrency: 1\n");
    let (gate, task) = gate(environment);
    scene.set(HOUR);
    let first = submit(environment, &task);
    wait_until(PATIENCE, "the first runs", || environment.record(&first)["status"] == "running");
    let mut waiting = vec![submit(environment, "fake: answer of an hour ahead")];
    scene.set(0);
    waiting.extend((0..2).map(|number| submit(environment, &format!("fake: answer {number}"))));
    scene.set(-HOUR);
    waiting.push(submit(environment, "fake: answer of an hour ago"));
    let places: Vec<Value> = waiting.iter().map(|id| scene.status(id)["queue_position"].clone()).collect();
    assert_eq!(places, [json!(1), json!(2), json!(3), json!(4)]);
    let listed = environment.command(["jobs"]).run().expect_code(0).stdout;
    assert_eq!(listed.lines().count(), 6, "{listed}");
    assert!(!listed.contains(" -1") && listed.contains(" now "), "no age is negative: {listed}");

    fs::write(gate, "").expect("the gate opens");
    environment.command(["wait", &first]).args(&waiting).run().expect_code(0);
    let starts: Vec<f64> =
        waiting.iter().map(|id| environment.record(id)["started_at"].as_f64().expect("it ran")).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    let newest = environment.command(["result", "latest"]).run().expect_code(0).stdout;
    assert_eq!(newest, "of an hour ago\n", "the one that came last");
}

#[test]
fn nothing_is_collected_early_because_the_clock_went_back() {
    let Some(scene) = Scene::new() else { return };
    let environment = &scene.environment;
    scene.set(2 * HOUR);
    submit_and_finish(environment, "fake: answer ahead");
    scene.set(0);
    let second = submit_and_finish(environment, "fake: answer now");
    assert_eq!(scene.collect("1h"), (0, json!(2)));
    let running = submit_endless(environment);
    scene.set(-DAY);
    submit_and_finish(environment, "fake: answer a day ago");
    assert_eq!(scene.collect("1h"), (0, json!(3)));
    let shown = environment.command(["status", &second]).run().expect_code(0).stdout;
    assert!(shown.contains("now\n"), "made in a future of a day: {shown}");
    let shown = environment.command(["status", &running]).run().expect_code(0).stdout;
    assert!(shown.contains("running for  0 ms"), "{shown}");
    // When all of them are old by any count, they go.
    scene.set(5 * HOUR);
    assert_eq!(scene.collect("1h"), (3, json!(0)));
    scene.cancel(&running);
}

#[test]
fn times_that_cannot_be_are_shown_all_the_same() {
    let environment = with_agent();
    submit_and_finish(&environment, "fake: answer x");
    let id = "9c5b94b135ad49bbb1189e8fc24abf80";
    let mut record: Value = serde_json::from_str(include_str!("../fixtures/python-running.json")).unwrap();
    for time in [-1e300, 1e300] {
        record["created_at"] = time.into();
        record["started_at"] = time.into();
        let path = environment.jobs_directory().join(format!("{id}.json"));
        fs::write(path, record.to_string()).expect("a record");
        for command in [&["status", id][..], &["jobs"], &["jobs", "--tree"], &["gc", "--older-than", "1d"]] {
            environment.command(command).run().expect_code(0);
        }
    }
}

/// An agent that runs until the returned file exists.
fn gate(environment: &TestEnvironment) -> (PathBuf, String) {
    let gate = environment.root().join("gate");
    let task = format!("fake: shell until [ -e {} ]; do sleep 0.01; done", quoted(&gate));
    (gate, task)
}
