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
