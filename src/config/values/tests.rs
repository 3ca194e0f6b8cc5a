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
        assert_eq!(text.parse::<Timeout>().unwrap().duration(), Duration::from_millis(millis), "{text:?}");
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
