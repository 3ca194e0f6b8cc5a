//! Tests of the tool with an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "mcp")]
mod advice;
mod after;
mod aftermath;
mod agent_process;
mod agents_add;
mod agents_list;
mod agents_show;
mod agents_update;
mod architecture;
mod bad_input;
mod bad_places;
mod batch;
mod cancel;
#[cfg(target_os = "linux")]
mod circles;
mod clock;
mod closed_directories;
mod completions;
mod config_edits;
mod config_errors;
mod config_original;
mod config_places;
mod crash;
mod dialogue;
mod dispatch;
mod doctor;
mod documents;
mod escapes;
mod examples;
mod exit_codes;
mod fake_agent;
mod fast_output;
mod faults;
mod first_process;
mod full_disk;
mod gc;
mod git_hooks;
mod groups;
#[cfg(feature = "mcp")]
mod help;
mod hook;
mod inherited_signals;
mod init;
mod interruption;
mod jobs_listing;
mod json_schema;
mod leftovers;
mod logs;
mod long_answers;
#[cfg(target_os = "linux")]
mod missing_system_calls;
mod mistyped_limits;
mod nesting;
mod nonblocking_pipes;
mod on_done;
mod other_records;
mod output_snapshots;
mod poison;
mod private_place;
mod program_lookup;
mod pull_request_review;
mod records_are_data;
mod resume;
mod retry;
mod run_answers;
mod run_json;
mod secrets;
mod sessions;
mod source;
mod status_and_result;
mod submit_and_wait;
mod suspended;
mod terminal;
mod traps;
mod trust;
mod turns;
mod unfinished;
mod usage;
mod verbose;
mod workflows;
