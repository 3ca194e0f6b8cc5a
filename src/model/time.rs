//! Points in time as records have them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, with a fraction.
pub type UnixSeconds = f64;

/// The time now. A clock before 1970 counts as 1970.
pub fn now() -> UnixSeconds {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
