//! The commands with jobs that are nowhere but in memory: they know of no store, so they do the same for jobs on any host.

use std::time::Duration;

use clap::{Args, Parser};
use serde_json::Value;

use super::{
    CommandResult, Context, Problem, batch, cancel, gc, jobs, logs, result, run, stats, status, submit, wait,
};
use crate::engine::{Jobs, MemoryJobs};
use crate::error::Exit;
use crate::model::JobId;
use crate::store::{ErrorType, Status};
use crate::ui::printed;

/// A command line of one command.
#[derive(Parser)]
struct Line<A: Args> {
    #[command(flatten)]
    args: A,
}

/// Runs a command with these words; returns what it came to and what it printed.
fn call<A: Args>(
    command: fn(&A, &Context) -> CommandResult,
    memory: &MemoryJobs,
    words: &[&str],
) -> (CommandResult, String) {
    let line = std::iter::once(&"command").chain(words);
    let came_to = command(&Line::<A>::parse_from(line).args, &Context::with_jobs(memory));
    (came_to, printed())
}

/// The same for a command that comes to an exit code, and prints JSON.
#[track_caller]
fn json<A: Args>(
    command: fn(&A, &Context) -> CommandResult,
    memory: &MemoryJobs,
    words: &[&str],
) -> (Exit, Value) {
    let (came_to, printed) = call(command, memory, words);
    (came_to.unwrap(), serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}")))
}

/// Does something to the jobs while a command waits for them.
fn meanwhile(memory: &MemoryJobs, act: impl FnOnce(MemoryJobs) + Send + 'static) {
    let memory = memory.clone();
    std::thread::spawn(move || act(memory));
}

fn words(ids: &[JobId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn jobs_are_listed() {
    let memory = MemoryJobs::default();
    let (old, new) = (memory.run("infra", "one"), memory.add("web", "two"));
    memory.answer(old, "it runs");
    let ids = |words: &[&str]| {
        let (exit, records) = json(jobs::run, &memory, words);
        let ids = records.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned());
        (exit, ids.collect::<Vec<_>>())
    };
    assert_eq!(ids(&["--json"]), (Exit::Success, words(&[new, old])));
    assert_eq!(ids(&["--json", "--limit", "1"]), (Exit::Success, words(&[new])));
    assert_eq!(ids(&["--json", "--agent", "infra"]), (Exit::Success, words(&[old])));
    assert_eq!(ids(&["--json", "--status", "pending"]), (Exit::Success, words(&[new])));
    let (_, table) = call(jobs::run, &memory, &[]);
    assert!(table.contains("pending (1)") && table.contains("done"), "{table}");
}

#[test]
fn a_wait_ends_with_the_last_job_and_its_results_are_in_the_order_of_the_words() {
    let memory = MemoryJobs::default();
    let ids = [(); 3].map(|()| memory.run("infra", "x"));
    meanwhile(&memory, move |memory| {
        memory.answer(ids[2], "three");
        memory.fail(ids[1], ErrorType::Budget, "too dear");
        memory.answer(ids[0], "one");
    });
    let mut line = words(&ids);
    line.push("--json".to_owned());
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let (exit, results) = json(wait::run, &memory, &line);
    assert_eq!(exit, Exit::Budget);
    let told: Vec<_> = results.as_array().unwrap().iter().map(|result| &result["result"]).collect();
    assert_eq!(told, ["one", "", "three"]);
    let (came_to, _) =
        call(wait::run, &memory, &[&memory.run("infra", "x").to_string(), "--timeout", "0.01"]);
    assert!(matches!(came_to, Err(Problem::Failure(failure)) if failure.exit == Exit::TimedOut));
}

#[test]
fn a_job_is_stopped_with_all_that_it_led_to() {
    let memory = MemoryJobs::default();
    let (top, other) = (memory.run("infra", "x"), memory.run("web", "x"));
    let below = memory.add_below(memory.add_below(top, "infra", "x"), "web", "x");
    let (exit, stopped) = json(cancel::run, &memory, &[&top.to_string(), "--cascade", "--json"]);
    assert_eq!((exit, stopped.as_array().unwrap().len()), (Exit::Success, 3));
    assert!(stopped.as_array().unwrap().iter().all(|one| one["stopped"] == true), "{stopped}");
    assert_eq!(memory.get(below).unwrap().status(), Status::Cancelled);
    assert_eq!(memory.get(other).unwrap().status(), Status::Running);
    assert_eq!(json(cancel::run, &memory, &["--all", "--json"]).0, Exit::Success);
    assert_eq!(memory.unfinished().unwrap(), []);
}

#[test]
fn a_log_is_followed_to_its_end() {
    let memory = MemoryJobs::default();
    let id = memory.add("infra", "x");
    meanwhile(&memory, move |memory| {
        memory.start(id);
        for word in ["one\n", "two\nth", "ree\n"] {
            memory.write(id, word);
            std::thread::sleep(Duration::from_millis(1));
        }
        memory.answer(id, "done");
    });
    let (came_to, log) = call(logs::run, &memory, &[&id.to_string(), "--follow"]);
    assert_eq!((came_to.unwrap(), log.as_str()), (Exit::Success, "one\ntwo\nthree\n"));
    let (came_to, raw) = call(logs::run, &memory, &["latest", "--raw"]);
    assert_eq!((came_to.unwrap(), raw), (Exit::Success, log));
}

#[test]
fn requests_are_answered() {
    let memory = MemoryJobs::default();
    memory.answer_all("it runs");
    let (came_to, answer) = call(run::run, &memory, &["infra", "which runs?"]);
    assert_eq!((came_to.unwrap(), answer.as_str()), (Exit::Success, "it runs\n"));
    let (came_to, id) = call(submit::run, &memory, &["infra", "which runs?"]);
    assert_eq!((came_to.unwrap(), id.trim()), (Exit::Success, &*memory.ids().unwrap()[1].to_string()));
    let (exit, result) = json(result::run, &memory, &["latest", "--json"]);
    assert_eq!((exit, &result["result"]), (Exit::Success, &"it runs".into()));
}

#[test]
fn a_place_that_cannot_be_reached_is_told_and_can_be_tried_later() {
    let memory = MemoryJobs::default();
    let id = memory.run("infra", "x").to_string();
    memory.cut_off("gpu", "Connection refused");
    let check = |name: &str, (came_to, printed): (CommandResult, String)| {
        let Err(Problem::Failure(failure)) = came_to else { panic!("{name}: {came_to:?}") };
        let told = (failure.exit, failure.message.as_str(), printed.as_str());
        assert_eq!(told, (Exit::TryLater, "gpu cannot be reached: Connection refused", ""), "{name}");
    };
    let job = &[id.as_str()];
    check("jobs", call(jobs::run, &memory, &[]));
    check("status", call(status::run, &memory, job));
    check("result", call(result::run, &memory, job));
    check("wait", call(wait::run, &memory, job));
    check("logs", call(logs::run, &memory, job));
    check("cancel", call(cancel::run, &memory, job));
    check("cancel --all", call(cancel::run, &memory, &["--all"]));
    check("gc", call(gc::run, &memory, &["--all"]));
    check("stats", call(stats::run, &memory, &[]));
    check("run", call(run::run, &memory, &["infra", "x"]));
    check("submit", call(submit::run, &memory, &["infra", "x"]));
    memory.connect();
    assert_eq!(call(status::run, &memory, job).0.unwrap(), Exit::Success);
}

#[test]
fn a_batch_is_watched_to_its_end() {
    let memory = MemoryJobs::default();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tasks.yaml");
    std::fs::write(&file, "- {agent: infra, task: one}\n- {agent: web, task: two}\n").unwrap();
    meanwhile(&memory, |memory| {
        while memory.unfinished().unwrap().len() < 2 {
            std::thread::yield_now();
        }
        let ids = memory.unfinished().unwrap();
        memory.answer(ids[1], "second");
        memory.answer(ids[0], "first");
    });
    let (exit, all) = json(batch::run, &memory, &[file.to_str().unwrap(), "--json"]);
    assert_eq!(exit, Exit::Success);
    assert_eq!(
        (&all["results"][0]["result"], &all["results"][1]["result"]),
        (&"first".into(), &"second".into())
    );
}
