//! What 50,000 jobs that have finished cost those who do not ask for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::jobs::submit_times;
use super::process::Usage;
use super::world::World;
use super::{Bar, median, millis};

const RECORDS: u64 = 50_000;

/// What a job that has finished has left.
#[derive(Clone, Copy, PartialEq)]
enum Left {
    /// As with the tool's Python original.
    Record,
    RecordAndFolder,
}

pub(crate) fn measure() -> Vec<Bar> {
    let mut bars = measure_with(Left::Record);
    bars.extend(measure_with(Left::RecordAndFolder));
    bars
}

fn measure_with(left: Left) -> Vec<Bar> {
    const RUNS: usize = 10;
    let world = World::new();
    let without_history = median(submit_times(&world, RUNS));
    let history = History::new(&world, left);
    history.write(&world.jobs());
    let repeated =
        |arguments: &[&str]| -> Vec<Usage> { (0..RUNS).map(|_| world.tool(arguments).measure()).collect() };
    let wall = |runs: &[Usage]| median(runs.iter().map(|run| millis(run.wall)).collect());
    let memory = |runs: &[Usage]| runs.iter().map(|run| run.max_rss_mb).fold(0.0, f64::max);
    let note = format!("median of {RUNS}");
    let what = if left == Left::Record { "50,000 records" } else { "50,000 with folders" };
    let bar =
        |name: &str, measured, limit, unit| Bar::at_most(format!("{what}: {name}"), measured, limit, unit);
    let jobs = repeated(&["jobs"]);
    let running = repeated(&["jobs", "--status", "running"]);
    let submit = median(submit_times(&world, RUNS));
    let recent = repeated(&["gc", "--dry-run", "--older-than", "300d"]);
    let dry = world.tool(["gc", "--dry-run", "--all"]).measure();
    // As much work for whoever knows nothing of jobs: the file system's share.
    let copy = world.path("copy");
    fs::create_dir(&copy).expect("a directory");
    history.write(&copy);
    // Neither is to pay for what was written or deleted before.
    let settle = || drop(world.program("sync".as_ref(), [""; 0]).measure());
    settle();
    let plain = millis(world.program("rm".as_ref(), ["-rf".as_ref(), copy.as_os_str()]).measure().wall);
    settle();
    let gc = world.tool(["gc", "--older-than", "1h"]).measure();
    let entries = fs::read_dir(world.jobs()).expect("the jobs").count();
    assert!(entries < 200, "gc deletes what is old: {entries} entries are left");
    let deleted = millis(gc.wall);
    vec![
        bar("jobs", wall(&jobs), 60.0, "ms").note(&note),
        bar("jobs: memory", memory(&jobs), 30.0, "MB").note(format!("most of {RUNS}")),
        bar("jobs --status running", wall(&running), 20.0, "ms").note(&note),
        bar("submit, more than without", submit - without_history, 5.0, "ms")
            .note(format!("medians of {RUNS}: {submit:.1} ms, {without_history:.1} ms without history")),
        bar("gc that deletes nothing", wall(&recent), 2_000.0, "ms").note(&note),
        bar("gc --dry-run --all", millis(dry.wall), 2_000.0, "ms")
            .note(format!("once; {:.0} MB", dry.max_rss_mb)),
        // To decide takes 0.1 s; the rest is the file system's, and differs: TMPDIR says which one is measured.
        match left {
            Left::Record => bar("gc that deletes them", deleted, 2_000.0, "ms"),
            Left::RecordAndFolder => bar("gc that deletes them", deleted / plain, 1.2, "× rm"),
        }
        .note(format!("once: {deleted:.0} ms, {:.0} MB; `rm -rf` takes {plain:.0} ms", gc.max_rss_mb)),
    ]
}

/// A job that has finished, as if it had run again and again from two hours to a hundred days ago.
struct History {
    id: String,
    record: String,
    folder: PathBuf,
    left: Left,
}

impl History {
    fn new(world: &World, left: Left) -> Self {
        let id = world.submit("infra", "task");
        world.wait(std::slice::from_ref(&id));
        let record = fs::read_to_string(world.jobs().join(format!("{id}.json"))).expect("the record");
        let folder = world.jobs().join(&id);
        Self { id, record, folder, left }
    }

    fn write(&self, jobs: &Path) {
        let created_ms = u64::from_str_radix(&self.id[..12], 16).expect("the time is in the id");
        const HOUR_MS: u64 = 3_600_000;
        let step_ms = 2_400 * HOUR_MS / RECORDS;
        for number in 0..RECORDS {
            let earlier_ms = 2 * HOUR_MS + number * step_ms;
            let copy = format!("{:012x}7000{:016x}", created_ms - earlier_ms, (0b10_u64 << 62) | number);
            let record = earlier(&self.record.replace(&self.id, &copy), earlier_ms / 1_000);
            let path = jobs.join(format!("{copy}.json"));
            fs::write(&path, record).expect("a record");
            // When a record was last written is when its job ended.
            let ended = SystemTime::now() - Duration::from_millis(earlier_ms);
            fs::File::options()
                .write(true)
                .open(path)
                .and_then(|file| file.set_modified(ended))
                .expect("a time");
            if self.left == Left::RecordAndFolder {
                copy_folder(&self.folder, &jobs.join(&copy));
            }
        }
    }
}

/// A record whose times are so many seconds earlier.
fn earlier(record: &str, seconds: u64) -> String {
    let mut document: serde_json::Value = serde_json::from_str(record).expect("a record is JSON");
    for time in ["created_at", "started_at", "completed_at"] {
        let at = document[time].as_f64().expect("the job has finished");
        document[time] = (at - seconds as f64).into();
    }
    document.to_string()
}

fn copy_folder(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file");
    }
}
