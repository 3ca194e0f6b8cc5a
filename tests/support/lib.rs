//! What every test of the whole program stands on: a hermetic environment, the loopback Messages API, an MCP client, a network
//! namespace.

pub mod aftermath;
pub mod dispatch;
mod dispositions;
mod environment;
mod invocation;
mod leak;
pub mod mcp;
pub mod messages_api;
pub mod namespace;
pub mod programs;
mod pty;
mod skip;
pub mod snapshots;
mod terminal;

pub use environment::TestEnvironment;
pub use invocation::{Invocation, Output, Running};
pub use leak::signal;
pub use pty::on_a_terminal;
pub use skip::skip;
pub use terminal::Terminal;

/// A path as one word of a shell command: as the tool writes it in the commands that it proposes.
pub use agent_dispatch::text::shell::path as quoted;

use std::time::{Duration, Instant};

/// How long anything in a test may take before it counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until the condition holds; panics with `what` when it does not in time.
#[track_caller]
pub fn wait_until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition() {
        assert!(Instant::now() < end, "waited {deadline:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
