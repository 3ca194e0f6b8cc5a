//! What never changes about Claude Code.

use crate::backend::{
    Executable, Installation, LONGEST_TASK_BYTES, PrivatePlace, Profile, SessionVariables, Sessions, Takes,
};

pub(super) const PROFILE: Profile = Profile {
    name: "claude",
    title: "Claude Code",
    about: "Claude Code",
    executable: Executable::Named { program: PROGRAM, installation: INSTALLATION },
    sessions: Sessions::Chosen,
    takes: Takes::EVERYTHING,
    permission_modes: &["default", "plan", "dontAsk", "acceptEdits", "auto", "bypassPermissions"],
    // It takes 10,000,000 bytes on standard input and refuses 12,000,000 with "exceeds 10MB".
    prompt_limit_bytes: LONGEST_TASK_BYTES,
    session_variables: SESSION_VARIABLES,
    private_place: Some(PrivatePlace { variable: "CLAUDE_CODE_TMPDIR", socket: "/cc-socks/4194304.sock" }),
    project_directory: Some(".claude"),
};

/// Its program.
pub(super) const PROGRAM: &str = "claude";

/// How it is installed.
pub(super) const INSTALLATION: Installation = Installation {
    title: "Claude Code",
    command: "npm install -g @anthropic-ai/claude-code",
    login: PROGRAM,
};

/// What identifies one of its sessions, or exists only within one: what 2.1.330 sets for its tools, hooks and MCP
/// servers, or reads to learn which session it belongs to.
const SESSION_VARIABLES: SessionVariables = SessionVariables {
    prefixes: &[
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
    ],
    names: &[
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
    ],
};
