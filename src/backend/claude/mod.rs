//! Claude Code: `claude -p`.

mod command_line;
mod prompt;

pub use command_line::command_line;
pub use prompt::safe_prompt;
