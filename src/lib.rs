//! agent-dispatch
pub mod backend;
mod os;
pub mod store;
