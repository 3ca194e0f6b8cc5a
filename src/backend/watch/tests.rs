use super::*;

fn retry(status: Option<u64>, error: &str) -> Event {
    EventKind::Retry { attempt: 1, max: 10, status, error: Some(error.into()), delay_ms: 500 }.into()
}

#[test]
fn two_refused_requests_are_enough() {
    let mut watch = Watch::default();
    assert_eq!(watch.observe(&retry(Some(401), "authentication_failed")), None);
    assert_eq!(watch.observe(&retry(Some(401), "authentication_failed")), Some(ErrorType::Auth));
}

#[test]
fn work_between_two_refusals_starts_the_count_anew() {
    let mut watch = Watch::default();
    assert_eq!(watch.observe(&retry(Some(401), "authentication_failed")), None);
    assert_eq!(watch.observe(&EventKind::Text { text: "on it".into() }.into()), None);
    assert_eq!(watch.observe(&retry(Some(401), "authentication_failed")), None);
}

#[test]
fn an_api_that_may_recover_is_waited_for() {
    let mut watch = Watch::default();
    for (status, error) in
        [(Some(429), "rate_limit"), (Some(529), "overloaded"), (Some(500), "server_error"), (None, "unknown")]
    {
        for _ in 0..20 {
            assert_eq!(watch.observe(&retry(status, error)), None, "{error}");
        }
    }
}

#[test]
fn the_accounts_limit_is_final_but_only_when_the_cli_says_so() {
    let text = "You've hit your session limit · resets 6pm (Europe/Berlin)".to_owned();
    let said = |kind: EventKind| Watch::default().observe(&kind.into());
    assert_eq!(
        said(EventKind::Synthetic { error: Some("rate_limit".into()), text: text.clone() }),
        Some(ErrorType::UsageLimit)
    );
    assert_eq!(said(EventKind::Text { text }), None);
}
