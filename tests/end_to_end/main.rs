//! Tests against the real claude, which talks to an API on the loopback and to nothing else.

#[path = "../support/mod.rs"]
mod support;

mod real_claude;
