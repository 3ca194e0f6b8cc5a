//! Environment variables that an agent must not inherit from its caller.
//!
//! An agent starts with its caller's environment, because that is where its credentials, proxies and `PATH`
//! come from. Two kinds of variables are taken out of it:
//!
//! * what identifies the *caller's* agent session. A dispatched agent is a session of its own; one that
//!   believes it is the child of another keeps no transcript, talks to another session's sockets or writes into
//!   its files. The names are those that each backend states. Credentials, provider configuration and preferences
//!   stay.
//! * git's local variables. A git hook exports `GIT_DIR` and `GIT_INDEX_FILE`, and an agent in another directory
//!   would then write into the wrong repository.

/// What `git rev-parse --local-env-vars` prints (2.34 to 2.53), and what else points git at one repository:
/// `GIT_QUARANTINE_PATH`, set in a receive hook, forbids every later ref update, in any repository.
const GIT_NAMES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The numbered variables that `GIT_CONFIG_COUNT` counts.
const GIT_PREFIXES: &[&str] = &["GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"];

/// Whether this variable points git at one repository.
pub(super) fn is_of_a_repository(name: &str) -> bool {
    GIT_NAMES.contains(&name) || GIT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use crate::backend::Backends;

    fn stripped(name: &str) -> bool {
        Backends::BUILT_IN.strip(OsStr::new(name))
    }

    #[test]
    fn every_local_variable_of_the_installed_git_is_stripped() {
        let Ok(output) = std::process::Command::new("git").args(["rev-parse", "--local-env-vars"]).output()
        else {
            return; // There is no git to compare with.
        };
        for name in String::from_utf8(output.stdout).unwrap().lines() {
            assert!(stripped(name), "git calls {name} local to a repository");
        }
    }

    #[test]
    fn the_callers_session_identity_is_stripped() {
        for name in [
            "CLAUDECODE",
            "CLAUDE_CODE_SESSION_ID",
            "CLAUDE_CODE_SESSION_ATTENDED",
            "CLAUDE_CODE_ENTRYPOINT",
            "CLAUDE_CODE_SSE_PORT",
            "CLAUDE_CODE_CHILD_SESSION",
            "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS",
            "CLAUDE_BG_BACKEND",
            "CLAUDE_PROJECT_DIR",
            "CLAUDE_PID",
            "AI_AGENT",
            "GIT_CONFIG_KEY_0",
            "GIT_CONFIG_VALUE_12",
        ] {
            assert!(stripped(name), "{name} reaches the agent");
        }
    }

    #[test]
    fn credentials_providers_and_preferences_stay() {
        for name in [
            "HOME",
            "PATH",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_MODEL",
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_USE_BEDROCK",
            "CLAUDE_CONFIG_DIR",
            "CLAUDE_CODE_MAX_RETRIES",
            "AWS_PROFILE",
            "HTTPS_PROXY",
            "GIT_SSH_COMMAND",
            "GIT_AUTHOR_NAME",
            "GIT_CONFIG_GLOBAL",
            "AGENT_DISPATCH_DEPTH",
        ] {
            assert!(!stripped(name), "{name} does not reach the agent");
        }
    }
}
