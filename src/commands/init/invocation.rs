//! How another program calls this tool.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::error::{Exit, Failure};
use crate::os::find_programs;
use crate::text::shell;

/// The program and the options that name places.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) program: String,
    options: Vec<String>,
}

impl Invocation {
    /// This program, with the config and the jobs directory it was given.
    pub(super) fn of_this_process(context: &Context) -> Result<Self, Failure> {
        let running = std::env::current_exe().map_err(|error| {
            Failure::new(Exit::Failure, format_args!("failed to find this program: {error}"))
        })?;
        let options = context.place_options()?;
        Ok(Self {
            program: text(&as_on_path(running))?,
            options: options.iter().map(|option| text(option)).collect::<Result<_, _>>()?,
        })
    }

    /// The arguments of this command.
    pub(super) fn arguments(&self, command: &[&str]) -> Vec<String> {
        self.options.iter().map(String::as_str).chain(command.iter().copied()).map(str::to_owned).collect()
    }

    /// This command as one for a shell.
    pub(super) fn shell_command(&self, command: &[&str]) -> String {
        let arguments = self.arguments(command);
        shell::command(std::iter::once(&self.program).chain(&arguments))
    }

    /// What a person types for this command.
    pub(super) fn typed(&self, command: &str) -> String {
        let words = std::iter::once("agent-dispatch").chain(self.options.iter().map(String::as_str));
        format!("{} {command}", shell::command(words))
    }
}

/// The entry of `PATH` that is this program: a link there outlives an upgrade, what it leads to may not.
fn as_on_path(running: PathBuf) -> PathBuf {
    let identity = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    let this = identity(&running);
    let entries = find_programs("agent-dispatch", std::env::var_os("PATH").as_deref());
    let found = entries.into_iter().find(|entry| this.is_some() && identity(entry) == this);
    found.unwrap_or(running)
}

fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format_args!("{} is not UTF-8, which the files of agent CLIs cannot hold", path.display()),
        )
    })
}
