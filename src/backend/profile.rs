//! What never changes about a backend, as data.

use std::fmt;

/// The facts of a backend. A new one states what differs from [`Profile::plain`].
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its name in configs and records.
    pub name: &'static str,
    /// What it is, to stand after "is" in a sentence.
    pub title: &'static str,
    /// What it is, for the help.
    pub about: &'static str,
    /// Which program is started.
    pub executable: Executable,
    /// Which conversations it keeps.
    pub sessions: Sessions,
    /// What else it can be told.
    pub takes: Takes,
    /// The names of its permission modes; none where it has none.
    pub permission_modes: &'static [&'static str],
    /// The longest prompt that it takes, in bytes.
    pub prompt_limit_bytes: usize,
    /// Variables that identify one of its sessions. No agent inherits them, of whatever backend: it is a session of its
    /// own.
    pub session_variables: SessionVariables,
    /// How it is told to keep its sockets and other temporary things in a place of the job.
    pub private_place: Option<PrivatePlace>,
    /// The directory of a project, in the project's own, whose content it obeys: settings, hooks, commands.
    pub project_directory: Option<&'static str>,
}

impl Profile {
    /// A program that takes a task and gives an answer, and knows nothing else.
    pub const fn plain(name: &'static str, title: &'static str, about: &'static str) -> Self {
        Self {
            name,
            title,
            about,
            executable: Executable::Configured,
            sessions: Sessions::None,
            takes: Takes::NOTHING,
            permission_modes: &[],
            prompt_limit_bytes: LONGEST_TASK_BYTES,
            session_variables: SessionVariables { names: &[], prefixes: &[] },
            private_place: None,
            project_directory: None,
        }
    }
}

/// The longest task that this program takes for any agent, in bytes.
pub const LONGEST_TASK_BYTES: usize = 10_000_000;

/// Which program is started for an agent.
#[derive(Debug, Clone, Copy)]
pub enum Executable {
    /// The one of this name.
    Named {
        /// The name that is looked for on `PATH`.
        program: &'static str,
        /// How it is installed.
        installation: Installation,
    },
    /// The one that the agent's `command` names.
    Configured,
}

/// How an agent CLI is installed; its text says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installation {
    /// What it is called.
    pub title: &'static str,
    /// The shell command that installs it.
    pub command: &'static str,
    /// The shell command by which a person logs in.
    pub login: &'static str,
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, command, login } = self;
        write!(f, "install {title}: `{command}`, then `{login}` to log in")
    }
}

/// Which conversations an agent CLI keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// None: every run begins anew.
    None,
    /// It takes the id of a new one from its caller, so that it can be resumed whatever happens.
    Chosen,
    /// It makes up the id of a new one, and tells it in its output.
    Assigned,
}

/// What an agent CLI can be told beside the task.
#[derive(Debug, Clone, Copy)]
pub struct Takes {
    /// Which model to use.
    pub model: bool,
    /// What the run may cost.
    pub spend_cap: bool,
    /// Which tools need no permission, and which are refused.
    pub tool_lists: bool,
    /// What form the answer is to have.
    pub response_schema: bool,
    /// What to add to its system prompt.
    pub system_prompt: bool,
}

impl Takes {
    /// Nothing.
    pub const NOTHING: Self = Self {
        model: false,
        spend_cap: false,
        tool_lists: false,
        response_schema: false,
        system_prompt: false,
    };
    /// All of it.
    pub const EVERYTHING: Self =
        Self { model: true, spend_cap: true, tool_lists: true, response_schema: true, system_prompt: true };
}

/// Environment variables that identify a session of an agent CLI.
#[derive(Debug, Clone, Copy)]
pub struct SessionVariables {
    /// Names.
    pub names: &'static [&'static str],
    /// Beginnings of names.
    pub prefixes: &'static [&'static str],
}

impl SessionVariables {
    /// Whether a variable is one of them.
    pub fn contain(&self, name: &str) -> bool {
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// How an agent CLI is told where to keep what it needs while it runs.
#[derive(Debug, Clone, Copy)]
pub struct PrivatePlace {
    /// The variable that names the directory.
    pub variable: &'static str,
    /// What it adds to the path of that directory for a socket, at the longest.
    pub socket: &'static str,
}
