//! agent-dispatch
pub mod os;
pub mod store;
