//! Tests of the MCP server: whole processes, real pipes, an agent that does what it is told.

mod authority;
mod cancelled;
mod clients;
mod concurrency;
mod dialogue;
mod dispatch;
mod door;
mod exit;
mod jobs;
mod nested;
mod orphans;
mod parallel;
mod progress;
mod protocol;
mod scene;
mod scope;
mod tasks;
mod tools;
