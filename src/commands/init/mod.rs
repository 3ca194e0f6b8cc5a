//! `init`: a config, and this tool as Claude Code's tool.

mod claude_code;
mod invocation;
mod settings;
mod splice;

use clap::Args;
use serde_json::{Map, Value, json};

use super::completions::Shell;
use super::{CommandResult, Context, Problem};
use crate::config::{self, Config, Editor};
use crate::error::{Exit, Failure};
use claude_code::{Places, Registration};
use invocation::Invocation;
use settings::Installation;

const EXAMPLES: &str = "\
Examples:
  agent-dispatch init
  agent-dispatch init --with-hook
  agent-dispatch --config ~/team/agents.yaml init --no-register";

/// The config that is created: everything in it is commented out.
const CONFIG: &str = include_str!("config.yaml");

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// Do not register the MCP server with Claude Code
    #[arg(long)]
    no_register: bool,
    /// Also put a hook into Claude Code's user settings that wakes its model when a dispatched job is over
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
    if !args.no_register {
        register(&invocation, args, &mut report)?;
    }
    if args.with_hook {
        install_hook(&invocation, &mut report)?;
    }
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

fn register(invocation: &Invocation, args: &InitArgs, report: &mut Report<'_>) -> Result<(), Problem> {
    let registration = claude_code::register(&Places::of_this_process()?, invocation)?;
    let is_without_claude = registration == Registration::NoClaude;
    let replaced = match &registration {
        Registration::Replaced(before) => Some(claude_code::command_of(before)),
        _ => None,
    };
    let (action, text) = match registration {
        Registration::Registered => ("registered", "registered the MCP server with Claude Code"),
        Registration::Replaced(_) => {
            ("replaced", "replaced the MCP server that Claude Code had under this name")
        }
        Registration::Unchanged => ("unchanged", "the MCP server is already registered with Claude Code"),
        Registration::NoClaude => {
            ("no_claude", "did not register the MCP server, for there is no `claude` on the PATH")
        }
    };
    let mut server = json!({
        "action": action, "name": claude_code::SERVER, "command": invocation.program,
        "args": invocation.arguments(&claude_code::SERVE),
    });
    let mut text = format!("{text}: {}", invocation.shell_command(&claude_code::SERVE));
    if let Some(replaced) = replaced {
        text += &format!("\n  it was: {replaced}");
        server["replaced"] = replaced.into();
    }
    report.step("mcp_server", server, &text)?;
    if is_without_claude {
        let again = invocation.typed(if args.with_hook { "init --with-hook" } else { "init" });
        report.context.ui.hint(&format!(
            "install Claude Code: `npm install -g @anthropic-ai/claude-code`, then `claude` to log in, then `{again}`"
        ));
    }
    Ok(())
}

fn install_hook(invocation: &Invocation, report: &mut Report<'_>) -> Result<(), Problem> {
    let path = Places::of_this_process()?.settings;
    let command = invocation.shell_command(&settings::COMMAND);
    let (action, text) = match settings::install(&path, &command)? {
        Installation::Installed => ("installed", "put the hook into"),
        Installation::Replaced => ("replaced", "gave the hook its new command in"),
        Installation::Unchanged => ("unchanged", "the hook is already in"),
    };
    let hook = json!({ "action": action, "path": path, "command": command });
    report.step("hook", hook, &format!("{text} {}", path.display()))
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
