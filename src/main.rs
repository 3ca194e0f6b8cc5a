//! The program: the supervisor of a job, a check that may take too long, or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_dispatch::os::reset_inherited_signals();
    agent_dispatch::os::overrule_umask();
    // Taken before the command line is parsed: these are started by this program, never typed.
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    if first == agent_dispatch::backend::CHECK_ENTRY {
        return agent_dispatch::backend::run_check();
    }
    agent_dispatch::backend::confine_checks();
    if first == agent_dispatch::supervisor::ENTRY {
        return agent_dispatch::supervisor::enter(arguments);
    }
    agent_dispatch::run()
}
