//! Claude Code: `claude -p`.

mod causes;
mod command_line;
mod finder;
mod home;
mod large;
mod login;
mod prompt;
mod sessions;
pub(in crate::backend) mod stream;
mod surrogates;
mod tasks;
mod tool_summary;
mod transcript;
mod verdict;

pub(in crate::backend) use causes::is_account_limit;
pub(in crate::backend) use command_line::command_line;
pub use command_line::options;
pub use home::{ClaudeHome, Registration, Scope};
pub use login::{Bills, Login};
pub use prompt::safe_prompt;
pub use sessions::{is_kept, transcripts};
pub(in crate::backend) use verdict::conclude;
