//! Tests of the tool with an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

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
mod clock;
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
mod faults;
mod full_disk;
mod gc;
mod git_hooks;
mod groups;
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
mod nesting;
mod nonblocking_pipes;
mod on_done;
mod output_snapshots;
mod pull_request_review;
mod records_are_data;
mod resume;
mod retry;
mod run_answers;
mod run_json;
mod source;
mod status_and_result;
mod submit_and_wait;
mod terminal;
mod traps;
mod turns;
mod usage;
mod verbose;
mod workflows;
