//! Whether Claude Code is there, which one, whether it takes what it will be given, and as whom it works.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command_line::options;
use super::home::ClaudeHome;
use super::login::{Bills, Login};
use super::profile::{INSTALLATION, PROGRAM};
use crate::backend::{Check, Environment};
use crate::os::{ProbeError, ProgramError, ask, find_program, find_programs};
use crate::text::shell;

/// How long claude may take to say what it is. It takes 0.1 s, and some seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What can be said about Claude Code.
#[derive(Debug)]
struct Facts {
    /// Every `claude` that is found, the one that is used first.
    programs: Vec<PathBuf>,
    version: Result<String, ProbeError>,
    help: Result<String, ProbeError>,
}

/// Looks for claude in `path`, a value as of `PATH`, and asks it. It is `needed` if any agent is one.
pub(super) fn checks(path: Option<&OsStr>, needed: bool) -> Vec<Check> {
    let programs = programs(path);
    let Some(program) = programs.first() else {
        let why = find_program(PROGRAM, path, Path::new("/")).err();
        let found = format!("claude {}", why.as_ref().map_or_else(String::new, ToString::to_string));
        return vec![match (needed, why) {
            (true, Some(ProgramError::NotExecutable(file))) => {
                Check::error("claude-found", found).command(format!("chmod +x {}", shell::path(&file)))
            }
            (true, _) => Check::error("claude-found", found).command(INSTALLATION.command),
            (false, _) => Check::note("claude-found", format!("{found}; no agent needs it")),
        }];
    };
    let (version, help) = std::thread::scope(|scope| {
        let help = scope.spawn(|| ask(program, &["--help"], PATIENCE));
        let version = ask(program, &["--version"], PATIENCE);
        let help = help.join().unwrap_or_else(|_| Err(std::io::Error::other("the check failed").into()));
        (version, help)
    });
    judge(&Facts { programs, version, help })
}

/// Every `claude` on the `path`, each file once.
fn programs(path: Option<&OsStr>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let found = find_programs(PROGRAM, path);
    found
        .into_iter()
        .filter(|program| {
            let file = program.canonicalize().unwrap_or_else(|_| program.clone());
            let is_new = !files.contains(&file);
            files.push(file);
            is_new
        })
        .collect()
}

fn judge(facts: &Facts) -> Vec<Check> {
    let Some((program, others)) = facts.programs.split_first() else { return Vec::new() };
    let shown = program.display();
    let mut checks = Vec::new();
    match &facts.version {
        Err(error) => {
            let found = format!("{shown} --version: {error}");
            // What cannot say its version can do nothing else.
            return vec![Check::error("claude-version", found).command(INSTALLATION.command)];
        }
        Ok(version) => {
            let version = version.trim();
            let found = format!("claude {version}: {shown}");
            checks.push(match version.contains("Claude Code") {
                true => Check::ok("claude-version", found),
                false => {
                    let found = format!("{shown} calls itself '{version}', not Claude Code");
                    Check::warning("claude-version", found).command(INSTALLATION.command)
                }
            });
        }
    }
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|path| path.display().to_string()).collect();
        let found = format!("{shown} is used; further down PATH there is also {}", others.join(", "));
        checks.push(Check::note("claude-others", found));
    }
    checks.push(match &facts.help {
        Err(error) => Check::warning("claude-options", format!("{shown} --help: {error}"))
            .command(format!("{} --help", shell::path(program))),
        Ok(help) => {
            let missing = missing_options(help);
            if missing.is_empty() {
                Check::ok("claude-options", "it knows every option that a task can need")
            } else {
                let found = format!("this claude is too old: it does not know {}", missing.join(", "));
                Check::error("claude-options", found).command("claude update")
            }
        }
    });
    checks
}

/// The options that a task can need and the help does not list.
fn missing_options(help: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let listed: Vec<&str> = help.split(|c| !is_part(c)).collect();
    options().into_iter().filter(|option| !listed.contains(&option.as_str())).collect()
}

/// Whether anybody is logged in, as whom, and who pays. No question is asked of anybody.
pub(super) fn login(home: &ClaudeHome, environment: Environment<'_>, needed: bool) -> Vec<Check> {
    let mut checks: Vec<Check> =
        home.unreadable.iter().map(|(path, reason)| unreadable(path, reason)).collect();
    checks.push(match (home.login(environment), needed) {
        (Some(login), _) => logged_in(&login),
        (None, true) => Check::error("claude-login", not_logged_in(home)).command("claude auth login"),
        (None, false) => Check::note("claude-login", format!("{}; no agent needs it", not_logged_in(home))),
    });
    checks
}

fn not_logged_in(home: &ClaudeHome) -> String {
    let credentials = home.directory.join(".credentials.json");
    format!("no user is logged in: no key or token in the environment, no {}", credentials.display())
}

fn logged_in(login: &Login) -> Check {
    let source = &login.source;
    let found = match &login.bills {
        Bills::Subscription(None) => format!("logged in with a subscription, by {source}"),
        Bills::Subscription(Some(kind)) => format!("logged in with a subscription ({kind}), by {source}"),
        Bills::Provider(provider) => format!("{provider} is used and billed, by {source}"),
        Bills::Api => format!("logged in by {source}, which bills the API"),
    };
    // What is only a variable can be taken away.
    let is_variable = source.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    match login.passes_over_subscription {
        false => Check::ok("claude-login", found),
        true if is_variable => Check::note(
            "claude-login",
            format!("{found}; the subscription you are logged in with is not used"),
        )
        .command(format!("unset {}", shell::word(source))),
        true => Check::note(
            "claude-login",
            format!("{found}; the subscription you are logged in with is not used"),
        ),
    }
}

fn unreadable(path: &Path, reason: &str) -> Check {
    let found = format!("{} cannot be read: {reason}", path.display());
    Check::warning("claude-files", found).command(format!("${{EDITOR:-vi}} {}", shell::path(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cure, Level};

    fn facts(version: &str, help: &str) -> Facts {
        let programs = vec!["/bin/claude".into()];
        Facts { programs, version: Ok(version.to_owned()), help: Ok(help.to_owned()) }
    }

    fn judged(facts: &Facts) -> Vec<(&'static str, Level)> {
        judge(facts).iter().map(|check| (check.id, check.level)).collect()
    }

    #[test]
    fn a_claude_that_knows_every_option_is_fine() {
        let help = options().join(" <x>\n  ");
        let expected = [("claude-version", Level::Ok), ("claude-options", Level::Ok)];
        assert_eq!(judged(&facts("2.1.330 (Claude Code)\n", &help)), expected);
    }

    #[test]
    fn an_option_that_only_begins_alike_is_missing() {
        let help = options().join("\n").replace("--json-schema", "--json-schema-file");
        let found = judge(&facts("2.1.330 (Claude Code)", &help));
        assert_eq!(found[1].level, Level::Error);
        assert!(found[1].found.ends_with("it does not know --json-schema"), "{found:?}");
        assert_eq!(found[1].cure, Some(Cure::Command("claude update".to_owned())));
    }

    #[test]
    fn another_program_of_that_name_and_a_second_claude_are_told() {
        let mut facts = facts("cowsay 3", &options().join("\n"));
        facts.programs.push("/opt/claude".into());
        let expected = [
            ("claude-version", Level::Warning),
            ("claude-others", Level::Note),
            ("claude-options", Level::Ok),
        ];
        assert_eq!(judged(&facts), expected);
    }

    #[test]
    fn a_key_beside_a_subscription_is_taken_away_only_where_that_works() {
        let login = |source: &str| {
            let source = source.to_owned();
            logged_in(&Login { source, bills: Bills::Api, passes_over_subscription: true })
        };
        assert_eq!(
            login("ANTHROPIC_API_KEY").cure,
            Some(Cure::Command("unset ANTHROPIC_API_KEY".to_owned()))
        );
        assert_eq!(login("ANTHROPIC_API_KEY in /me/.claude/settings.json").cure, None);
    }
}
