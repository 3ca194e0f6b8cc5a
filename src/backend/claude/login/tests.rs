use super::*;
use serde_json::json;

fn subscribed() -> ClaudeHome {
    ClaudeHome {
        credentials: json!({"claudeAiOauth": {"accessToken": "x", "subscriptionType": "max"}}),
        directory: "/me/.claude".into(),
        state_path: "/me/.claude.json".into(),
        ..ClaudeHome::default()
    }
}

fn login(home: &ClaudeHome, variables: &[(&str, &str)]) -> Option<Login> {
    home.login(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
}

#[test]
fn what_counts_first_is_what_claude_uses() {
    let home = subscribed();
    let source = |variables: &[(&str, &str)]| login(&home, variables).unwrap().source;
    assert_eq!(source(&[]), "/me/.claude/.credentials.json");
    let token = ("CLAUDE_CODE_OAUTH_TOKEN", "x");
    let key = ("ANTHROPIC_API_KEY", "x");
    let bedrock = ("CLAUDE_CODE_USE_BEDROCK", "1");
    assert_eq!(source(&[token]), "CLAUDE_CODE_OAUTH_TOKEN");
    assert_eq!(source(&[token, key]), "ANTHROPIC_API_KEY");
    assert_eq!(source(&[token, key, bedrock]), "CLAUDE_CODE_USE_BEDROCK");
    assert_eq!(source(&[("ANTHROPIC_API_KEY", ""), ("CLAUDE_CODE_USE_VERTEX", "0")]), source(&[]));
    let helped = ClaudeHome { settings: json!({"apiKeyHelper": "x"}), ..subscribed() };
    assert_eq!(login(&helped, &[token]).unwrap().source, "apiKeyHelper in /me/.claude/settings.json");
}

#[test]
fn an_api_key_is_said_to_pass_over_a_subscription() {
    let key = [("ANTHROPIC_API_KEY", "x")];
    let found = login(&subscribed(), &key).unwrap();
    assert_eq!((found.bills, found.passes_over_subscription), (Bills::Api, true));
    let alone = login(&ClaudeHome::default(), &key).unwrap();
    assert!(!alone.passes_over_subscription);
    let subscription = login(&subscribed(), &[]).unwrap();
    assert_eq!(subscription.bills, Bills::Subscription(Some("max".to_owned())));
}

#[test]
fn without_any_credential_nobody_is_logged_in() {
    assert_eq!(login(&ClaudeHome::default(), &[]), None);
    let managed = ClaudeHome { state: json!({"primaryApiKey": "x"}), ..ClaudeHome::default() };
    assert_eq!(login(&managed, &[]).unwrap().bills, Bills::Api);
    let settings = json!({"env": {"ANTHROPIC_API_KEY": "x"}});
    let configured = ClaudeHome { settings, ..subscribed() };
    assert_eq!(login(&configured, &[]).unwrap().source, "ANTHROPIC_API_KEY in /me/.claude/settings.json");
}

#[test]
fn a_provider_needs_its_own_variables_only() {
    let needs = |name: &str, provider: &str| {
        subscribed().needs_variable(name, |asked| (asked == provider).then(|| "1".into()))
    };
    assert!(needs("AWS_SECRET_ACCESS_KEY", "CLAUDE_CODE_USE_BEDROCK"));
    assert!(!needs("AWS_SECRET_ACCESS_KEY", "CLAUDE_CODE_USE_VERTEX"));
    assert!(needs("ANTHROPIC_API_KEY", ""));
}
