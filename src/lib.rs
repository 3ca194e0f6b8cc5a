//! agent-dispatch
pub mod backend;
pub mod os;
pub mod store;
