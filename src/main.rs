//! The program: the supervisor of a job, or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_dispatch::os::reset_inherited_signals();
    // Taken before the command line is parsed: a supervisor is started by this program, never typed.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == agent_dispatch::supervisor::ENTRY) {
        return agent_dispatch::supervisor::enter(arguments);
    }
    agent_dispatch::run()
}
