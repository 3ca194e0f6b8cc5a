//! What a supervisor is told beyond the job's record.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;

use serde::{Deserialize, Serialize};

/// How to start the agent. It travels in a nameless file: not on the command line, which anybody can read,
/// and not in the record, which outlives its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The agent's program and its arguments.
    pub argv: Vec<OsString>,
    /// How long to wait between asking the agent to end and killing it, in milliseconds.
    pub grace_ms: u64,
}

impl Order {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always serialise")
    }

    pub(super) fn read(mut file: File) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}
