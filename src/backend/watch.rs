//! When there is no point in waiting for the end.

use super::claude::is_account_limit;
use super::events::{Event, EventKind};
use crate::store::ErrorType;

/// How many requests must be refused for the same credentials before it is hopeless.
const REFUSALS: u32 = 2;

/// Looks for failures that no waiting mends.
///
/// Claude Code repeats a request with a wrong key eleven times, over 177 seconds. An API that is overloaded, that
/// limits the rate or that cannot be reached may well recover: those repetitions are left to run.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    refusals: u32,
}

impl Watch {
    /// Takes an event into account. A kind of failure means: stop the run, this is how it will end.
    pub fn observe(&mut self, event: &Event) -> Option<ErrorType> {
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
mod tests;
