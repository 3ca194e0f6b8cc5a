//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_dispatch::run()
}
