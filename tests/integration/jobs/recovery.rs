//! Whoever is killed with SIGKILL, at whatever moment: the records tell the truth, and nothing stays behind.
//!
//! `AGENT_DISPATCH_TEST_SEED` repeats a run, as far as the machine's own timing allows;
//! `AGENT_DISPATCH_TEST_JOBS` makes it longer.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent_dispatch::model::JobId;
use agent_dispatch::store::{Finished, JobResult, Record, State, Store, Verdict};
use rustix::process::{Pid, Signal, kill_process};

use test_support::aftermath::{self, log, task};
use test_support::{Invocation, PATIENCE, TestEnvironment, wait_until};

/// How many jobs run side by side. More than there are slots, so that some wait.
const WORKERS: u64 = 4;
const SLOTS: u64 = 3;
const JOBS: u64 = 150;

/// The longest pause before the blow.
const LONGEST_PAUSE_MICROS: u64 = 30_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_nanos() as u64;
    variable("AGENT_DISPATCH_TEST_SEED").unwrap_or_else(now)
}

/// SplitMix64: good enough to choose victims and moments, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn pause(&mut self) {
        thread::sleep(Duration::from_micros(self.below(LONGEST_PAUSE_MICROS)));
    }
}

/// Starts it and kills it a moment later.
fn cut_short(invocation: Invocation, random: &mut Random) {
    let running = invocation.spawn();
    random.pause();
    running.signal(libc::SIGKILL);
}

/// Kills a process of this test, unless it has gone or another process has its number now.
fn kill(environment: &TestEnvironment, is_victim: impl Fn(i32, &str) -> bool) {
    for line in environment.processes() {
        let (pid, command_line) = line.split_once(": ").expect("pid: command line");
        let pid: i32 = pid.parse().expect("a pid");
        if is_victim(pid, command_line) {
            let _ = kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL);
            return;
        }
    }
}

/// One job, and one blow.
fn strike(environment: &TestEnvironment, name: &str, random: &mut Random) {
    let task = task(environment, name, random.below(20));
    let submit = || environment.command(["submit", "infra", &task]);
    // Another worker's blow may have hit this one.
    let submitted = || Some(submit().run().stdout.trim().to_owned()).filter(|id| !id.is_empty());
    match random.below(8) {
        0 => cut_short(submit(), random),
        1 => cut_short(environment.command(["run", "infra", &task]), random),
        2 => {
            let Some(id) = submitted() else { return };
            random.pause();
            kill(environment, |_, line| line.contains("__supervise") && line.contains(&id));
        }
        3 => {
            submitted();
            random.pause();
            let logged = fs::read_to_string(log(environment, name)).unwrap_or_default();
            let agent = logged.split(' ').nth(1).and_then(|pid| pid.parse().ok());
            kill(environment, |pid, line| Some(pid) == agent && line.contains("stream-json"));
        }
        4 => {
            let Some(id) = submitted() else { return };
            cut_short(environment.command(["logs", "--follow", &id]), random);
        }
        5 => {
            let Some(id) = submitted() else { return };
            cut_short(environment.command(["wait", &id]), random);
        }
        6 => {
            let Some(id) = submitted() else { return };
            let verbs = [vec!["status", &id], vec!["gc", "--older-than", "365d"], vec!["jobs"]];
            cut_short(environment.command(&verbs[random.below(3) as usize]), random);
        }
        // Whoever comes first, before the supervisor has said a word too.
        _ => {
            let running = submit().spawn();
            random.pause();
            let skip = random.below(3);
            let seen = std::cell::Cell::new(0);
            kill(environment, |pid, _| {
                seen.set(seen.get() + 1);
                pid != running.pid() && seen.get() > skip
            });
            running.wait();
        }
    }
}

#[test]
fn whoever_is_killed_at_whatever_moment_the_records_tell_the_truth() {
    let seed = seed();
    let jobs = variable("AGENT_DISPATCH_TEST_JOBS").unwrap_or(JOBS);
    let environment = aftermath::environment();
    environment.configure(&format!("settings:\n  max_concurrency: {SLOTS}\n"));
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let environment = &environment;
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_add(worker));
                for job in (worker..jobs).step_by(WORKERS as usize) {
                    strike(environment, &format!("job-{job}"), &mut random);
                }
            });
        }
    });
    // On a busy machine every blow can come too late: one that cannot.
    let task = task(&environment, "held", 60_000);
    let held = environment.command(["submit", "infra", &task]).run().expect_code(0);
    let begun = || fs::read_to_string(log(&environment, "held")).is_ok_and(|log| log.starts_with("start"));
    wait_until(PATIENCE, "the agent runs", begun);
    environment.kill_supervisor(held.stdout.trim());
    let tally = aftermath::check(&environment, &format!("AGENT_DISPATCH_TEST_SEED={seed}"));
    // Neither is everybody hit nor nobody.
    assert!(tally.done > 0 && tally.total() > tally.done, "{tally:?} with AGENT_DISPATCH_TEST_SEED={seed}");
}

#[test]
fn a_collection_that_is_killed_leaves_whole_jobs_or_none() {
    let seed = seed();
    let mut random = Random(seed);
    let environment = aftermath::environment();
    let jobs = environment.jobs_directory();
    let store = Store::open(&jobs).expect("the jobs directory");
    for number in 0..100 {
        let mut record = Record::pending(JobId::generate(), "infra", &format!("task {number}"), 1.0);
        let job = store.create(&record).expect("a job");
        job.folder().expect("its folder").put("stdout.jsonl", b"{}\n").expect("its output");
        record.state = State::Finished(Box::new(Finished {
            started_at: Some(1.0),
            completed_at: 2.0,
            verdict: Verdict::Done,
            result: Some(JobResult::answer(record.id, "infra", "hi")),
            error: None,
        }));
        job.finish(&record, None).expect("it has finished");
    }
    for _ in 0..20 {
        cut_short(environment.command(["gc", "--all"]), &mut random);
        for id in environment.job_ids() {
            assert_eq!(environment.record(&id)["status"], "done", "AGENT_DISPATCH_TEST_SEED={seed}");
            assert!(jobs.join(&id).join("stdout.jsonl").exists(), "AGENT_DISPATCH_TEST_SEED={seed}");
        }
    }
    environment.command(["gc", "--all"]).run().expect_code(0);
    assert!(environment.job_ids().is_empty());
    aftermath::assert_tidy(&environment, &[], &format!("AGENT_DISPATCH_TEST_SEED={seed}"));
}
