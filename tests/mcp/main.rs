//! Tests of the MCP server: whole processes, real pipes, an agent that does what it is told.

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod cancelled;
mod clients;
mod concurrency;
mod dispatch;
mod exit;
mod jobs;
mod parallel;
mod progress;
mod protocol;
mod scene;
mod tasks;
mod tools;
