use super::*;

#[test]
fn root_and_its_group_are_found_and_the_group_is_private_to_root() {
    assert_eq!(user(0).map(|user| (user.name, user.gid)), Some((c"root".to_owned(), 0)));
    assert!(group(0).is_some());
    if cfg!(target_os = "linux") && group(0).is_some_and(|group| group.members.is_empty()) {
        assert!(is_private_group(0, &[0]));
    }
}

#[test]
fn the_group_of_another_user_is_not_private() {
    // Numbers that no system gives to a user.
    assert!(!is_private_group(3_999_999_998, &[0, 3_999_999_999]));
    assert!(!is_private_group(0, &[3_999_999_999]));
}

#[test]
fn a_user_without_a_name_has_the_group_of_the_same_number() {
    assert!(is_private_group(3_999_999_999, &[0, 3_999_999_999]));
}
