//! `doctor`: what is wrong, and the command that mends it.
//!
//! Each group of checks is a file: it turns facts into [`Finding`]s. Nothing is changed, except that a lost job is recorded as what
//! it is, and a check that cannot be made is a finding too. An agent CLI is asked for its version and its options, this tool's MCP server for its name; both
//! while the rest is looked at.

mod agents;
mod config_file;
mod environment;
mod examinations;
mod finding;
mod introduction;
mod jobs;
mod processes;
mod registration;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread::ScopedJoinHandle;

use clap::Args;

use super::{CommandResult, Context};
use crate::backend::{Backends, Surroundings};
use crate::config::{self, Config, ConfigError};
use crate::engine::CallerContext;
use crate::error::Exit;
use examinations::Examinations;
use finding::{Finding, Level, Section};

const HELP: &str = "\
It spends nothing, and changes nothing but this: a job whose supervisor has died is recorded as
lost, as every command that looks at it does.

Examples:
  agent-dispatch doctor
  agent-dispatch doctor --strict --json

Exit code: 0 if there is no error (with --strict: and no warning), else 1.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArgs {
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DoctorArgs, context: &Context) -> CommandResult {
    let findings = examine(context);
    let worst_allowed = if args.strict { Level::Note } else { Level::Warning };
    let is_fine = findings.iter().all(|finding| finding.level <= worst_allowed);
    if args.json {
        context.ui.json(&report::to_json(&findings, is_fine, context.ui.commands()))?;
    } else {
        context.ui.data(&report::to_text(&findings, context.ui, context.ui.is_quiet()))?;
    }
    Ok(if is_fine { Exit::Success } else { Exit::Failure })
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Makes every check.
fn examine(context: &Context) -> Vec<Finding> {
    let path = variable("PATH");
    let path = path.as_deref();
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let (config_path, loaded) = load(context);
    let config = loaded.as_ref().ok();
    let user =
        directories::BaseDirs::new().map_or_else(|| PathBuf::from("/"), |base| base.home_dir().to_owned());
    let surroundings = Surroundings { home: &user, path, environment: &variable };
    let examinations = Examinations::new(surroundings);
    let clients = Backends::of_this_program().mcp_clients(surroundings);

    // Before any check starts a process, which is none that anybody asks about.
    let jobs_and_processes = jobs_and_processes(context);
    std::thread::scope(|scope| {
        let programs = scope.spawn(|| examinations.findings(config));
        let server = scope.spawn(|| {
            let here = context
                .config_path()
                .and_then(|config| Ok(registration::Here { config, jobs: context.jobs_path()? }));
            let here = here.ok();
            registration::findings(&clients, &directory, path, here.as_ref())
        });
        let rest = scope.spawn(|| {
            let mut findings = config_file::findings(&config_path, &loaded);
            let context = agents::CallerContext { examinations: &examinations, path };
            findings.extend(agents::findings(config, &context));
            findings.extend(jobs_and_processes);
            let depth_limit = config.map(|config| config.settings.max_dispatch_depth);
            let caller_context = CallerContext::of_this_process();
            findings.extend(environment::findings(&examinations, &caller_context, depth_limit));
            findings
        });
        let mut findings = joined(programs, Section::AgentCli);
        findings.extend(joined(server, Section::Mcp));
        findings.extend(joined(rest, Section::Config));
        findings
    })
}

/// What a thread found.
fn joined(thread: ScopedJoinHandle<'_, Vec<Finding>>, section: Section) -> Vec<Finding> {
    thread.join().unwrap_or_else(|_| vec![section.warning("check", "these checks failed: an internal error")])
}

fn load(context: &Context) -> (PathBuf, Result<Config, ConfigError>) {
    match context.config_path() {
        Ok(path) => {
            // What others could have written is told about, not obeyed.
            let loaded = config::inspect(&path);
            (path, loaded)
        }
        // The only way there is no path.
        Err(_) => (PathBuf::from("agents.yaml"), Err(ConfigError::NoHome)),
    }
}

fn jobs_and_processes(context: &Context) -> Vec<Finding> {
    let path = match context.jobs_path() {
        Ok(path) => path,
        Err(failure) => return vec![Section::Jobs.error("jobs-directory", failure.message)],
    };
    let opened = jobs::open(&path, context);
    let mut findings = jobs::findings(&path, opened.as_ref(), context.now());
    let opened = opened.as_ref().and_then(|opened| opened.as_ref().ok());
    findings.extend(processes::findings(&path, opened));
    findings
}
