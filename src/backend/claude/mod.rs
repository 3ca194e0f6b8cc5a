//! Claude Code: `claude -p`.

mod causes;
mod command_line;
mod finder;
mod home;
mod large;
mod login;
mod prompt;
mod sessions;
mod stream;
mod surrogates;
mod tasks;
mod tool_summary;
mod transcript;
mod verdict;

use crate::backend::EventReader;

pub(in crate::backend) use causes::is_account_limit;
pub(in crate::backend) use command_line::command_line;
pub use command_line::options;
pub use home::{ClaudeHome, Registration, Scope};
pub use login::{Bills, Login};
pub use prompt::safe_prompt;
pub use sessions::{is_kept, transcripts};
pub(in crate::backend) use verdict::conclude;

/// A reader of its output from byte `offset` on that gives events of at most `limit` bytes whole.
pub(in crate::backend) fn reader(offset: u64, limit: usize) -> EventReader {
    EventReader::new(stream::Decoder::new(limit), offset, limit)
}
