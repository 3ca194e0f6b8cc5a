use super::*;

#[test]
fn only_warnings_about_members_are_left_to_their_own_finding() {
    assert!(is_about_a_member("groups.shop.members[0]"));
    assert!(!is_about_a_member("groups.shop.members[0].use_fro"));
    assert!(!is_about_a_member("groups.shop.mebmers"));
    assert!(!is_about_a_member("agents.a.timeot"));
}
