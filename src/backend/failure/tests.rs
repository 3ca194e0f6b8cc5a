use super::*;
use crate::store::JobId;

fn hint(limit_seconds: f64, usual: Option<u64>, session: Option<&str>) -> String {
    let record = Record::pending(JobId::generate(), "infra", "look", 1.0);
    let stop = Stop::Timeout { limit_seconds, usual: usual.map(Duration::from_secs) };
    stopped(stop, &record, session).hint.expect("a hint")
}

#[test]
fn the_limit_after_a_timeout_is_what_runs_take_or_else_twice_what_it_was() {
    assert!(hint(90.0, None, None).contains("`--timeout 180s`"));
    assert!(hint(90.0, Some(80), None).contains("`--timeout 180s`"), "the usual limit was not enough");
    let known = hint(90.0, Some(604), Some("s"));
    assert!(known.contains(" --timeout 13m`; nine of ten") && known.contains("604 s"), "{known}");
    assert!(hint(5.0, Some(40), None).contains("`--timeout 50s`"));
    assert!(hint(5.0, Some(7_300), None).contains("`--timeout 2h30m`"));
}
