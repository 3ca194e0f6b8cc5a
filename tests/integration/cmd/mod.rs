//! The commands, each by its name.

mod agents_add;
mod agents_list;
mod agents_show;
mod agents_update;
mod batch;
mod cancel;
mod completions;
mod dialogue;
mod doctor;
mod exit_codes;
mod gc;
mod groups;
mod hook;
mod init;
mod jobs;
mod logs;
mod resume;
mod retry;
mod run;
mod run_json;
mod stats;
mod status_and_result;
mod submit_and_wait;
mod terminal;
mod verbosity;
