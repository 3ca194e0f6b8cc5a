//! Names, limits and money, each checked once, where it enters.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much of a refused value a message repeats, in characters.
const QUOTED: usize = 64;

/// A text shortened for a message.
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    shown
}

/// Why a text is not the name of an agent or a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a name: use letters, digits, '-' and '_', beginning with a letter or digit")]
pub struct InvalidName(String);

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// It matches `^[A-Za-z0-9][A-Za-z0-9_-]*$`: safe as an argument and as part of a path.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName(shown(text))) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Lets a map with these keys be asked with a plain text.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The name of an agent.
    AgentName
}

name! {
    /// The name of a group of agents.
    GroupName
}

/// A spend cap in US dollars: positive and finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct BudgetUsd(f64);

/// Why a value is not a spend cap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a budget: give US dollars above zero, such as 0.5 or 20")]
pub struct InvalidBudget(String);

impl BudgetUsd {
    /// The largest cap that is taken, unless the settings say otherwise.
    pub const CEILING: Self = Self(1_000.0);

    /// A cap of `dollars`; refuses zero, negative numbers, infinity and NaN.
    pub fn new(dollars: f64) -> Result<Self, InvalidBudget> {
        if dollars.is_finite() && dollars > 0.0 {
            Ok(Self(dollars))
        } else {
            Err(InvalidBudget(dollars.to_string()))
        }
    }

    /// The cap in US dollars.
    pub fn dollars(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for BudgetUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A spend cap above the ceiling.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "a spend cap of {cap} is above the ceiling of {ceiling}; if it is meant, raise settings.max_budget_usd_ceiling in the config"
)]
pub struct CapTooHigh {
    /// The cap.
    pub cap: BudgetUsd,
    /// The largest that is allowed.
    pub ceiling: BudgetUsd,
}

impl FromStr for BudgetUsd {
    type Err = InvalidBudget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dollars = text.trim().parse().map_err(|_| InvalidBudget(shown(text)))?;
        Self::new(dollars).map_err(|_| InvalidBudget(shown(text)))
    }
}

impl fmt::Display for BudgetUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cents, unless the cap is finer than that.
        if (self.0 * 100.0).fract() == 0.0 { write!(f, "${:.2}", self.0) } else { write!(f, "${}", self.0) }
    }
}

/// A span of time an agent may take: above zero, at most [`Timeout::MAX`].
///
/// Written as seconds (`90`, `0.5`) or with units (`500ms`, `90s`, `15m`, `1.5h`, `1h 30m`, `2d`).
/// Serialised as seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timeout(Duration);

/// Why a value is not a time limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimeout {
    /// Not a duration at all.
    #[error("'{0}' is not a duration: use seconds or a unit, such as 90, 90s, 15m or 1.5h")]
    Malformed(String),
    /// Nothing could be done in it.
    #[error("'{0}' is not a time limit: it must be above zero")]
    NotPositive(String),
    /// A slip of the keyboard, or milliseconds taken for seconds.
    #[error("'{0}' is too long: the longest time limit is 365 days")]
    TooLong(String),
}

impl Timeout {
    /// The longest time limit: 365 days.
    pub const MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// A limit of `duration`.
    pub fn new(duration: Duration) -> Result<Self, InvalidTimeout> {
        if duration.is_zero() {
            Err(InvalidTimeout::NotPositive("0".to_owned()))
        } else if duration > Self::MAX {
            Err(InvalidTimeout::TooLong(format!("{}s", duration.as_secs())))
        } else {
            Ok(Self(duration))
        }
    }

    /// The limit.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The limit in seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// So many seconds: for limits that this program itself sets.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

/// The seconds that a text such as `90`, `15m` or `1h 30m` means; negative and infinite ones too.
fn parse_seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<f64>() {
        return Some(seconds);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))?;
        let number: f64 = rest[..number_end].parse().ok()?;
        rest = rest[number_end..].trim_start();
        let unit_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let seconds = match &rest[..unit_end] {
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += number * seconds;
        rest = rest[unit_end..].trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
}

impl FromStr for Timeout {
    type Err = InvalidTimeout;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = parse_seconds(text)
            .filter(|seconds| !seconds.is_nan())
            .ok_or_else(|| InvalidTimeout::Malformed(shown(text)))?;
        if seconds <= 0.0 {
            return Err(InvalidTimeout::NotPositive(shown(text)));
        }
        // Rounded to nanoseconds, which also turns the tiniest values into zero.
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| *duration <= Self::MAX)
            .ok_or_else(|| InvalidTimeout::TooLong(shown(text)))
            .and_then(|duration| Self::new(duration).map_err(|_| InvalidTimeout::NotPositive(shown(text))))
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let parts = [
            (u128::from(seconds / 86_400), "d"),
            (u128::from(seconds / 3_600 % 24), "h"),
            (u128::from(seconds / 60 % 60), "m"),
            (u128::from(seconds % 60), "s"),
            (u128::from(self.0.subsec_millis()), "ms"),
        ];
        let shown: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
        f.pad(&if shown.is_empty() { "<1ms".to_owned() } else { shown.join(" ") })
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.seconds())
        }
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let duration =
            Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Self::new(duration).map_err(D::Error::custom)
    }
}

/// Why a text is no age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAge {
    /// A bare number is seconds elsewhere. Who types one here means days, and would lose what is younger.
    #[error("{0} of what? `{0}d` are days, `{0}h` are hours")]
    NoUnit(String),
    /// It is no length of time, or none that can have passed.
    #[error("'{0}' is not an age; write 7d, 12h or 90m")]
    Malformed(String),
}

/// How long ago something was, with its unit: `7d`, `12h`, `1d 12h`. Fits as a clap value parser.
pub fn age(text: &str) -> Result<Duration, InvalidAge> {
    if text.trim().parse::<f64>().is_ok_and(|number| number.is_finite() && number > 0.0) {
        return Err(InvalidAge::NoUnit(shown(text.trim())));
    }
    parse_seconds(text)
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| InvalidAge::Malformed(shown(text)))
}

/// Why a text may not stand beside an option on a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFlagValue {
    /// It would be nothing.
    #[error("it is empty")]
    Empty,
    /// The program would take it for an option of its own.
    #[error("'{0}' begins with '-', which the agent would take for an option")]
    LooksLikeAnOption(String),
    /// It holds a line break, a NUL or the like.
    #[error("'{0}' has a control character in it")]
    ControlCharacter(String),
}

/// Checks a model, a permission mode, a tool or another value that goes beside an option on an agent's
/// command line, and returns it. Fits as a clap value parser.
pub fn flag_value(text: &str) -> Result<String, InvalidFlagValue> {
    if text.trim().is_empty() {
        Err(InvalidFlagValue::Empty)
    } else if text.trim_start().starts_with('-') {
        Err(InvalidFlagValue::LooksLikeAnOption(shown(text)))
    } else if text.contains(char::is_control) {
        Err(InvalidFlagValue::ControlCharacter(shown(text)))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_dashes_and_underscores() {
        for good in ["a", "infra", "Web-2_x", "0"] {
            assert_eq!(good.parse::<AgentName>().unwrap().as_str(), good);
        }
        for bad in ["", "-x", "_x", "a b", "a/b", "..", "é", "a\n", "a.b"] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad:?} was taken for a name");
            assert!(bad.parse::<GroupName>().is_err(), "{bad:?} was taken for a name");
        }
    }

    #[test]
    fn a_budget_is_positive_and_finite() {
        assert_eq!("0.5".parse::<BudgetUsd>().unwrap().dollars(), 0.5);
        for bad in ["", "0", "-1", "nan", "inf", "-inf", "1e999", "five", "$5"] {
            assert!(bad.parse::<BudgetUsd>().is_err(), "{bad:?} was taken for a budget");
        }
        assert_eq!(BudgetUsd::new(5.0).unwrap().to_string(), "$5.00");
        assert_eq!(BudgetUsd::new(0.005).unwrap().to_string(), "$0.005");
    }

    #[test]
    fn a_timeout_is_seconds_or_has_units() {
        for (text, millis) in [
            ("90", 90_000),
            ("0.5", 500),
            ("90s", 90_000),
            ("15m", 900_000),
            ("2h", 7_200_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            (" 1h 30m ", 5_400_000),
            ("2d", 172_800_000),
            ("365d", 31_536_000_000),
        ] {
            assert_eq!(
                text.parse::<Timeout>().unwrap().duration(),
                Duration::from_millis(millis),
                "{text:?}"
            );
        }
        for bad in [
            "",
            " ",
            "0",
            "0s",
            "-1",
            "-5m",
            "nan",
            "inf",
            "-inf",
            "infinity",
            "1e300",
            "366d",
            "h",
            "5x",
            "5 5m",
            "1..5s",
            "m5",
            "0.00000000001",
            "5m-4m-2m",
        ] {
            assert!(bad.parse::<Timeout>().is_err(), "{bad:?} was taken for a time limit");
        }
    }

    #[test]
    fn a_timeout_reads_like_it_is_written() {
        for text in ["5m", "1h 30m", "500ms", "1m 30s", "2d 1h"] {
            assert_eq!(text.parse::<Timeout>().unwrap().to_string(), text);
        }
        assert_eq!("300".parse::<Timeout>().unwrap().to_string(), "5m");
    }

    #[test]
    fn a_value_beside_an_option_cannot_be_an_option() {
        assert_eq!(flag_value("Bash(git:*)").as_deref(), Ok("Bash(git:*)"));
        for bad in ["", " ", "-p", "--dangerously-skip-permissions", " -p", "a\nb", "a\0"] {
            assert!(flag_value(bad).is_err(), "{bad:?} was let through");
        }
    }
}
