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
