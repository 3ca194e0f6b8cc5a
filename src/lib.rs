//! agent-dispatch
mod os;
pub mod store;
