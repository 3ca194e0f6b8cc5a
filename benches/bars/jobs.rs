//! What a job costs, from its start to whoever waits for its end.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use agent_dispatch::engine::{CallerContext, Dispatch, Engine, LocalJobs, Ownership, Request, Task};

use super::process::cpu_time;
use super::world::World;
use super::{Bar, median, millis};

pub(crate) fn run() -> Vec<Bar> {
    const RUNS: usize = 60;
    let world = World::new();
    let claude = world.path("bin/claude");
    let arguments = ["-p", "--output-format", "stream-json", "--verbose"];
    let (mut direct, mut dispatched) = (Vec::new(), Vec::new());
    // By turns, so that whatever else the machine does meets both.
    for _ in 0..RUNS {
        direct.push(millis(world.program(&claude, arguments).input("task").measure().wall));
        dispatched.push(millis(world.tool(["run", "infra", "task"]).measure().wall));
    }
    let (direct, dispatched) = (median(direct), median(dispatched));
    vec![
        Bar::at_most("run: more than the agent itself", dispatched - direct, 20.0, "ms")
            .note(format!("medians of {RUNS}: {dispatched:.1} ms with the tool, {direct:.1} ms without")),
    ]
}

/// How long `submit` takes, in milliseconds; the jobs have finished afterwards.
pub(crate) fn submit_times(world: &World, runs: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let usage = world.tool(["submit", "infra", "task"]).measure();
        times.push(millis(usage.wall));
        // So that one job does not slow down the start of the next.
        world.wait(&[usage.output.trim().to_owned()]);
    }
    times
}

pub(crate) fn submit() -> Vec<Bar> {
    const RUNS: usize = 60;
    let times = submit_times(&World::new(), RUNS);
    vec![Bar::at_most("submit", median(times), 20.0, "ms").note(format!("median of {RUNS}"))]
}

pub(crate) fn wait() -> Vec<Bar> {
    const RUNS: usize = 30;
    let world = World::new();
    let mut delays = Vec::new();
    for _ in 0..RUNS {
        let id = world.submit("stamp", "task");
        world.wait(std::slice::from_ref(&id));
        let seen = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as f64;
        let answer = world.tool(["result", &id]).measure().output;
        let ended: f64 = answer.trim().parse().expect("the agent answers with the time");
        delays.push((seen - ended) / 1e6);
    }
    vec![
        Bar::at_most("the agent's exit → `wait` has ended", median(delays), 15.0, "ms")
            .note(format!("median of {RUNS}; the agent's own end is in it")),
    ]
}

const JOBS: usize = 500;
const AT_ONCE: usize = 5;

pub(crate) fn throughput() -> Vec<Bar> {
    const SUBMITTERS: usize = 4;
    let world = World::new();
    world.configure(&format!("settings:\n  max_concurrency: {AT_ONCE}\n  max_queued: 1000\n"));
    let agents = agents_without_tool(&world);
    let bar = |name: &str, submit: &dyn Fn() -> Vec<String>| {
        let start = Instant::now();
        let ids = submit();
        let submitted = millis(start.elapsed());
        world.wait(&ids);
        let rate = JOBS as f64 / start.elapsed().as_secs_f64();
        Bar::at_least(format!("{JOBS} jobs, {AT_ONCE} at a time, {name}"), rate, 200.0, "jobs/s").note(
            format!(
                "{:.2} of the {agents:.0}/s without the tool; submitted after {submitted:.0} ms",
                rate / agents
            ),
        )
    };
    let by_shells = || in_parallel(SUBMITTERS, || world.submit("infra", "task"));
    let by_one = || {
        let this = std::env::current_exe().expect("the path of this benchmark");
        let output = world.program(&this, [SUBMIT]).measure().output;
        output.lines().map(str::to_owned).collect()
    };
    vec![bar(&format!("{SUBMITTERS} shells"), &by_shells), bar("1 process", &by_one)]
}

/// How many agents a second there are when nobody records or watches them: what of a rate is the agents' own.
fn agents_without_tool(world: &World) -> f64 {
    let claude = world.path("bin/claude");
    let arguments = ["-p", "--output-format", "stream-json", "--verbose"];
    let start = Instant::now();
    in_parallel(AT_ONCE, || world.program(&claude, arguments).input("task").measure());
    JOBS as f64 / start.elapsed().as_secs_f64()
}

/// Does something as often as there are jobs, on so many threads.
fn in_parallel<T: Send>(threads: usize, once: impl Fn() -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let run = || (0..JOBS / threads).map(|_| once()).collect::<Vec<_>>();
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
    })
}

/// The argument that makes this program submit the jobs of [`throughput`] by itself.
pub(crate) const SUBMIT: &str = "__submit";

/// Submits the jobs, all from this process, and prints their ids.
pub(crate) fn submit_from_here() {
    let config = PathBuf::from(std::env::var_os("AGENT_DISPATCH_CONFIG").expect("the world sets it"));
    let jobs = LocalJobs::open(&config.with_file_name("jobs"), || None).expect("the jobs");
    let config = agent_dispatch::config::load(&config).expect("the config");
    let engine = Engine::new(config, jobs, CallerContext::of_this_process());
    let request = Request::new("infra", Task::new("task").expect("a task"));
    for _ in 0..JOBS {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let submitted = engine.submit(&request, Ownership::Detached, now).expect("it is submitted");
        println!("{}", submitted.id);
    }
}

pub(crate) fn followers() -> Vec<Bar> {
    const FOLLOWERS: usize = 20;
    const WATCHED: Duration = Duration::from_secs(5);
    let world = World::new();
    world.configure("settings:\n  max_concurrency: 20\n");
    let ids: Vec<String> = (0..FOLLOWERS).map(|_| world.submit("infra", "fake: sleep 60s")).collect();
    let mut followers: Vec<_> = ids.iter().map(|id| world.tool(["logs", "-f", id]).spawn()).collect();
    let used = || followers.iter().map(|follower| cpu_time(follower.id())).sum::<Duration>();
    // Their start is not what is measured: it has finished when they have stopped using the processor for a while.
    let mut before = used();
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = used();
        if now - before < Duration::from_millis(25) {
            break;
        }
        before = now;
    }
    let (start, before) = (Instant::now(), used());
    std::thread::sleep(WATCHED);
    let share = (used() - before).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    world.tool(["cancel"].into_iter().chain(ids.iter().map(String::as_str))).spawn().wait().expect("a child");
    world.wait(&ids);
    for follower in &mut followers {
        follower.wait().expect("a child");
    }
    vec![
        Bar::at_most("20 followers of silent jobs, together", share, 1.0, "% core")
            .note(format!("over {WATCHED:?}")),
    ]
}

/// Many jobs that wait for their turn: what their supervisors cost meanwhile.
pub(crate) fn waiting() -> Vec<Bar> {
    const WAITING: usize = 1_000;
    const WATCHED: Duration = Duration::from_secs(10);
    let world = World::new();
    world.configure("settings:\n  max_concurrency: 1\n  max_queued: 2000\n");
    let mut ids = vec![world.submit("infra", "fake: hang")];
    ids.extend((0..WAITING).map(|_| world.submit("infra", "fake: hang")));
    let pids: Vec<u32> = ids[1..].iter().map(|id| supervisor(&world, id)).collect();
    let used = || pids.iter().map(|pid| cpu_time(*pid)).sum::<Duration>();
    // The first looks of the last ones are not what is measured.
    std::thread::sleep(Duration::from_secs(3));
    let (start, before) = (Instant::now(), used());
    std::thread::sleep(WATCHED);
    let share = (used() - before).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let private = pids.iter().map(|pid| private_mb(*pid)).sum::<f64>() / WAITING as f64;
    for part in ids.rchunks(100) {
        world
            .tool(["cancel"].into_iter().chain(part.iter().map(String::as_str)))
            .spawn()
            .wait()
            .expect("a child");
    }
    vec![
        Bar::at_most(format!("{WAITING} waiting jobs, together"), share, 1.0, "% core")
            .note(format!("over {WATCHED:?}")),
        Bar::at_most("a waiting job: private memory", private, 0.4, "MB").note("mean of all"),
    ]
}

/// The process that looks after a job, by the first line of the job's lock.
fn supervisor(world: &World, id: &str) -> u32 {
    let lock = std::fs::read_to_string(world.jobs().join(".run").join(format!("{id}.lock"))).expect("a lock");
    lock.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a pid")
}

/// The memory of a process that is nobody else's, in MB.
fn private_mb(pid: u32) -> f64 {
    let map = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let private = map.lines().filter(|line| line.starts_with("Private_"));
    let kilobytes = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.sum::<f64>() * 1_024.0 / 1e6
}
