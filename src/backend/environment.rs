//! Environment variables that an agent must not inherit from its caller.
//!
//! An agent starts with its caller's environment, because that is where its credentials, proxies and `PATH`
//! come from. Two kinds of variables are taken out of it:
//!
//! * what identifies the *caller's* agent session. A dispatched agent is a session of its own; one that
//!   believes it is the child of another keeps no transcript, talks to another session's sockets or writes into
//!   its files. The names are those that claude 2.1.330 sets for its tools, hooks and MCP servers, or reads to
//!   learn which session it belongs to. Credentials, provider configuration and preferences stay.
//! * git's local variables. A git hook exports `GIT_DIR` and `GIT_INDEX_FILE`, and an agent in another directory
//!   would then write into the wrong repository.

use std::ffi::OsStr;

/// Beginnings of the names that identify a Claude Code session.
const SESSION_PREFIXES: &[&str] = &[
    "CLAUDE_BG_",
    "CLAUDE_BRIDGE_",
    "CLAUDE_CODE_BRIDGE_",
    "CLAUDE_CODE_RESUME_FROM_",
    "CLAUDE_CODE_RESUME_INTERRUPTED_",
    "CLAUDE_CODE_SESSION_",
    "CLAUDE_CODE_TEAMMATE_",
    "CLAUDE_PTY_",
    "CLAUDE_RELAUNCH_",
    "CLAUDE_RUNNER_",
    "CLAUDE_SESSION_",
];

/// Names that identify a Claude Code session, or exist only within one.
const SESSION_NAMES: &[&str] = &[
    "AI_AGENT",
    "CLAUDECODE",
    "CLAUDE_AGENT",
    "CLAUDE_CODE_AGENT",
    "CLAUDE_CODE_CHILD_NOTES_DIR",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_CLOUD_SESSION_ID",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_CODE_HOST_SESSION_ID",
    "CLAUDE_CODE_INVOKED_SKILLS",
    "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "CLAUDE_CODE_PARENT_SESSION_ID",
    "CLAUDE_CODE_PROJECTS_SESSION",
    "CLAUDE_CODE_REMOTE_SESSION_ID",
    "CLAUDE_CODE_REMOTE_SESSION_ORIGIN",
    "CLAUDE_CODE_REMOTE_SESSION_UUID",
    "CLAUDE_CODE_RESUME_PROMPT",
    "CLAUDE_CODE_RESUME_REASON",
    "CLAUDE_CODE_SSE_PORT",
    "CLAUDE_CODE_STARTER_MAY_HOLD_CONNECTOR_FILE",
    "CLAUDE_CODE_TASK_LIST_ID",
    "CLAUDE_CODE_TMUX_SESSION",
    "CLAUDE_EFFORT",
    "CLAUDE_ENV_FILE",
    "CLAUDE_INTERNAL_ASSISTANT_TEAM_NAME",
    "CLAUDE_INTERNAL_SESSION_TASK_LIST_ID",
    "CLAUDE_JOB_DIR",
    "CLAUDE_PID",
    "CLAUDE_PLUGIN_DATA",
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_PROJECT_DIR",
];

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

/// Whether an agent of any backend must start without this variable.
pub fn is_stripped(name: &OsStr) -> bool {
    // A name that is not UTF-8 is none of ours.
    let Some(name) = name.to_str() else { return false };
    SESSION_NAMES.contains(&name)
        || GIT_NAMES.contains(&name)
        || SESSION_PREFIXES.iter().chain(GIT_PREFIXES).any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(name: &str) -> bool {
        is_stripped(OsStr::new(name))
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
