//! What a program must be told to do a task, and the command line that tells it.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use super::Session;

/// Everything a program must be told to do a task, already resolved and validated.
#[derive(Debug, Clone)]
pub struct Assignment<'a> {
    /// The program, as an absolute path.
    pub program: &'a Path,
    /// Arguments the agent's configuration gives (the command backend's `command: [program, …]`).
    pub arguments: &'a [String],
    /// What to append to the system prompt: the dispatch protocol and the agent's own instructions.
    pub system_prompt: Option<&'a str>,
    /// The session to start or to resume.
    pub session: &'a Session,
    /// The model, by the name the agent CLI knows.
    pub model: Option<&'a str>,
    /// The permission mode.
    pub permission_mode: Option<&'a str>,
    /// Tools that need no permission.
    pub allowed_tools: &'a [String],
    /// Tools that are refused.
    pub disallowed_tools: &'a [String],
    /// The spend cap, in US dollars: positive and finite.
    pub max_budget_usd: Option<f64>,
    /// The JSON Schema the answer must satisfy.
    pub response_schema: Option<&'a Value>,
    /// The job's own folder, where files named on the command line can lie.
    pub job_directory: &'a Path,
}

/// What to execute. The prompt is not part of it: it goes to standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The same for the record: long or private values are abbreviated.
    pub shown: Vec<String>,
    /// Files in the job's folder that `argv` names: name and content.
    pub files: Vec<(String, String)>,
}
