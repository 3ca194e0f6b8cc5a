//! The program: the supervisor of a job, a check that may take too long, or the command line.

use std::process::ExitCode;

use agent_dispatch::{backend, os, supervisor};

fn main() -> ExitCode {
    os::reset_inherited_signals();
    os::overrule_umask();
    // Taken before the command line is parsed: these are started by this program, never typed.
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    if first == backend::CHECK_ENTRY {
        return backend::run_check();
    }
    backend::confine_checks();
    if first == supervisor::ENTRY {
        return supervisor::enter(arguments);
    }
    agent_dispatch::run()
}
