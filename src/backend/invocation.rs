//! What a program must be told to do a task, and the command line that tells it.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use super::{RefusedArgument, Session};

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

/// The longest argument Linux takes, in bytes: 32 pages, with the terminating NUL.
pub(super) const ARGUMENT_LIMIT: usize = 131_071;

/// Every option is one argument, `--flag=value`: options of some agent CLIs take any number of values, and would swallow
/// what follows them.
impl CommandLine {
    /// A program without arguments.
    pub fn of(program: &Path) -> Self {
        let (argv, shown) = (vec![program.as_os_str().to_owned()], vec![program.display().to_string()]);
        Self { argv, shown, files: Vec::new() }
    }

    /// Adds an argument of the backend's own.
    pub fn plain(&mut self, argument: &str) {
        self.argv.push(argument.into());
        self.shown.push(argument.to_owned());
    }

    /// Adds a value that names something. It must not look like an option, however the program parses it.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for a value that is empty, looks like an option or cannot be an argument.
    pub fn option(&mut self, flag: &str, field: &'static str, value: &str) -> Result<(), RefusedArgument> {
        if value.trim().is_empty() {
            return Err(RefusedArgument::Empty { field });
        }
        // Some CLIs trim values: a blank before the dash hides nothing.
        if value.trim_start().starts_with('-') {
            return Err(RefusedArgument::FlagLike { field, value: value.to_owned() });
        }
        let argument = checked(flag, field, value)?;
        self.plain(&argument);
        Ok(())
    }

    /// Adds a free text, which the record shows by its length only.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for a text that cannot be an argument.
    pub fn abbreviated(
        &mut self,
        flag: &str,
        field: &'static str,
        value: &str,
    ) -> Result<(), RefusedArgument> {
        self.argv.push(checked(flag, field, value)?.into());
        self.shown.push(format!("{flag}=<{} bytes>", value.len()));
        Ok(())
    }
}

fn checked(flag: &str, field: &'static str, value: &str) -> Result<String, RefusedArgument> {
    if value.contains('\0') {
        return Err(RefusedArgument::ContainsNul { field });
    }
    let argument = format!("{flag}={value}");
    if argument.len() > ARGUMENT_LIMIT {
        let limit = ARGUMENT_LIMIT - flag.len() - 1;
        return Err(RefusedArgument::TooLong { field, bytes: value.len(), limit });
    }
    Ok(argument)
}
