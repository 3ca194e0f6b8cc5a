//! Numbers as they are typed.

use std::fmt::Display;
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;

/// Reads a whole number of a range; what is none is told what is expected.
pub(crate) fn whole_number<N: FromStr + PartialOrd + Display>(
    range: impl RangeBounds<N> + Clone,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| match (range.start_bound(), range.end_bound()) {
            (Bound::Included(least), Bound::Included(most)) => {
                format!("give a whole number from {least} to {most}")
            }
            (Bound::Included(least), _) => format!("give a whole number, {least} or more"),
            _ => "give a whole number".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
