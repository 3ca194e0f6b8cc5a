//! As whom Claude Code would work, told from files and variables alone: nothing is asked, nothing is spent.
//!
//! The order is that of 2.1.330: a cloud provider, a bearer token, an API key, a helper that prints one, a
//! long-lived token, the login of a subscription.

use serde_json::Value;

use super::home::ClaudeHome;
use crate::backend::Environment;

/// A cloud provider: the variable that chooses it, its name, and what its own variables begin with.
type Provider = (&'static str, &'static str, &'static [&'static str]);

const PROVIDERS: [Provider; 6] = [
    ("CLAUDE_CODE_USE_BEDROCK", "Amazon Bedrock", &["AWS_"]),
    ("CLAUDE_CODE_USE_VERTEX", "Google Vertex AI", &["GOOGLE_", "CLOUDSDK_", "GCLOUD_"]),
    ("CLAUDE_CODE_USE_FOUNDRY", "Microsoft Foundry", &["AZURE_"]),
    ("CLAUDE_CODE_USE_ANTHROPIC_AWS", "Claude on AWS", &["AWS_"]),
    (
        "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
        "Claude on Google Cloud",
        &["GOOGLE_", "CLOUDSDK_", "GCLOUD_"],
    ),
    ("CLAUDE_CODE_USE_MANTLE", "Amazon Bedrock", &["AWS_"]),
];

/// How Claude Code would authenticate itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What says so: a variable or a file.
    pub source: String,
    /// Who is charged.
    pub bills: Bills,
    /// Whether there is a subscription's login beside it, which is not used.
    pub passes_over_subscription: bool,
}

/// Who is charged for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bills {
    /// A subscription, whose kind may be known.
    Subscription(Option<String>),
    /// An API account, by use.
    Api,
    /// The account with a cloud provider.
    Provider(&'static str),
}

impl ClaudeHome {
    /// How Claude Code would authenticate itself; `None` when it would say that no user is logged in. `environment`
    /// looks up a variable.
    pub fn login(&self, environment: Environment<'_>) -> Option<Login> {
        let subscription = self.subscription();
        let passed_over = subscription.is_some();
        // Settings add to the environment.
        let variable = |name: &str| {
            let set = environment(name).filter(|value| !value.is_empty());
            let own = self.settings["env"][name].as_str().filter(|value| !value.is_empty());
            match (set, own) {
                (Some(value), _) => Some((value.to_string_lossy().into_owned(), name.to_owned())),
                (None, Some(value)) => {
                    Some((value.to_owned(), format!("{name} in {}", self.settings_path())))
                }
                (None, None) => None,
            }
        };
        let is_on =
            |value: &str| !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off");
        let login = |source, bills| Some(Login { source, bills, passes_over_subscription: passed_over });
        for (name, provider, _) in PROVIDERS {
            if let Some((value, source)) = variable(name)
                && is_on(&value)
            {
                return login(source, Bills::Provider(provider));
            }
        }
        for name in ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"] {
            if let Some((_, source)) = variable(name) {
                return login(source, Bills::Api);
            }
        }
        if self.settings["apiKeyHelper"].is_string() {
            return login(format!("apiKeyHelper in {}", self.settings_path()), Bills::Api);
        }
        if let Some((_, source)) = variable("CLAUDE_CODE_OAUTH_TOKEN") {
            let bills = Bills::Subscription(None);
            return Some(Login { source, bills, passes_over_subscription: false });
        }
        if let Some((source, kind)) = subscription {
            let bills = Bills::Subscription(kind);
            return Some(Login { source, bills, passes_over_subscription: false });
        }
        if self.state["primaryApiKey"].is_string() {
            return login(format!("primaryApiKey in {}", self.state_path.display()), Bills::Api);
        }
        None
    }

    /// The login of a subscription: what says so, and its kind.
    fn subscription(&self) -> Option<(String, Option<String>)> {
        let stored = &self.credentials["claudeAiOauth"];
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        if text(&stored["accessToken"]).or_else(|| text(&stored["refreshToken"])).is_some() {
            let source = self.directory.join(".credentials.json").display().to_string();
            return Some((source, text(&stored["subscriptionType"])));
        }
        // On macOS the tokens are in the keychain, which is not opened here; the account is in the state.
        let account = cfg!(target_os = "macos") && self.state["oauthAccount"].is_object();
        account.then(|| (format!("oauthAccount in {}", self.state_path.display()), None))
    }

    fn settings_path(&self) -> String {
        self.directory.join("settings.json").display().to_string()
    }

    /// Whether an agent's Claude Code may need this variable to authenticate itself.
    pub fn needs_variable(&self, name: &str, environment: Environment<'_>) -> bool {
        let bills = self.login(environment).map(|login| login.bills);
        let provider = PROVIDERS.iter().any(|(_, provider, prefixes)| {
            bills == Some(Bills::Provider(provider)) && prefixes.iter().any(|prefix| name.starts_with(prefix))
        });
        provider || name.starts_with("ANTHROPIC_") || name.starts_with("CLAUDE_CODE_")
    }
}

#[cfg(test)]
mod tests {
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
        home.login(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
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
    fn without_any_credential_no_user_is_logged_in() {
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
            subscribed().needs_variable(name, &|asked| (asked == provider).then(|| "1".into()))
        };
        assert!(needs("AWS_SECRET_ACCESS_KEY", "CLAUDE_CODE_USE_BEDROCK"));
        assert!(!needs("AWS_SECRET_ACCESS_KEY", "CLAUDE_CODE_USE_VERTEX"));
        assert!(needs("ANTHROPIC_API_KEY", ""));
    }
}
