//! What Claude Code's error messages mean.
//!
//! They come in the result, in a synthetic message, in `errors` or on standard error, with or without a kind and an
//! HTTP status. All three were seen to be missing, so each is enough. None of this is ever applied to an answer.

use crate::backend::failure::{Failure, again, message};
use crate::model::{AgentChange, Obstacle, Remedy, Terms};
use crate::store::{ErrorType, Record};

/// All that is known about an error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signals<'a> {
    /// The message.
    pub(super) text: &'a str,
    /// The CLI's own word for it, as `assistant.error` and `api_retry.error` have it.
    pub(super) kind: Option<&'a str>,
    /// The HTTP status.
    pub(super) status: Option<u64>,
}

/// What can go wrong, beyond the [`ErrorType`]: each has a remedy of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cause {
    NoConversation,
    SessionInUse,
    RootBypass,
    UnknownMode,
    PromptTooLong,
    NoCredit,
    AccountLimit,
    NotLoggedIn,
    BadCredentials,
    RateLimit,
    Overloaded,
    NoSuchModel,
    OutputLimit,
}

/// Texts that have one meaning, whatever else is known. Lower case; the first that fits counts.
const CERTAIN: &[(&str, Cause)] = &[
    ("no conversation found with session id", Cause::NoConversation),
    ("cannot be used with root/sudo privileges", Cause::RootBypass),
    ("option '--permission-mode <mode>' argument", Cause::UnknownMode),
    ("is running in the background", Cause::SessionInUse),
    ("prompt is too long", Cause::PromptTooLong),
    ("exceeds 10mb", Cause::PromptTooLong),
    ("credit balance is too low", Cause::NoCredit),
    ("not logged in", Cause::NotLoggedIn),
    ("invalid api key", Cause::BadCredentials),
    ("invalid auth token", Cause::BadCredentials),
    ("failed to authenticate", Cause::BadCredentials),
];

/// Texts that mean something when neither a kind nor a status does.
const LIKELY: &[(&str, Cause)] = &[
    ("please run /login", Cause::NotLoggedIn),
    ("authentication_error", Cause::BadCredentials),
    ("oauth token has expired", Cause::BadCredentials),
    ("request rejected (429)", Cause::RateLimit),
    ("rate_limit_error", Cause::RateLimit),
    ("overloaded", Cause::Overloaded),
    ("unable to connect to api", Cause::Overloaded),
    ("api error: connection", Cause::Overloaded),
    ("api error: 5", Cause::Overloaded),
    ("api error: request timed out", Cause::Overloaded),
    ("internal server error", Cause::Overloaded),
];

/// Whether the account, not a single request, has reached a limit: waiting helps only after its reset.
pub(super) fn is_account_limit(text: &str) -> bool {
    // "You've hit your session limit · resets 6pm (Area/City)", "Claude AI usage limit reached|1700000000",
    // "You've hit your monthly spend limit": the words between differ from version to version.
    let text = text.trim_start().to_lowercase().replace('’', "'");
    (text.starts_with("you've hit your") || text.starts_with("you've reached your")) && text.contains("limit")
        || text.contains("usage limit reached")
        || (text.contains("limit reached") && text.contains("resets"))
        || text.contains("out of usage credits")
}

/// What an error means; `None` when there is nothing to recognise it by.
pub(super) fn explain(signals: Signals<'_>, record: &Record, session: Option<&str>) -> Option<Failure> {
    let cause = recognise(signals)?;
    let again = || again(record, session, Terms::default());
    let later = |obstacle| Remedy::TryLater { obstacle, then: Box::new(again()) };
    let authenticate = |how: &str| Remedy::Authenticate { how: how.to_owned() };
    let mode = || Remedy::UpdateAgent {
        agent: record.agent.clone(),
        change: AgentChange::PermissionMode("acceptEdits".to_owned()),
    };
    let said = message(signals.text);
    let told = |lead: &str| if said.is_empty() { lead.to_owned() } else { format!("{lead}: {said}") };
    let failure = |kind, lead: &str, remedy| Failure::new(kind, told(lead)).remedy(Some(remedy));
    Some(match cause {
        Cause::NoConversation => Failure::new(ErrorType::NotFound, "the session to resume does not exist")
            .remedy(Remedy::StartNewSession { agent: Some(record.agent.clone()) })
            .note(
                "sessions are deleted after a while, and older versions of Claude Code find only those of the agent's own \
                 directory"
                    .to_owned(),
            ),
        Cause::SessionInUse => {
            failure(ErrorType::CliError, "the session is in use", Remedy::WaitForSession {})
        }
        Cause::RootBypass => Failure::new(
            ErrorType::Permission,
            "Claude Code refuses the permission mode bypassPermissions to the root user",
        )
        .remedy(mode())
        .note("another user than root may use it".to_owned()),
        Cause::UnknownMode => {
            failure(ErrorType::CliError, "Claude Code does not know the permission mode", mode())
        }
        Cause::PromptTooLong => failure(
            ErrorType::CliError,
            "the conversation is too long for the model",
            Remedy::ShortenTask {},
        ),
        Cause::NoCredit => {
            let how = "add credit at https://platform.claude.com/settings/billing, or unset ANTHROPIC_API_KEY to use the \
                       subscription";
            failure(ErrorType::Auth, "the account has no credit", authenticate(how))
        }
        Cause::NotLoggedIn => {
            let how = "run `claude` in a terminal and type `/login`, or set ANTHROPIC_API_KEY";
            failure(ErrorType::Auth, "Claude Code is not logged in", authenticate(how))
        }
        Cause::BadCredentials => {
            let how = "check ANTHROPIC_API_KEY and what else configures the provider; with the variable unset, run \
                       `claude` in a terminal and type `/login`";
            failure(ErrorType::Auth, "the API refused the credentials", authenticate(how))
        }
        Cause::AccountLimit => failure(
            ErrorType::UsageLimit,
            "the account's usage limit is reached",
            later(Obstacle::AccountLimit),
        ),
        Cause::RateLimit => failure(
            ErrorType::UsageLimit,
            "the API rejected the requests as too many",
            later(Obstacle::RateLimit),
        ),
        Cause::Overloaded => {
            let check = "check the network connection and https://status.claude.com".to_owned();
            let remedy = later(Obstacle::Outage { check });
            failure(ErrorType::Overloaded, "the API is overloaded or out of reach", remedy)
        }
        Cause::NoSuchModel => failure(
            ErrorType::CliError,
            "the model does not exist or is not available",
            Remedy::ChooseModel { agent: record.agent.clone() },
        ),
        Cause::OutputLimit => {
            failure(ErrorType::Incomplete, "the answer exceeded the model's output limit", again())
        }
    })
}

fn recognise(signals: Signals<'_>) -> Option<Cause> {
    let text = signals.text.to_lowercase().replace('’', "'");
    let by_text = |table: &[(&str, Cause)]| {
        table.iter().find(|(fragment, _)| text.contains(fragment)).map(|&(_, cause)| cause)
    };
    by_text(CERTAIN)
        .or_else(|| {
            (text.contains("session id") && text.contains("already in use")).then_some(Cause::SessionInUse)
        })
        .or_else(|| is_account_limit(&text).then_some(Cause::AccountLimit))
        .or_else(|| by_kind(signals.kind?))
        .or_else(|| by_status(signals.status?))
        .or_else(|| by_text(LIKELY))
}

/// The words of claude 2.1.330; `unknown` and `invalid_request` say nothing.
fn by_kind(kind: &str) -> Option<Cause> {
    Some(match kind {
        "authentication_failed"
        | "oauth_org_not_allowed"
        | "account_on_hold"
        | "verification_required"
        | "cloud_credential_error" => Cause::BadCredentials,
        "billing_error" => Cause::NoCredit,
        "rate_limit" => Cause::RateLimit,
        "overloaded" | "server_error" => Cause::Overloaded,
        "model_not_found" => Cause::NoSuchModel,
        "max_output_tokens" => Cause::OutputLimit,
        _ => return None,
    })
}

fn by_status(status: u64) -> Option<Cause> {
    Some(match status {
        401 | 403 => Cause::BadCredentials,
        402 => Cause::NoCredit,
        404 => Cause::NoSuchModel,
        413 => Cause::PromptTooLong,
        429 => Cause::RateLimit,
        408 | 500..=599 => Cause::Overloaded,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
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
            (
                "Failed to authenticate: OAuth session expired and could not be refreshed",
                Cause::BadCredentials,
            ),
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
}
