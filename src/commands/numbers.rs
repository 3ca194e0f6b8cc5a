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
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_the_range_is_told_the_range() {
        assert_eq!(whole_number(1_u32..)("12"), Ok(12));
        for wrong in ["x", "0", "-1", "1.5", "", "99999999999999999999"] {
            let said = whole_number(1_u32..)(wrong);
            assert_eq!(said, Err("give a whole number, 1 or more".to_owned()), "{wrong}");
        }
        assert_eq!(whole_number(1_u32..=100)("101"), Err("give a whole number from 1 to 100".to_owned()));
    }
}
