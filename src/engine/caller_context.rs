//! The caller's context: the job that the caller runs in, its depth, and the parts of its environment that matter.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::JobId;
use crate::supervisor;

/// Says where the usage journal is.
const USAGE_LOG_VARIABLE: &str = "AGENT_DISPATCH_USAGE_LOG";

/// Where this process's environment says that the usage journal is.
pub fn named_usage_log() -> Option<PathBuf> {
    std::env::var_os(USAGE_LOG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// What a dispatch is embedded in: who dispatches, and from how deep.
#[derive(Debug, Clone, Default)]
pub struct CallerContext {
    /// How deep the caller is: 0 for a person or a script, the caller's own depth when it is an agent.
    pub depth: u32,
    /// What the environment says instead of a depth, where it says something that is none: then the caller counts as
    /// too deep, however deep it is.
    pub unknown_depth: Option<String>,
    /// The job the caller works on.
    pub parent: Option<JobId>,
    /// The first job of the chain that led to the caller.
    pub root: Option<JobId>,
    /// The directories programs are looked for in, as in `PATH`.
    pub path: Option<OsString>,
    /// Where the usage journal is, instead of where the config says.
    pub usage_log: Option<PathBuf>,
    /// Looks up another variable of its environment. Without it an agent CLI's files are not looked for.
    pub variable: Option<fn(&str) -> Option<OsString>>,
}

impl CallerContext {
    /// Reads them from this process's environment and ancestry: whichever says that it is deeper. Clearing the
    /// environment does not make an agent's dispatch look like a person's.
    pub fn of_this_process() -> Self {
        let text = |name| std::env::var(name).ok();
        let (depth, unknown_depth) = depth(std::env::var_os(supervisor::DEPTH_VARIABLE));
        let parent = text(supervisor::JOB_VARIABLE).and_then(|id| id.parse().ok());
        let path = std::env::var_os("PATH");
        let usage_log = named_usage_log();
        let variable = Some(variable_of_this_process as fn(&str) -> Option<OsString>);
        match supervisor::enclosing_job() {
            Some(enclosing) => Self {
                depth: depth.max(enclosing.launch.depth.unwrap_or(1)),
                unknown_depth,
                parent: Some(enclosing.id),
                root: Some(enclosing.launch.root.unwrap_or(enclosing.id)),
                path,
                usage_log,
                variable,
            },
            None => Self { depth, unknown_depth, parent, root: None, path, usage_log, variable },
        }
    }
}

fn variable_of_this_process(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// How deep the caller says it is, and what it says instead if that is no number.
fn depth(variable: Option<OsString>) -> (u32, Option<String>) {
    let Some(said) = variable else { return (0, None) };
    match said.to_str().and_then(|said| said.parse().ok()) {
        Some(depth) => (depth, None),
        // As it is: that there is a space in it may be all that is wrong.
        None => (0, Some(said.to_string_lossy().chars().take(40).flat_map(char::escape_debug).collect())),
    }
}
