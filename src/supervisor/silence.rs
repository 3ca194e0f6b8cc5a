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
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(250);

    #[test]
    fn silence_lasts_until_the_agent_is_heard() {
        let begin = Instant::now();
        let mut silence = Silence::new(begin);
        for tick in 1..=40 {
            assert_eq!(silence.look(begin + TICK * tick, TICK, false), TICK * tick);
        }
        assert_eq!(silence.look(begin + TICK * 41, TICK, true), Duration::ZERO);
        assert_eq!(silence.look(begin + TICK * 42, TICK, false), TICK);
    }

    #[test]
    fn a_pause_without_a_look_is_no_silence() {
        let begin = Instant::now();
        let mut silence = Silence::new(begin);
        let after = begin + Duration::from_secs(3_600);
        assert_eq!(silence.look(after, TICK, false), Duration::ZERO);
        assert_eq!(silence.look(after + TICK, TICK, false), TICK);
        // A machine that is only busy takes nothing away from the limit.
        let late = after + TICK * 2 + MUCH_LATER;
        assert_eq!(silence.look(late, TICK, false), TICK * 2 + MUCH_LATER);
    }
}
