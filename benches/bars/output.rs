//! An agent that writes as fast as it can: how long each limit and each request to stop takes meanwhile.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::interrupt;
use super::world::World;
use super::{Bar, millis};

/// Room for what the agent writes in the time that is measured; more than this is never on the disk.
const SETTINGS: &str = "  fast:\n    directory: /\n    backend: command\n    command: ['yes', a]\n\
                        settings:\n  output_limit_mb: 3072\n";

pub(crate) fn measure() -> Vec<Bar> {
    vec![time_limit(), cancel(), interrupt_of_run()]
}

fn world() -> World {
    let world = World::new();
    world.configure(SETTINGS);
    world
}

fn time_limit() -> Bar {
    let world = world();
    let id = world.tool(["submit", "fast", "x", "--timeout", "1s"]).measure().output.trim().to_owned();
    world.wait(std::slice::from_ref(&id));
    let record: Value =
        serde_json::from_slice(&fs::read(world.jobs().join(format!("{id}.json"))).expect("a record"))
            .expect("a record");
    let seconds = |key: &str| record[key].as_f64().expect("a time");
    let took = Duration::from_secs_f64(seconds("completed_at") - seconds("started_at"));
    let written = fs::metadata(world.jobs().join(&id).join("stdout.jsonl")).map_or(0, |file| file.len());
    empty(&world, &id);
    Bar::at_most("as fast as it can: past a time limit of 1 s", millis(took) - 1_000.0, 1_000.0, "ms")
        .note(format!("until the outcome is recorded; {} MB written", written / 1_000_000))
}

fn cancel() -> Bar {
    let world = world();
    let id = world.submit("fast", "x");
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    world.tool(["cancel", &id]).measure();
    let took = millis(start.elapsed());
    empty(&world, &id);
    Bar::at_most("as fast as it can: cancel", took, 3_000.0, "ms").note("until the command ends")
}

fn interrupt_of_run() -> Bar {
    let world = world();
    let mut run = world.tool(["run", "fast", "x"]).spawn();
    std::thread::sleep(Duration::from_millis(400));
    let id = fs::read_dir(world.jobs())
        .expect("the jobs")
        .flatten()
        .find_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
    let id = id.expect("a job");
    let request = world.jobs().join(&id).join("cancel");
    let start = Instant::now();
    interrupt(&run);
    while !request.exists() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = millis(start.elapsed());
    run.wait().expect("a child of this process");
    empty(&world, &id);
    Bar::at_most("as fast as it can: Ctrl-C of run", took, 200.0, "ms").note("until it asks the job to stop")
}

/// Gives the disk back what the agent wrote.
fn empty(world: &World, id: &str) {
    let _ = fs::File::create(world.jobs().join(id).join("stdout.jsonl"));
}
