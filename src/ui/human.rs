//! Numbers in the form people read.

use std::fmt::Display;
use std::time::Duration;

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

/// The beginning of a text, on one line, at most `limit` characters long.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        for character in (!line.is_empty()).then_some(' ').into_iter().chain(word.chars()) {
            if character.is_control() {
                continue;
            }
            if count == limit {
                line.pop();
                line.push('…');
                return line;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

/// A text that somebody else wrote, fit for a terminal: without the characters that would control it.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests;
