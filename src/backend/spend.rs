//! What a run costs.

use super::events::TurnResult;

/// The cost of one run, folded out of its results.
///
/// Every result tells the cost of its whole *session*: the results before it, and when the session was resumed,
/// the runs before this one (2.1.330). Newer versions of the CLI also tell what was spent since the last result:
/// those add up to the run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spend {
    run: Option<f64>,
    session: Option<f64>,
}

impl Spend {
    /// Takes a result into account.
    pub fn observe(&mut self, turn: &TurnResult) {
        let since_last = || Some((turn.total_cost_usd? - self.session.unwrap_or(0.0)).max(0.0));
        if let Some(cost) = turn.cost_usd.or_else(since_last) {
            self.run = Some(self.run.unwrap_or(0.0) + cost);
        }
        self.session = turn.total_cost_usd.or(self.session);
    }

    /// What the run has cost so far, in US dollars; `None` as long as nobody said.
    pub fn usd(self) -> Option<f64> {
        self.run
    }
}

#[cfg(test)]
mod tests;
