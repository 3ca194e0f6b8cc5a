//! Detects failures in the output that waiting cannot mend, so that the run can be stopped early.

use super::causes::is_account_limit;
use crate::backend;
use crate::backend::{Event, EventKind};
use crate::store::ErrorType;

/// How many requests must be refused for the same credentials before it is hopeless.
const REFUSALS: u32 = 2;

/// Looks for failures that no waiting mends.
///
/// Claude Code repeats a request with a wrong key eleven times, over 177 seconds. An API that is overloaded, that
/// limits the rate or that cannot be reached may well recover: those repetitions are left to run.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    refusals: u32,
}

impl backend::Watch for Watch {
    fn observe(&mut self, event: &Event) -> Option<ErrorType> {
        match &event.kind {
            EventKind::Retry { status, error, .. } => {
                if *status == Some(401) || error.as_deref() == Some("authentication_failed") {
                    self.refusals += 1;
                    (self.refusals >= REFUSALS).then_some(ErrorType::Auth)
                } else {
                    None
                }
            }
            EventKind::Synthetic { text, .. } if !event.subagent && is_account_limit(text) => {
                Some(ErrorType::UsageLimit)
            }
            // The API took the credentials after all.
            EventKind::Text { .. } | EventKind::ToolCall { .. } | EventKind::Thinking => {
                self.refusals = 0;
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Watch as _;

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
        for (status, error) in [
            (Some(429), "rate_limit"),
            (Some(529), "overloaded"),
            (Some(500), "server_error"),
            (None, "unknown"),
        ] {
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
}
