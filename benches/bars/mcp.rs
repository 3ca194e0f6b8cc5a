//! What the MCP server costs a client.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::process::{reap, terminate};
use super::world::World;
use super::{Bar, median, millis};

/// A server and its client, who asks one thing after the other or many at once.
struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
}

impl Session {
    fn start(world: &World) -> Self {
        let mut command = world.tool(["serve-mcp"]).into_command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        let mut session = Self { stdin: child.stdin.take(), child, stdout, last_id: 0 };
        session.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25", "clientInfo": {"name": "claude-code", "version": "1"},
                "capabilities": {},
            }),
        );
        session
    }

    fn request(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        writeln!(self.stdin.as_mut().expect("it is open"), "{message}").expect("the server reads");
        self.last_id
    }

    fn request_call(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.request("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    /// The next answer, whichever it is.
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the server answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.request(method, params);
        let answer = self.read();
        assert_eq!(answer["id"], id, "nothing else was asked: {answer}");
        assert!(answer["result"]["isError"] != true, "{answer}");
        answer["result"].clone()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    /// Closes its input and waits for its end; returns the most memory it had, in MB.
    fn end(mut self) -> f64 {
        self.stdin = None;
        let (status, max_rss_mb) = reap(&self.child);
        assert_eq!(status, 0, "the server ends well");
        max_rss_mb
    }
}

fn task(text: &str) -> Value {
    json!({"agent": "infra", "task": text})
}

/// Starts jobs in the background, all at once; returns their ids.
fn start_all(session: &mut Session, count: usize, text: &str) -> Vec<String> {
    let arguments = json!({"agent": "infra", "task": text, "background": true});
    for _ in 0..count {
        session.request_call("dispatch", &arguments);
    }
    let id = |answer: Value| answer["result"]["structuredContent"]["job_id"].as_str().map(str::to_owned);
    (0..count).map(|_| id(session.read()).expect("a job was started")).collect()
}

pub(crate) fn measure() -> Vec<Bar> {
    let parts = [first_reply(), dispatch(), list_agents(), waits(), exits(), throughput(), long_answer()];
    parts.into_iter().flatten().collect()
}

fn first_reply() -> Vec<Bar> {
    const RUNS: usize = 60;
    let world = World::new();
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        let session = Session::start(&world);
        times.push(millis(start.elapsed()));
        memory.push(session.end());
    }
    vec![
        Bar::at_most("serve-mcp: first reply", median(times), 15.0, "ms").note(format!("median of {RUNS}")),
        Bar::at_most("serve-mcp: memory", memory.into_iter().fold(0.0, f64::max), 12.0, "MB")
            .note(format!("most of {RUNS}")),
    ]
}

fn dispatch() -> Vec<Bar> {
    const RUNS: usize = 60;
    let world = World::new();
    let claude = world.path("bin/claude");
    let arguments = ["-p", "--output-format", "stream-json", "--verbose"];
    let mut session = Session::start(&world);
    let (mut direct, mut dispatched) = (Vec::new(), Vec::new());
    // By turns, so that whatever else the machine does meets both.
    for _ in 0..RUNS {
        direct.push(millis(world.program(&claude, arguments).input("task").measure().wall));
        let start = Instant::now();
        session.call("dispatch", &task("task"));
        dispatched.push(millis(start.elapsed()));
    }
    session.end();
    let (direct, dispatched) = (median(direct), median(dispatched));
    vec![
        Bar::at_most("serve-mcp: dispatch, more than the agent", dispatched - direct, 12.0, "ms")
            .note(format!("medians of {RUNS}: {dispatched:.1} ms with the tool, {direct:.1} ms without")),
    ]
}

fn list_agents() -> Vec<Bar> {
    const RUNS: usize = 30;
    let world = World::new();
    world.configure_agents(1_000);
    let mut session = Session::start(&world);
    let times = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            session.call("list_agents", &json!({}));
            millis(start.elapsed())
        })
        .collect();
    session.end();
    vec![
        Bar::at_most("serve-mcp: list_agents, 1,000 agents", median(times), 60.0, "ms")
            .note(format!("median of {RUNS}")),
    ]
}

fn waits() -> Vec<Bar> {
    const WAITS: usize = 200;
    const PINGS: usize = 100;
    let world = World::new();
    let mut session = Session::start(&world);
    let id = start_all(&mut session, 1, "fake: hang").remove(0);
    for _ in 0..WAITS {
        session.request_call("dispatch_result", &json!({"job_id": id}));
    }
    session.ask("ping", &json!({}));
    let mut times = Vec::new();
    for _ in 0..PINGS {
        let start = Instant::now();
        session.ask("ping", &json!({}));
        times.push(millis(start.elapsed()));
    }
    world.tool(["cancel", &id]).measure();
    let ended = (0..WAITS).filter(|_| session.read()["result"]["isError"] == true).count();
    assert_eq!(ended, WAITS, "every wait is answered");
    let memory = session.end();
    let most = times.iter().copied().fold(0.0, f64::max);
    vec![
        Bar::at_most("serve-mcp: ping during 200 waits", median(times), 5.0, "ms")
            .note(format!("median of {PINGS}, most {most:.1} ms; {memory:.1} MB")),
    ]
}

fn exits() -> Vec<Bar> {
    const RUNS: usize = 20;
    let world = World::new();
    let mut bars = Vec::new();
    for (name, by_signal) in [("serve-mcp: exit on EOF", false), ("serve-mcp: exit on TERM", true)] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let mut session = Session::start(&world);
            let id = start_all(&mut session, 1, "fake: hang").remove(0);
            for _ in 0..10 {
                session.request_call("dispatch_result", &json!({"job_id": id}));
            }
            session.ask("ping", &json!({}));
            let start = Instant::now();
            if by_signal {
                terminate(&session.child);
            } else {
                session.stdin = None;
            }
            reap(&session.child);
            times.push(millis(start.elapsed()));
            world.tool(["cancel", &id]).measure();
        }
        let most = times.iter().copied().fold(0.0, f64::max);
        bars.push(
            // After a signal the client is listened to for half a second.
            Bar::at_most(name, most, if by_signal { 600.0 } else { 100.0 }, "ms")
                .note(format!("most of {RUNS} with a job and 10 waits; median {:.1} ms", median(times))),
        );
    }
    bars
}

fn throughput() -> Vec<Bar> {
    const JOBS: usize = 500;
    let world = World::new();
    world.configure("settings:\n  max_concurrency: 5\n  max_queued: 1000\n");
    let mut session = Session::start(&world);
    let start = Instant::now();
    let ids = start_all(&mut session, JOBS, "task");
    let submitted = start.elapsed();
    world.wait(&ids);
    let rate = JOBS as f64 / start.elapsed().as_secs_f64();
    let memory = session.end();
    vec![
        Bar::at_least("serve-mcp: 500 jobs of one client, 5 at a time", rate, 200.0, "jobs/s")
            .note(format!("all were started after {:.0} ms; {memory:.1} MB", millis(submitted))),
    ]
}

fn long_answer() -> Vec<Bar> {
    let world = World::new();
    let mut session = Session::start(&world);
    let start = Instant::now();
    let result = session.call("dispatch", &task("fake: answer-bytes 100000000"));
    let took = start.elapsed();
    let told = &result["structuredContent"];
    assert_eq!(told["total_chars"], 100_000_000, "{}", told["status"]);
    let start = Instant::now();
    session.call("dispatch_result", &json!({"job_id": told["job_id"], "offset": 99_999_000}));
    let last = start.elapsed();
    let memory = session.end();
    vec![Bar::at_most("serve-mcp: an answer of 100 MB: memory", memory, 20.0, "MB").note(format!(
        "the dispatch took {:.1} s, its last part {:.0} ms",
        took.as_secs_f64(),
        millis(last)
    ))]
}
