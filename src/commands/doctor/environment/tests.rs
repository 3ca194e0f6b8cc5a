use super::*;
use crate::commands::doctor::finding::Level;

#[test]
fn secrets_are_named_and_never_shown() {
    let names = [
        "GITHUB_TOKEN",
        "PATH",
        "DATABASE_URL",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "TOKENS",
        "npm_token",
    ];
    let found = secrets(names.into_iter().map(OsString::from)).unwrap();
    assert_eq!(found.fix.as_deref(), Some("unset AWS_SECRET_ACCESS_KEY DATABASE_URL GITHUB_TOKEN npm_token"));
    assert_eq!(secrets([OsString::from("PATH")].into_iter()), None);
}

#[test]
fn what_claude_needs_or_agents_do_not_get_is_no_secret_of_theirs() {
    let claude = ClaudeHome::default();
    let hidden = |name: &str| is_of_the_cli(OsStr::new(name), &claude, |_| None);
    assert!(hidden("ANTHROPIC_API_KEY") && hidden("CLAUDE_CODE_OAUTH_TOKEN"));
    assert!(hidden("CLAUDE_CODE_SESSION_ACCESS_TOKEN"));
    assert!(!hidden("GITHUB_TOKEN"));
}

#[test]
fn only_a_mask_that_lets_everybody_write_is_warned_of() {
    assert_eq!(file_mask(0o022), None);
    assert_eq!(file_mask(0o077), None);
    assert_eq!(file_mask(0).unwrap().level, Level::Warning);
}

#[test]
fn a_nested_dispatch_is_a_note_until_there_is_no_room_for_another() {
    let at = |depth| Surroundings { depth, ..Surroundings::default() };
    assert_eq!(nested(&at(0), Some(3)), None);
    assert_eq!(nested(&at(1), Some(3)).unwrap().level, Level::Note);
    assert_eq!(nested(&at(3), Some(3)).unwrap().level, Level::Warning);
}
