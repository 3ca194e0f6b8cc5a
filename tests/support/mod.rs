//! What every integration test stands on: a hermetic environment, the loopback Messages API, an MCP client, a network
//! namespace.

// Several test binaries share this module and each uses its own part of it.
#![allow(dead_code, unused_imports)]

mod dispositions;
mod environment;
mod invocation;
mod leak;
pub(crate) mod mcp;
pub(crate) mod messages_api;
pub(crate) mod namespace;
pub(crate) mod programs;
mod pty;
mod skip;
pub(crate) mod snapshots;
mod terminal;

pub(crate) use environment::TestEnvironment;
pub(crate) use invocation::{Invocation, Output, Running};
pub(crate) use leak::signal;
pub(crate) use pty::on_a_terminal;
pub(crate) use skip::skip;
pub(crate) use terminal::Terminal;

/// A path as one word of a shell command: as the tool writes it in the commands that it proposes.
pub(crate) use agent_dispatch::ui::shell::path as quoted;

use std::time::{Duration, Instant};

/// How long anything in a test may take before it counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until the condition holds; panics with `what` when it does not in time.
#[track_caller]
pub(crate) fn wait_until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition() {
        assert!(Instant::now() < end, "waited {deadline:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
