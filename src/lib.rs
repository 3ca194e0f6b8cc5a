//! Hand tasks to coding agents that live in other project directories.
//!
//! Every dispatch is a durable job, owned by a small detached supervisor; everything else only starts jobs and
//! follows them. There is one engine and one path, and no daemon.
//!
//! ```text
//! shell · CI · git hook      MCP clients
//!          │                     │
//!     commands ── ui            mcp
//!          └─────► engine ◄──────┘   request → job id;  job id → events → outcome
//!          │            writes the record, starts
//!     supervisor        one process a job: runs the agent, enforces time, requests to stop and
//!          │            the process tree, records the outcome
//!   ┌──────┼──────┐
//! backend store config  what to execute and how to read it · jobs on disk · agents.yaml
//!   └──────┼──────┘
//!          os           process trees, locks, owner-only files
//!                       text: what a person may see of texts that others wrote
//!                       model: names, limits, money: values without input and output
//! ```
//!
//! A newcomer's way in: [`engine::Dispatch::submit`] turns a request into a job, [`supervisor::enter`] runs it,
//! [`engine::WaitLoop`] waits for it from anywhere. The two faces, `commands` and `mcp`, see jobs only as
//! [`engine::Jobs`]: where these are is decided in one place each.
//!
//! # Invariants
//!
//! 1. `mcp` is the only module that knows MCP; [`ui`] the only one that writes to the terminal (a stray line would
//!    corrupt an MCP stream); [`os`] the only one with `unsafe`.
//! 2. A job's record is durable before its agent starts; a paid answer is not lost while the disk can hold it.
//! 3. Alive means: the job's lock is held. Pids are never liveness.
//! 4. Only the supervisor, or the process that holds the dead job's lock to recover it, writes a record's status. A final
//!    status stays.
//! 5. Nothing the agent started is left running after its job is over, except other jobs.
//! 6. The agent's standard input carries the prompt and ends; its outputs are files; no other descriptor of
//!    the caller's reaches it.
//! 7. A value that came from a caller is validated before it is part of a path or a command line.
//! 8. Time enters as a parameter below [`engine`], so tests set it.
//! 9. Every number a person or a program reads carries its unit in its name or type.

#[cfg(not(unix))]
compile_error!("agent-dispatch needs a Unix system (Linux or macOS); on Windows, use it inside WSL");

use std::process::ExitCode;

use crate::backend::Backends;

pub mod backend;
mod cli;
mod commands;
pub mod config;
pub mod engine;
pub mod error;
#[cfg(feature = "mcp")]
mod mcp;
pub mod model;
pub mod os;
pub mod remedy;
pub mod store;
pub mod supervisor;
pub mod text;
pub mod ui;

/// The command line, as `clap` knows it: what help, man pages and completions are made of.
pub fn command() -> clap::Command {
    <cli::Cli as clap::CommandFactory>::command()
}

/// Runs this process, with the backends that agent-dispatch has.
pub fn run() -> ExitCode {
    run_with(Backends::BUILT_IN)
}

/// Runs this process, with these backends: a program that has more of them is this call and nothing else.
///
/// This program starts itself as the supervisor of a job and for checks that may take too long; a shell starts it for
/// completions. All of that begins here, so that each of these processes has the same backends.
pub fn run_with(backends: Backends) -> ExitCode {
    os::reset_inherited_signals();
    os::overrule_umask();
    backends.declare();
    // Looked at before the command line is parsed: these words are never typed.
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    if first == backend::CHECK_ENTRY {
        return backend::run_check();
    }
    backend::confine_checks();
    if first == supervisor::ENTRY {
        return supervisor::enter(arguments);
    }
    if first == commands::completions::ENTRY {
        return commands::completions::answer(arguments.collect(), &mut command()).into();
    }
    cli::Cli::of_this_process().run().into()
}
