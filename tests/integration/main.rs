//! Tests of the tool with an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

mod escapes;
mod fake_agent;
mod leftovers;
mod nesting;
mod turns;
