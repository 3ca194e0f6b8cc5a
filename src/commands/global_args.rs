//! The options that every command has.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};

use crate::ui::{ColorChoice, Verbosity};

/// Options that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    // The variables are read where the paths are made: empty ones count as unset there.
    /// The config file [env: AGENT_DISPATCH_CONFIG] [default: ~/.config/agent-dispatch/agents.yaml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The directory with the jobs [env: AGENT_DISPATCH_JOBS_DIR] [default: jobs/ beside the config file]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) jobs_dir: Option<PathBuf>,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,
    /// Say only what went wrong
    #[arg(long, short, global = true, overrides_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also say which config and jobs are used, and all that the agent does
    #[arg(long, short, global = true, action = ArgAction::Count, overrides_with = "quiet")]
    pub(crate) verbose: u8,
}

impl Global {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 1..) => Verbosity::Verbose,
            (false, 0) => Verbosity::Normal,
        }
    }
}
