//! Tests of the tool with an agent that does what it is told: the folders say of what.

mod cmd;
mod config;
mod docs;
mod fake_agent;
mod jobs;
mod security;
mod small_backend;
mod source;
