//! What is printed and shipped: README, help, man pages, examples, workflows.

mod examples;
mod git_hooks;
#[cfg(feature = "mcp")]
mod help;
mod prose;
mod pull_request_review;
mod readme;
mod snapshots;
mod workflows;
