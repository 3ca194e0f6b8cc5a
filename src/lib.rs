//! agent-dispatch
pub mod backend;
pub mod config;
pub mod os;
pub mod store;
