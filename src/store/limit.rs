//! A limit as a record has it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A cap or a time limit as it stands in a record. A record is data that others may have written: what stands there is
/// kept as it is, and counts only where it is a number above zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordedLimit(Value);

impl RecordedLimit {
    /// The number, if it is one that can be a limit.
    pub fn number(&self) -> Option<f64> {
        self.0.as_f64().filter(|number| number.is_finite() && *number > 0.0)
    }

    /// The same as so many seconds.
    pub fn seconds(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.number()?).ok()
    }
}

impl From<f64> for RecordedLimit {
    fn from(number: f64) -> Self {
        Self(number.into())
    }
}

impl fmt::Display for RecordedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// As much of it as fits into a message, in characters.
        const SHOWN: usize = 40;
        f.write_str(&self.0.to_string().chars().take(SHOWN).collect::<String>())
    }
}
