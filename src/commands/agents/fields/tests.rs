use super::tools;

#[test]
fn tools_are_split_at_commas_outside_parentheses() {
    assert_eq!(tools("Read, Bash(git add, git rm),,Edit"), ["Read", "Bash(git add, git rm)", "Edit"]);
    assert!(tools("").is_empty());
}
