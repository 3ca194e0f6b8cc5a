//! The performance bars, measured on whole processes against the fake agent.
//!
//! ```text
//! cargo build --profile dist --example fake-agent && cargo bench --profile dist --bench bars [-- NAME… --strict]
//! ```
//!
//! Prints what was measured beside each bar. A busy machine misses bars, so a miss is an error only with `--strict`.
//! Everything lies below `TMPDIR`. On an ext4 without a journal each run slows down the next for some minutes: it does
//! not use inodes again that were freed a short time ago, and looks at each of them for every new file.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output is for whoever runs the benchmark"
)]

mod history;
mod jobs;
mod mcp;
mod output;
mod process;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use agent_dispatch::supervisor::ENTRY;

use world::World;

/// What was measured, and what it may be.
struct Bar {
    name: String,
    measured: f64,
    limit: f64,
    unit: &'static str,
    /// Whether more is better.
    at_least: bool,
    /// How it was measured.
    note: String,
}

impl Bar {
    fn at_most(name: impl Into<String>, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { name: name.into(), measured, limit, unit, at_least: false, note: String::new() }
    }

    fn at_least(name: impl Into<String>, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { at_least: true, ..Self::at_most(name, measured, limit, unit) }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn is_met(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }

    /// How much of the limit was used: above one is a miss.
    fn ratio(&self) -> f64 {
        if self.at_least { self.limit / self.measured } else { self.measured / self.limit }
    }

    fn print(&self) {
        let Self { name, measured, limit, unit, note, .. } = self;
        let sign = if self.at_least { '≥' } else { '≤' };
        let verdict = if self.is_met() { "ok" } else { "MISSED" };
        println!(
            "{name:<44} {measured:>8.1} {unit:<7} {sign} {limit:>5} {:>5.2} {verdict:<6} {note}",
            self.ratio()
        );
    }
}

/// Measures one thing.
type Measure = fn() -> Vec<Bar>;

const MEASURES: [(&str, Measure); 10] = [
    ("version", version),
    ("run", jobs::run),
    ("submit", jobs::submit),
    ("list", list),
    ("wait", jobs::wait),
    ("throughput", jobs::throughput),
    ("followers", jobs::followers),
    ("waiting", jobs::waiting),
    ("mcp", mcp::measure),
    ("output", output::measure),
];

fn main() -> ExitCode {
    let mut first = std::env::args_os().skip(1);
    match first.next() {
        // The supervisor of a job that this program has submitted.
        Some(entry) if entry == ENTRY => return agent_dispatch::supervisor::enter(first),
        Some(submit) if submit == jobs::SUBMIT => {
            jobs::submit_from_here();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let strict = arguments.iter().any(|argument| argument == "--strict");
    // Cargo adds `--bench`.
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    if let Err(message) = world::agent() {
        eprintln!("{message}");
        return ExitCode::from(2);
    }
    let _end = world::End;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    println!("{:<44} {:>8} {:<7} {:>7} {:>5}", "", "measured", "", "bar", "ratio");
    let measures = MEASURES.into_iter().chain([("history", history::measure as Measure)]);
    let mut missed = 0;
    for (_, measure) in measures.filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name)) {
        for bar in measure() {
            bar.print();
            missed += u32::from(!bar.is_met());
        }
    }
    println!("{missed} missed");
    if strict && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The middle of the values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn version() -> Vec<Bar> {
    const RUNS: usize = 100;
    let world = World::new();
    let runs: Vec<_> = (0..RUNS).map(|_| world.tool(["--version"]).measure()).collect();
    let memory = runs.iter().map(|run| run.max_rss_mb).fold(0.0, f64::max);
    let floor = world.program("/bin/true".as_ref(), [""; 0]).measure();
    let took = median(runs.iter().map(|run| millis(run.wall)).collect());
    vec![
        Bar::at_most("--version", took, 5.0, "ms")
            .note(format!("median of {RUNS}; /bin/true takes {:.1} ms", millis(floor.wall))),
        Bar::at_most("--version: memory", memory, 8.0, "MB")
            .note(format!("most of {RUNS}; /bin/true takes {:.1} MB", floor.max_rss_mb)),
    ]
}

fn list() -> Vec<Bar> {
    const RUNS: usize = 30;
    let world = World::new();
    world.configure_agents(1_000);
    let runs = (0..RUNS).map(|_| millis(world.tool(["agents", "list"]).measure().wall)).collect();
    let json = (0..RUNS).map(|_| millis(world.tool(["agents", "list", "--json"]).measure().wall)).collect();
    vec![
        Bar::at_most("agents list, 1,000 agents", median(runs), 25.0, "ms").note(format!("median of {RUNS}")),
        Bar::at_most("agents list --json, 1,000 agents", median(json), 25.0, "ms")
            .note(format!("median of {RUNS}")),
    ]
}
