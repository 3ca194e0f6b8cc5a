//! How long an agent has said nothing.

use std::time::{Duration, Instant};

/// A look that is later than planned by more than this found this process stopped or frozen, not only busy.
const MUCH_LATER: Duration = Duration::from_secs(2);

/// The silence of an agent, as far as this process was there to hear it.
///
/// What stops a whole machine or container stops the agent with its supervisor: a pause in which neither ran is no
/// silence, and after it the agent gets its time anew.
pub(super) struct Silence {
    since: Instant,
    looked: Instant,
}

impl Silence {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, looked: now }
    }

    /// Takes note of a look at the agent's output, `planned` after the last one. Returns how long the silence lasts.
    pub(super) fn look(&mut self, now: Instant, planned: Duration, heard: bool) -> Duration {
        if heard || now.saturating_duration_since(self.looked) > planned + MUCH_LATER {
            self.since = now;
        }
        self.looked = now;
        now.saturating_duration_since(self.since)
    }
}

#[cfg(test)]
mod tests;
