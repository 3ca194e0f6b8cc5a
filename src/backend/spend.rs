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

    /// What the run has cost so far, in US dollars; `None` as long as that is unknown.
    pub fn usd(self) -> Option<f64> {
        self.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend(turns: &[(Option<f64>, Option<f64>)]) -> Option<f64> {
        let mut spend = Spend::default();
        for &(cost_usd, total_cost_usd) in turns {
            spend.observe(&TurnResult { cost_usd, total_cost_usd, ..TurnResult::default() });
        }
        spend.usd()
    }

    #[test]
    fn a_resumed_run_costs_what_it_spent_itself() {
        assert_eq!(spend(&[(Some(0.25), Some(1.75))]), Some(0.25));
        assert_eq!(spend(&[(Some(0.25), Some(1.75)), (Some(0.5), Some(2.25))]), Some(0.75));
        assert_eq!(spend(&[(Some(0.0), Some(1.5))]), Some(0.0));
    }

    #[test]
    fn without_a_cost_of_its_own_a_result_is_told_from_the_one_before() {
        assert_eq!(spend(&[(None, Some(0.25)), (None, Some(1.0))]), Some(1.0));
        assert_eq!(spend(&[(Some(0.25), Some(1.75)), (None, Some(2.25))]), Some(0.75));
        assert_eq!(spend(&[(None, None), (None, Some(0.5)), (None, None)]), Some(0.5));
        assert_eq!(spend(&[(None, Some(0.5)), (None, Some(0.0))]), Some(0.5), "a total that was reset");
        assert_eq!(spend(&[(None, None)]), None);
    }
}
