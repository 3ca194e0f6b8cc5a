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
