//! Numbers in the form people read.

use std::fmt::Display;
use std::time::Duration;

pub use crate::text::one_line;

/// A length of time: `340 ms`, `4.2 s`, `1m 30s`, `2h 5m`, `3d 4h`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.as_millis() < 1_000 => format!("{} ms", duration.as_millis()),
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A length of time that goes on, in whole units: `4s`, `1m 30s`, `2h 5m`.
pub fn elapsed(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    if seconds < 60 { format!("{seconds}s") } else { duration(Duration::from_secs(seconds)) }
}

/// How long ago something was, in whole units: `now`, `40s ago`, `5m ago`, `3h ago`, `12d ago`.
pub fn ago(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..2 => "now".to_owned(),
        2..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// So many things, named in the singular: `1 job`, `3 jobs`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1.into() { "" } else { "s" })
}

/// An amount of US dollars: two decimals, more when it is small.
pub fn dollars(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.995 { format!("${amount:.2}") } else { format!("${amount:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        let cases = [(340, "340 ms"), (4_200, "4.2 s"), (90_000, "1m 30s"), (7_500_000, "2h 5m")];
        for (millis, text) in cases {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        assert_eq!((elapsed(4.9), elapsed(90.2)), ("4s".to_owned(), "1m 30s".to_owned()));
        assert_eq!(ago(0.3), "now");
        assert_eq!(ago(3_700.0), "1h ago");
    }

    #[test]
    fn small_amounts_keep_their_digits() {
        assert_eq!(dollars(0.0), "$0.00");
        assert_eq!(dollars(0.0175), "$0.0175");
        assert_eq!(dollars(12.5), "$12.50");
    }
}
