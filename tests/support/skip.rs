//! Tests that cannot run on this machine: said at once, and counted by `tests/run`.

use std::fs::OpenOptions;
use std::io::{self, Write};

/// Names the file in which `tests/run` finds what was skipped, a line each.
const LIST: &str = "AGENT_DISPATCH_TEST_SKIPPED";

/// Says that the calling test cannot run here; on a CI (`CI` is set) it fails.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    // The harness names the thread of a test after it.
    let thread = std::thread::current();
    let line = format!("skipped: {}: {why}\n", thread.name().unwrap_or("a test"));
    // Past the capture of the harness, for those who run a test without `tests/run`.
    let _ = io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os(LIST) {
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&list)
            .and_then(|mut list| list.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    }
}
