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
