use super::*;

fn by_text(text: &str) -> Option<Cause> {
    recognise(Signals { text, ..Signals::default() })
}

#[test]
fn every_message_of_the_cli_is_recognised_by_its_text_alone() {
    for (text, cause) in [
        ("Not logged in · Please run /login", Cause::NotLoggedIn),
        ("Invalid API key · Fix external API key", Cause::BadCredentials),
        ("Failed to authenticate. API Error: 403 {\"error\":…}", Cause::BadCredentials),
        ("Failed to authenticate: OAuth session expired and could not be refreshed", Cause::BadCredentials),
        ("Credit balance is too low", Cause::NoCredit),
        ("API Error: Request rejected (429) · overloaded", Cause::RateLimit),
        ("You've hit your session limit · resets 6pm (Europe/Berlin)", Cause::AccountLimit),
        ("You’ve hit your weekly limit · resets Oct 9 at 5pm", Cause::AccountLimit),
        ("You've hit your monthly spend limit.", Cause::AccountLimit),
        ("Claude AI usage limit reached|1700000000", Cause::AccountLimit),
        ("5-hour limit reached ∙ resets 3pm", Cause::AccountLimit),
        ("Repeated 529 Overloaded errors", Cause::Overloaded),
        ("API Error: 500 Internal server error", Cause::Overloaded),
        ("Unable to connect to API (ConnectionRefused)", Cause::Overloaded),
        ("API Error: Connection refused — a firewall or proxy may be blocking it", Cause::Overloaded),
        (
            "No conversation found with session ID: 00000000-0000-4000-8000-000000000000",
            Cause::NoConversation,
        ),
        ("Error: Session ID 0190163d-… is already in use.", Cause::SessionInUse),
        ("That session is running in the background (j1). Run `claude attach j1`", Cause::SessionInUse),
        ("Prompt is too long · automatic compaction failed: x", Cause::PromptTooLong),
        (
            "--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons",
            Cause::RootBypass,
        ),
        (
            "error: option '--permission-mode <mode>' argument 'acceptedits' is invalid. Allowed choices are plan.",
            Cause::UnknownMode,
        ),
    ] {
        assert_eq!(by_text(text), Some(cause), "{text}");
    }
    assert_eq!(by_text("something else"), None);
    assert_eq!(by_text(""), None);
}

#[test]
fn kind_and_status_are_enough_without_a_known_text() {
    let signals = |kind, status| recognise(Signals { text: "neu", kind, status });
    assert_eq!(signals(Some("authentication_failed"), None), Some(Cause::BadCredentials));
    assert_eq!(signals(Some("rate_limit"), None), Some(Cause::RateLimit));
    assert_eq!(signals(Some("server_error"), Some(200)), Some(Cause::Overloaded));
    assert_eq!(signals(Some("unknown"), Some(401)), Some(Cause::BadCredentials));
    assert_eq!(signals(None, Some(529)), Some(Cause::Overloaded));
    assert_eq!(signals(None, Some(400)), None);
}

#[test]
fn a_single_rejected_request_is_not_the_accounts_limit() {
    assert!(!is_account_limit("API Error: Request rejected (429)"));
    assert!(!is_account_limit("Repeated 529 Overloaded errors"));
}
