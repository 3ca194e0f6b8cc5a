//! `init`: a config, and this tool as a tool of agent CLIs.

mod invocation;
mod settings;
mod splice;

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};

use super::completions::Shell;
use super::{CommandResult, Context, Problem};
use crate::backend::{Backends, McpClient, Registered, ServerCommand, Surroundings};
use crate::config::{self, Config, Editor};
use crate::error::{Exit, Failure};
use invocation::Invocation;
use settings::Installation;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch init
  agent-dispatch init --with-hook
  agent-dispatch --config ~/team/agents.yaml init --no-register";

/// What the server is called, and with it its tools: `mcp__agent-dispatch__dispatch`.
const SERVER: &str = env!("CARGO_PKG_NAME");

/// The command that is the MCP server.
const SERVE: [&str; 1] = ["serve-mcp"];

/// The config that is created: everything in it is commented out.
const CONFIG: &str = include_str!("config.yaml");

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// Do not register the MCP server with Claude Code
    #[arg(long)]
    no_register: bool,
    /// Also put a hook into Claude Code's user settings that wakes its model when a dispatched job has finished
    #[arg(long)]
    with_hook: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InitArgs, context: &Context) -> CommandResult {
    let invocation = Invocation::of_this_process(context)?;
    let mut report = Report { context, as_json: args.json, steps: Map::new() };

    let (config, created) = config(context)?;
    let path = config.path.display();
    let (action, text) = if created {
        ("created", format!("created {path}"))
    } else {
        ("kept", format!("kept {path} as it is"))
    };
    report.step("config", json!({ "action": action, "path": config.path }), &text)?;
    clients(|clients| -> Result<(), Problem> {
        for client in clients.iter().filter(|_| !args.no_register) {
            register(&**client, &invocation, args, &mut report)?;
        }
        for settings in clients.iter().filter(|_| args.with_hook).filter_map(|client| client.hook_settings())
        {
            install_hook(&settings, &invocation, &mut report)?;
        }
        Ok(())
    })?;
    if let Some(shell) = Shell::of_the_user().filter(|_| !args.json) {
        context
            .ui
            .note(format_args!("to complete commands, agents and jobs with Tab: {}", shell.instruction()));
    }
    report.finish(&next(&config, &invocation))
}

/// The config, and whether it was created now.
fn config(context: &Context) -> Result<(Config, bool), Failure> {
    let path = context.config_path()?;
    let created = config::load(&path)?.is_missing && Editor::new(path).create(CONFIG)?;
    Ok((context.config()?, created))
}

/// The agent CLIs that this tool can be made known to.
fn clients<T>(visit: impl FnOnce(&[Box<dyn McpClient + '_>]) -> T) -> T {
    let (home, path) = (config::home_directory(), std::env::var_os("PATH"));
    let home = home.as_deref().unwrap_or(Path::new("/"));
    let environment = |name: &str| std::env::var_os(name);
    let surroundings = Surroundings { home, path: path.as_deref(), environment: &environment };
    visit(&Backends::of_this_program().mcp_clients(surroundings))
}

fn register(
    client: &dyn McpClient,
    invocation: &Invocation,
    args: &InitArgs,
    report: &mut Report<'_>,
) -> Result<(), Problem> {
    let title = client.title();
    let arguments = invocation.arguments(&SERVE);
    let server = ServerCommand { name: SERVER, program: &invocation.program, arguments: &arguments };
    let registered = client.register(&server)?;
    let (action, text) = match &registered {
        Registered::New => ("registered".to_owned(), format!("registered the MCP server with {title}")),
        Registered::Replaced { .. } => {
            ("replaced".to_owned(), format!("replaced the MCP server that {title} had under this name"))
        }
        Registered::Unchanged => {
            ("unchanged".to_owned(), format!("the MCP server is already registered with {title}"))
        }
        Registered::NotInstalled { program, .. } => (
            format!("no_{program}"),
            format!("did not register the MCP server, for there is no `{program}` on the PATH"),
        ),
    };
    let mut server = json!({
        "action": action, "name": SERVER, "command": invocation.program, "args": arguments,
    });
    let mut text = format!("{text}: {}", invocation.shell_command(&SERVE));
    if let Registered::Replaced { before } = &registered {
        text += &format!("\n  it was: {before}");
        server["replaced"] = before.as_str().into();
    }
    report.step("mcp_server", server, &text)?;
    if let Registered::NotInstalled { installation, .. } = registered {
        let again = invocation.typed(if args.with_hook { "init --with-hook" } else { "init" });
        report.context.ui.hint(&format!("{installation}, then `{again}`"));
    }
    Ok(())
}

fn install_hook(settings: &Path, invocation: &Invocation, report: &mut Report<'_>) -> Result<(), Problem> {
    let command = invocation.shell_command(&settings::COMMAND);
    let (action, text) = match settings::install(settings, &command)? {
        Installation::Installed => ("installed", "put the hook into"),
        Installation::Replaced => ("replaced", "gave the hook its new command in"),
        Installation::Unchanged => ("unchanged", "the hook is already in"),
    };
    let hook = json!({ "action": action, "path": settings, "command": command });
    report.step("hook", hook, &format!("{text} {}", settings.display()))
}

/// The two commands to type next.
fn next(config: &Config, invocation: &Invocation) -> [String; 2] {
    match config.agents.keys().next() {
        None => ["agents add NAME DIR", "run NAME \"…\""].map(|command| invocation.typed(command)),
        Some(agent) => [invocation.typed("agents list"), invocation.typed(&format!("run {agent} \"…\""))],
    }
}

/// What was done: told as it is done, or at the end as JSON.
struct Report<'a> {
    context: &'a Context,
    as_json: bool,
    steps: Map<String, Value>,
}

impl Report<'_> {
    fn step(&mut self, name: &str, value: Value, text: &str) -> Result<(), Problem> {
        self.steps.insert(name.to_owned(), value);
        if !self.as_json {
            self.context.ui.done(text)?;
        }
        Ok(())
    }

    fn finish(mut self, next: &[String]) -> CommandResult {
        if self.as_json {
            self.steps.insert("next".to_owned(), json!(next));
            self.context.ui.json(&self.steps)?;
        } else {
            self.context.ui.done(&format!("next:\n  {}", next.join("\n  ")))?;
        }
        Ok(Exit::Success)
    }
}
