//! Tests of the tool with an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

mod aftermath;
mod agent_process;
mod bad_input;
mod bad_places;
mod cancel;
mod crash;
mod dispatch;
mod escapes;
mod exit_codes;
mod fake_agent;
mod faults;
mod full_disk;
mod gc;
mod interruption;
mod jobs_listing;
mod json_schema;
mod leftovers;
mod logs;
mod nesting;
mod run_answers;
mod run_json;
mod status_and_result;
mod submit_and_wait;
mod traps;
mod turns;
