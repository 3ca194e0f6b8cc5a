//! The operating system: owner-only files, locks, processes and their trees.
//!
//! The only module with `unsafe` and the only one with platform code. It knows nothing of jobs or agents.

mod files;
mod foreign;
mod lock;

pub use files::{FileError, OwnedDir, create_private_parents, replace_file};
pub use foreign::{open_lock_file, read_beginning};
pub use lock::{LockError, lock_within};
