use super::*;

#[test]
fn only_claude_code_waits_without_an_end_and_only_when_it_says_nothing_else() {
    let said = Some(Duration::from_secs(1));
    assert_eq!(patience(Some("claude-code"), None), None);
    assert_eq!(patience(Some("claude-code"), said), said);
    for client in [None, Some("claude"), Some("Claude Desktop")] {
        assert_eq!(patience(client, None), Some(PATIENCE));
        assert_eq!(patience(client, said), said);
    }
}
