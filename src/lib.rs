//! Hand tasks to coding agents that live in other project directories.
//!
//! Every dispatch is a durable job, owned by a small detached supervisor; everything else only starts jobs and
//! follows them. There is one engine and one path, and no daemon.
//!
//! This is the library of one program, public for its tests, benches and programs with [one more backend](run_with). It is
//! not a stable API.
//!
//! ```text
//! shell · CI · git hook          MCP clients
//!          │                         │
//!         cli                        │       the command line; which command runs
//!          │                         │
//!      commands ── ui               mcp      one file a command; the tools; only ui writes to the terminal
//!          │                         │       both see `dyn Jobs`, `dyn Dispatch`, and types of config and store
//!          └───────► engine ◄────────┘       request → job id;  job id → events → outcome
//!                      │                     writes the record, starts
//!                  supervisor                one process a job: runs the agent, enforces time, requests to stop and
//!                      │                     the process tree, records the outcome
//!      ┌───────────────┼───────┐
//!   config ────────► backend   │             agents.yaml · the list of agent CLIs: how to start and read each
//!      │               └────► store          jobs on disk; a backend sees records and results only
//!      └───────────────┼───────┘
//!                      os                    process trees, locks, owner-only files
//!                text · model                what a person may see of texts that others wrote · names, limits, money,
//!                                            remedies: values without input and output
//! ```
//!
//! `error` makes one failure, with an exit code, of those of every layer, and `remedy` a command of what would help.
//! The test `source::architecture` has the table of what may name what, and `source::circles` finds circles.
//!
//! # The way in
//!
//! Follow one job. [`engine::Dispatch::submit`] turns a request into a job: `engine/prepare.rs` refuses what cannot work, and
//! `engine/dispatch.rs` writes the record and starts a supervisor. [`supervisor::enter`] is its `main`: `supervisor/job.rs` waits
//! for the job's turn, starts the agent, waits for it or for a reason to stop it, and records the outcome. The agent's
//! [`backend::Backend`] says what to start, reads the output as events, and draws the conclusion. [`engine::WaitLoop`] waits for
//! a job from anywhere. The two faces, `commands` and `mcp`, see jobs only as [`engine::Jobs`]: where these are is decided in
//! one place each.
//!
//! | to add | touch |
//! |---|---|
//! | an agent CLI | a folder in `backend/`, a line in `backend/registry.rs` |
//! | a key of an agent | a row in `config/agent.rs`, and the place that obeys it |
//! | a setting | a row in `config/settings.rs`, and the place that obeys it |
//! | an option of a run | a row in `engine/request.rs`, an option in `commands/request.rs`, and the place that obeys it |
//! | a command | a file in `commands/`, a variant in `cli.rs` |
//! | an MCP tool | a row in `mcp/tool.rs`, its arguments in `mcp/inputs.rs`, a line in `mcp/server.rs` |
//! | an advice to the user | a variant in `model/remedy.rs`, its words in `remedy.rs` and `mcp/remedy.rs` |
//! | a place where jobs run | an implementation of [`engine::Jobs`] and [`engine::Dispatch`] |
//!
//! `CONTRIBUTING.md` shows them as worked examples.
//!
//! # Invariants
//!
//! 1. `mcp` is the only module that knows MCP; [`ui`] the only one that writes to the terminal (a stray line would
//!    corrupt an MCP stream); [`os`] the only one with `unsafe`. What is known of an agent CLI stands in its folder in
//!    [`backend`]; its name stands there and in the list, and elsewhere only where the test `source::backends` says why.
//! 2. A job's record is durable before its agent starts; a paid answer is not lost while the disk can hold it.
//! 3. Alive means: the job's lock is held. Pids are never liveness.
//! 4. Only the supervisor, or the process that holds the dead job's lock to recover it, writes a record's status. A final
//!    status stays.
//! 5. Nothing the agent started is left running after its job has finished, except other jobs.
//! 6. The agent's standard input carries the prompt and ends; its outputs are files; no other descriptor of
//!    the caller's reaches it.
//! 7. A value that came from a caller is validated before it is part of a path or a command line.
//! 8. Time enters as a parameter below [`engine`], so tests set it.
//! 9. Every number a person or a program reads carries its unit in its name or type.
//! 10. What is known of a run after it is only what was observed: a job is a success because its output showed it, and a cost
//!     that was not seen is unknown, never zero. A spend cap holds for one run, and the agent CLI enforces it: nothing here
//!     reserves money before it can be spent.
//! 11. A backend that this program does not know is an error that says so, never another one. A record of a newer format
//!     is shown as far as it is understood, and never changed.

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
