//! The MCP server: whether agent CLIs know it, whether what it knows is this program, and whether it answers.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::finding::{Finding, Fix, Section};
use super::introduction::{self, ServerInfo};
use crate::backend::{McpClient, Registration, Scope};
use crate::commands::Places;
use crate::os::{ProbeError, find_program};

const SECTION: Section = Section::Mcp;

/// The server's default name.
const NAME: &str = env!("CARGO_PKG_NAME");

/// How long a server may take to introduce itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a registration leads to.
struct Facts<'a> {
    /// The agent CLI that has it.
    client: &'a dyn McpClient,
    registration: Registration,
    target: Target,
}

/// What this look is about.
#[derive(Debug)]
pub(super) struct Here {
    pub(super) config: PathBuf,
    pub(super) jobs: PathBuf,
}

#[derive(Debug)]
enum Target {
    /// No program: a server that is reached in another way.
    Elsewhere,
    /// It cannot be told without expanding variables as the client does.
    Unexpanded,
    /// The program is not there or cannot be executed.
    Missing,
    /// It would not be started as an MCP server.
    NoServer,
    /// Another program of a project's own choosing, which is not started here.
    Untrusted(PathBuf),
    /// This tool.
    Server { program: PathBuf, is_this: bool, info: Result<ServerInfo, ProbeError> },
}

/// Looks at the registrations that hold in `directory`, and starts this tool's own server for a moment.
pub(super) fn findings(
    clients: &[Box<dyn McpClient + '_>],
    directory: &Path,
    path: Option<&OsStr>,
    here: Option<&Here>,
) -> Vec<Finding> {
    if !cfg!(feature = "mcp") {
        let found = "this agent-dispatch was built without its MCP server";
        return vec![SECTION.note("mcp-server", found).fix("cargo install --path . --locked")];
    }
    let this = std::env::current_exe().ok();
    let of = |client: &'_ dyn McpClient| -> Vec<Finding> {
        let registrations = client.servers(directory).into_iter().filter(is_ours);
        let facts: Vec<Facts<'_>> = registrations
            .map(|registration| {
                let target = target(&registration, this.as_deref(), directory, path);
                Facts { client, registration, target }
            })
            .collect();
        let mut findings: Vec<Finding> = facts.iter().flat_map(judge).collect();
        if let Some(here) = here {
            findings.extend(facts.iter().filter_map(|facts| elsewhere(facts, here)));
        }
        findings
    };
    let mut findings: Vec<Finding> = clients.iter().flat_map(|client| of(&**client)).collect();
    if findings.is_empty() {
        findings.extend(clients.iter().map(|client| unregistered(&**client)));
        findings.extend(this.as_ref().map(|program| {
            let info = introduce(program, "serve-mcp");
            answers(program, &info, Fix::own(["serve-mcp", "--help"]))
        }));
    }
    findings
}

/// That an agent CLI does not know this tool.
fn unregistered(client: &dyn McpClient) -> Finding {
    let (title, file) = (client.title(), client.file().display());
    if !client.is_readable() {
        let found = format!("whether {title} knows it is unknown: {file} cannot be read");
        return SECTION.note("mcp-registered", found);
    }
    let found =
        format!("not registered with {title}: {file} and the .mcp.json of this directory do not name it");
    SECTION.note("mcp-registered", found).fix(Fix::own(["init"]))
}

fn is_ours(registration: &Registration) -> bool {
    let program = Path::new(&registration.command).file_name();
    registration.name == NAME || program == Some(OsStr::new(NAME))
}

fn target(
    registration: &Registration,
    this: Option<&Path>,
    directory: &Path,
    path: Option<&OsStr>,
) -> Target {
    let command = &registration.command;
    if command.is_empty() {
        return Target::Elsewhere;
    }
    if command.contains("${") {
        return Target::Unexpanded;
    }
    let Ok(program) = find_program(command, path, directory) else { return Target::Missing };
    let Some(verb) = verb(&registration.arguments) else { return Target::NoServer };
    let real = program.canonicalize().ok();
    let same_file = |this: &&Path| real.is_some() && this.canonicalize().ok() == real;
    let this = this.filter(same_file);
    let is_named_so = program.file_name() == Some(OsStr::new(NAME));
    // A project's file is not trusted: what it names is started only when it is this very program.
    if this.is_none() && (registration.scope == Scope::Project || !is_named_so) {
        return Target::Untrusted(program);
    }
    let info = introduce(this.unwrap_or(&program), verb);
    Target::Server { is_this: this.is_some(), program, info }
}

/// The command that makes a server of this tool, if that is what these arguments ask for.
fn verb(arguments: &[String]) -> Option<&'static str> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "serve-mcp" => return Some("serve-mcp"),
            // What the Python original calls it.
            "serve" => return Some("serve"),
            "--config" | "--jobs-dir" | "--color" => drop(words.next()),
            option if option.starts_with('-') => {}
            _ => return None,
        }
    }
    None
}

/// Starts a server. It is given nothing of what its registration says: arguments and variables can make the same
/// program do other things, and not all registrations are the user's own.
fn introduce(program: &Path, verb: &str) -> Result<ServerInfo, ProbeError> {
    // A server opens its jobs directory as it begins, and would make one where there is none.
    let mut server = Command::new(program);
    server.arg(verb).env("AGENT_DISPATCH_JOBS_DIR", "/dev/null");
    introduction::introduce(server, PATIENCE)
}

/// That a server has a config or jobs of its own.
fn elsewhere(facts: &Facts<'_>, here: &Here) -> Option<Finding> {
    let Facts { registration, target: Target::Server { .. }, .. } = facts else { return None };
    let Registration { arguments, environment, scope, path, name, .. } = registration;
    // A client puts variables into arguments, and this does not.
    if arguments.iter().chain(environment.iter().map(|(_, value)| value)).any(|word| word.contains("${")) {
        return None;
    }
    let option = |option: &str| {
        let value =
            |word: &String| word.strip_prefix(option).map(|rest| rest.strip_prefix('=').map(str::to_owned));
        let at = arguments.iter().position(|word| word == option || value(word).flatten().is_some())?;
        value(&arguments[at])?.or_else(|| arguments.get(at + 1).cloned()).map(PathBuf::from)
    };
    let places = Places { config: option("--config"), jobs_dir: option("--jobs-dir") };
    // What its registration does not say it has from its client, which is started from a shell like this one.
    let variable = |name: &str| {
        let own = environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.into());
        own.or_else(|| std::env::var_os(name))
    };
    let (config, jobs) = (places.config_path(variable).ok()?, places.jobs_path(variable).ok()?);
    let is_same = |one: &Path, other: &Path| {
        one == other || one.canonicalize().is_ok_and(|one| Some(one) == other.canonicalize().ok())
    };
    let (what, theirs, ours) = if !is_same(&config, &here.config) {
        ("config", &config, &here.config)
    } else if !is_same(&jobs, &here.jobs) {
        ("jobs directory", &jobs, &here.jobs)
    } else {
        return None;
    };
    let found = format!(
        "'{name}' in {} ({} scope) serves the {what} {}, and this is a look at {}",
        path.display(),
        scope.name(),
        theirs.display(),
        ours.display()
    );
    Some(SECTION.note("mcp-places", found).fix(again(facts)))
}

/// The command that registers the server anew.
fn again(facts: &Facts<'_>) -> Fix {
    Fix::from(facts.client.removal(&facts.registration)).then(["init"])
}

fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Registration { scope, path, name, command, .. } = &facts.registration;
    let place = format!("'{name}' in {} ({} scope)", path.display(), scope.name());
    let again = again(facts);
    match &facts.target {
        Target::Elsewhere => {
            vec![SECTION.note("mcp-command", format!("{place} starts no program: not looked at"))]
        }
        Target::Unexpanded => {
            vec![SECTION.note("mcp-command", format!("{place} runs {command}: not looked at"))]
        }
        Target::Missing => {
            let found = format!("{place} runs {command}, which is not there or cannot be executed");
            vec![SECTION.error("mcp-command", found).fix(again)]
        }
        Target::NoServer => {
            let found = format!("{place} runs {command} without 'serve-mcp'");
            vec![SECTION.error("mcp-command", found).fix(again)]
        }
        Target::Untrusted(program) => {
            let found = format!("{place} runs {}, another program: not started here", program.display());
            vec![SECTION.note("mcp-command", found)]
        }
        Target::Server { program, is_this, info } => {
            let mut findings =
                vec![SECTION.ok("mcp-registered", format!("{place} runs {}", program.display()))];
            if !is_this {
                let is_other = |info: &ServerInfo| info.version != env!("CARGO_PKG_VERSION");
                let found = format!("{} is not the agent-dispatch that runs now", program.display());
                findings.push(match info {
                    Ok(info) if is_other(info) => {
                        let this = env!("CARGO_PKG_VERSION");
                        let found = format!("{found}: it is version {}, this is {this}", info.version);
                        SECTION.warning("mcp-binary", found).fix(again.clone())
                    }
                    _ => SECTION.note("mcp-binary", found).fix(again.clone()),
                });
            }
            findings.push(answers(program, info, again));
            findings
        }
    }
}

fn answers(program: &Path, info: &Result<ServerInfo, ProbeError>, fix: Fix) -> Finding {
    match info {
        Ok(ServerInfo { name, version }) => {
            SECTION.ok("mcp-server", format!("the MCP server answers: {name} {version}"))
        }
        Err(error) => {
            let found = format!("the MCP server {}: {error}", program.display());
            SECTION.error("mcp-server", found).fix(fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backends, Surroundings};
    use crate::commands::doctor::finding::Level;
    use crate::remedy::Commands;

    fn registration(command: &str, arguments: &[&str], scope: Scope) -> Registration {
        Registration {
            scope,
            path: "/me/.claude.json".into(),
            name: NAME.to_owned(),
            command: command.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: Vec::new(),
        }
    }

    /// What is found about a registration with Claude Code.
    fn judged(registration: Registration, target: Target) -> Vec<Finding> {
        let surroundings = Surroundings { home: Path::new("/nowhere"), path: None, environment: &|_| None };
        let clients = Backends::BUILT_IN.mcp_clients(surroundings);
        judge(&Facts { client: &*clients[0], registration, target })
    }

    fn target_of(registration: &Registration) -> Target {
        target(registration, None, Path::new("/"), Some(OsStr::new("/bin:/usr/bin")))
    }

    #[test]
    fn what_is_not_this_tool_is_never_started() {
        let user = |command, arguments| target_of(&registration(command, arguments, Scope::User));
        assert!(matches!(user("", &[]), Target::Elsewhere));
        assert!(matches!(user("${BIN}/agent-dispatch", &["serve"]), Target::Unexpanded));
        assert!(matches!(user("/missing/agent-dispatch", &["serve-mcp"]), Target::Missing));
        assert!(matches!(user("sh", &["run"]), Target::NoServer));
        assert!(matches!(user("sh", &["run", "api", "serve-mcp"]), Target::NoServer));
        assert!(matches!(user("sh", &["--config", "serve-mcp", "gc", "--all"]), Target::NoServer));
        assert!(matches!(user("sh", &["--config", "a.yaml", "-q", "serve"]), Target::Untrusted(_)));
        assert!(matches!(user("sh", &["serve-mcp"]), Target::Untrusted(_)));
        let directory = tempfile::tempdir().unwrap();
        let planted = directory.path().join(NAME);
        std::os::unix::fs::symlink("/bin/sh", &planted).unwrap();
        let planted = registration(planted.to_str().unwrap(), &["serve-mcp"], Scope::Project);
        assert!(matches!(target_of(&planted), Target::Untrusted(_)));
    }

    #[test]
    fn an_older_server_is_a_warning_and_a_broken_one_an_error() {
        let levels = |is_this, info| {
            let target = Target::Server { program: "/opt/agent-dispatch".into(), is_this, info };
            judged(registration("x", &["serve-mcp"], Scope::User), target)
                .into_iter()
                .map(|finding| (finding.id, finding.level))
                .collect::<Vec<_>>()
        };
        let info = |version: &str| Ok(ServerInfo { name: NAME.to_owned(), version: version.to_owned() });
        let registered = ("mcp-registered", Level::Ok);
        let fine = ("mcp-server", Level::Ok);
        assert_eq!(levels(true, info("0.0.1")), [registered, fine]);
        assert_eq!(levels(false, info("0.0.1")), [registered, ("mcp-binary", Level::Warning), fine]);
        let same = info(env!("CARGO_PKG_VERSION"));
        assert_eq!(levels(false, same), [registered, ("mcp-binary", Level::Note), fine]);
        let silent = Err(ProbeError::Silent(PATIENCE));
        assert_eq!(levels(true, silent), [registered, ("mcp-server", Level::Error)]);
    }

    #[test]
    fn the_fix_names_the_scope() {
        let fix = judged(registration("/x", &[], Scope::Local), Target::Missing)
            .remove(0)
            .fix
            .unwrap()
            .typed(Commands::default());
        assert_eq!(fix, "claude mcp remove agent-dispatch -s local && agent-dispatch init");
    }
}
