//! What holds for every job: turns, limits, ends, what its agent gets and what it leaves.

mod agent_process;
mod closed_directories;
mod dependencies;
mod first_process;
mod foreign_records;
mod full_disk;
mod inherited_signals;
mod interruption;
mod long_answers;
mod misleading_output;
mod nesting;
mod nonblocking_pipes;
#[cfg(target_os = "linux")]
mod old_kernels;
mod on_done;
mod output_limit;
mod private_place;
mod process_tree;
mod program_lookup;
mod queue;
mod recovery;
mod refusals;
mod response_schema;
mod sessions;
mod suspended_supervisor;
mod system_call_faults;
mod unfinished_work;
mod unknown_backend;
mod unusable_directories;
mod wall_clock;
