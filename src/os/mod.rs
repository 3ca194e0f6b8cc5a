//! The operating system: owner-only files, locks, signals, processes and their trees.
//!
//! The only module with `unsafe` and the only one with platform code. It knows nothing of jobs or agents.
//!
//! What differs between platforms is how processes are looked at: `/proc` on Linux, the `ps` command
//! elsewhere. The `ps` way is compiled and tested on Linux too.

mod announce;
mod bell;
mod confined;
mod doomed;
mod file_error;
mod files;
mod footprint;
mod foreign;
mod groups;
mod host;
mod input;
mod lock;
mod memory;
mod orphans;
mod patient;
mod probe;
mod processes;
mod programs;
mod reading;
mod signals;
mod spawn;
mod tree;
mod trust;
mod users;
mod way;

pub use bell::Bell;
pub use confined::{Bounds, answer_confined, run_confined};
pub use doomed::DoomedGroup;
pub use file_error::{FileError, Refusal};
pub use files::{OwnedDir, anonymous_file, create_private_parents};
pub use footprint::{Footprint, Identity, kill_footprint, strays};
pub use foreign::{open_lock_file, open_log, open_log_to_read, replace_file, replace_file_keeping_mode};
pub use groups::{group_of, own_group, session_of};
pub use host::{FileSystem, file_system, overrule_umask, umask};
pub use input::read_within;
pub use lock::{LockError, call_when_unlocked, lock_within, readable_when_unlocked, wait_until_unlocked};
pub use memory::release_freed_memory;
pub use orphans::{bury_orphans, is_first_process};
pub use patient::Patient;
pub use probe::{Probe, ProbeError, ask, read_all};
pub use processes::{
    Description, Process, Program, ancestors, arguments, in_short_lived_namespace, is_suspended,
    living_children, look as process, own_program, processes_of_this_user, signal_process,
};
pub use programs::{ProgramError, absolute_entries, find_program, find_programs, relative_entries};
pub use reading::{read_beginning, read_whole};
pub use signals::{
    SignalWatch, is_ignored, reset_inherited_signals, wait_readable, wait_readable_while_read,
};
pub use spawn::{Detached, Exit, Spawned, adopt_descriptor, spawn_detached, spawn_owned, this_program};
pub use tree::{ProcessTree, Sweep, adopt_orphans, kill_marked};
pub use trust::{Exposure, Writers};
