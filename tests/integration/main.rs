//! Tests of the tool with an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

mod agents_add;
mod agents_list;
mod agents_show;
mod agents_update;
mod architecture;
mod config_edits;
mod config_errors;
mod config_original;
mod config_places;
mod fake_agent;
mod leftovers;
mod source;
