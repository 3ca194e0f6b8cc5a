//! `completions`: the script that lets a shell complete this tool's commands.
//!
//! The scripts hold nothing of the command line. They ask this program, at [`ENTRY`], with the words typed so far, and
//! it answers one candidate a line: the word, and after a tab what it is. So a script that was installed once also
//! knows the commands of later versions, and the agents, groups and jobs there are now.

mod candidates;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Args, Command, ValueEnum};

use super::{CommandResult, Context};
use crate::commands::Global;
use crate::config;
use crate::error::Exit;
use crate::text;
use crate::ui::{ColorChoice, Ui, Verbosity};

pub(crate) use candidates::{agents, groups, jobs, jobs_to_stop, jobs_to_wait_for, permission_modes};

/// The first argument of the scripts' questions; the words follow, from the program's name to the one that is to be
/// completed. Internal: not a command for people.
pub(crate) const ENTRY: &str = "__complete";

const EXAMPLES: &str = "\
Examples, for bash, zsh (after `compinit`) and fish:
  echo 'source <(agent-dispatch completions bash)' >> ~/.bashrc
  echo 'source <(agent-dispatch completions zsh)' >> ~/.zshrc
  agent-dispatch completions fish > ~/.config/fish/completions/agent-dispatch.fish";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// A shell that can be taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    #[value(name = "powershell", alias = "pwsh")]
    Pwsh,
}

impl Shell {
    /// What the shell is told.
    fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../../completions/agent-dispatch.bash"),
            Self::Zsh => include_str!("../../../completions/_agent-dispatch"),
            Self::Fish => include_str!("../../../completions/agent-dispatch.fish"),
            Self::Elvish => include_str!("../../../completions/agent-dispatch.elv"),
            Self::Pwsh => include_str!("../../../completions/agent-dispatch.ps1"),
        }
    }

    /// The user's shell, as far as it can be taught.
    pub(crate) fn of_the_user() -> Option<Self> {
        let shell = std::env::var_os("SHELL")?;
        Self::from_str(Path::new(&shell).file_name()?.to_str()?, false).ok()
    }

    /// How a user makes it complete from now on.
    pub(crate) fn instruction(self) -> &'static str {
        match self {
            Self::Bash => "echo 'source <(agent-dispatch completions bash)' >> ~/.bashrc",
            Self::Zsh => "echo 'source <(agent-dispatch completions zsh)' >> ~/.zshrc",
            Self::Fish => "agent-dispatch completions fish > ~/.config/fish/completions/agent-dispatch.fish",
            Self::Elvish => {
                "echo 'eval (agent-dispatch completions elvish | slurp)' >> ~/.config/elvish/rc.elv"
            }
            Self::Pwsh => {
                "'agent-dispatch completions powershell | Out-String | Invoke-Expression' >> $PROFILE"
            }
        }
    }
}

pub(crate) fn run(args: &CompletionsArgs, context: &Context) -> CommandResult {
    context.ui.data(args.shell.script())?;
    Ok(Exit::Success)
}

/// Answers a script's question. Nothing that goes wrong is said: it would land in the line that is being typed.
pub(crate) fn answer(mut words: Vec<OsString>, command: &mut Command) -> Exit {
    let Some(current) = words.last_mut() else { return Exit::Success };
    let home = in_home(current).and_then(|rest| Some((config::home_directory()?, rest)));
    if let Some((home, rest)) = &home {
        *current = home.join(rest).into_os_string();
    }
    let listed = names_before(current);
    let (is_empty, index) = (current.is_empty(), words.len() - 1);
    let directory = std::env::current_dir().ok();
    let Ok(found) = clap_complete::engine::complete(command, words, index, directory.as_deref()) else {
        return Exit::Success;
    };
    let is_option = |value: &OsStr| value.as_encoded_bytes().starts_with(b"-");
    // Who has typed nothing yet is not shown thirty options beside what is wanted.
    let has_values = found.iter().any(|candidate| !is_option(candidate.get_value()));
    let mut answer = String::new();
    for candidate in found {
        let value = candidate.get_value();
        let Some(mut value) = value.to_str().map(str::to_owned) else { continue };
        if text::plain(&value) != value || is_empty && has_values && is_option(value.as_ref()) {
            continue;
        }
        // A list names nothing twice.
        if value.rsplit_once(',').is_some_and(|(_, name)| listed.iter().any(|listed| listed == name)) {
            continue;
        }
        if let Some(rest) = home.as_ref().and_then(|(home, _)| value.strip_prefix(home.to_str()?)) {
            value = format!("~{rest}");
        }
        answer += &value;
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(help) = help.lines().next() {
            answer.push('\t');
            answer += &text::one_line(help, usize::MAX);
        }
        answer.push('\n');
    }
    if !answer.is_empty() {
        // A shell that went away needs no answer.
        let _ = Ui::new(ColorChoice::Never, Verbosity::Quiet).data(&answer);
    }
    Exit::Success
}

/// What follows `~/`, which no shell has expanded yet.
fn in_home(word: &OsStr) -> Option<String> {
    word.to_str()?.strip_prefix("~/").map(str::to_owned)
}

/// The names in a list, as in `--agents=infra,web,`, that come before the one that is being typed.
fn names_before(word: &OsStr) -> Vec<String> {
    let names = word.to_str().and_then(|word| word.rsplit_once(',')).map_or("", |(names, _)| names);
    names.split([',', '=']).map(str::to_owned).collect()
}

/// The places that the words typed so far name.
fn places(words: impl Iterator<Item = OsString>) -> Global {
    let mut global =
        Global { config: None, jobs_dir: None, color: ColorChoice::Never, quiet: true, verbose: 0 };
    let mut words = words.skip_while(|word| word != ENTRY);
    while let Some(word) = words.next() {
        let Some(word) = word.to_str() else { continue };
        let (option, attached) =
            word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let place = match option {
            "--config" => &mut global.config,
            "--jobs-dir" => &mut global.jobs_dir,
            _ => continue,
        };
        let Some(value) = attached.map(OsString::from).or_else(|| words.next()) else { break };
        let home = in_home(&value).and_then(|rest| Some(config::home_directory()?.join(rest)));
        *place = Some(home.unwrap_or_else(|| value.into()));
    }
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> (Option<String>, Option<String>) {
        let words = format!("agent-dispatch {ENTRY} {line}");
        let global = places(words.split(' ').map(OsString::from).collect::<Vec<_>>().into_iter());
        let text = |path: Option<std::path::PathBuf>| path.map(|path| path.display().to_string());
        (text(global.config), text(global.jobs_dir))
    }

    #[test]
    fn the_places_on_the_line_are_those_that_are_looked_at() {
        let both = (Some("a.yaml".to_owned()), Some("j".to_owned()));
        assert_eq!(of("agent-dispatch --config a.yaml --jobs-dir j run "), both);
        assert_eq!(of("agent-dispatch run x --config=a.yaml --jobs-dir=j "), both);
        assert_eq!(of("agent-dispatch run x --config"), (None, None));
        let home = config::home_directory().unwrap().join("a.yaml");
        assert_eq!(of("agent-dispatch --config ~/a.yaml").0, Some(home.display().to_string()));
    }
}
