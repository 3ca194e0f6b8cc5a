//! agent-dispatch
pub mod config;
mod os;
pub mod store;
