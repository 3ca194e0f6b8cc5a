//! The launch specification: parameters that the submitter passes to the supervisor outside of the record.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::admission_rules::AdmissionRules;
use crate::config::Vouched;
use crate::model::JobId;
use crate::store::{Journal, Launch};

/// How to start the agent. It travels in a nameless file: not on the command line, which anybody can read,
/// and not in the record, which outlives its use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// What the record says about the start. It counts as it is here: a record lies where others may write.
    pub launch: Launch,
    /// The agent's program and its arguments.
    pub argv: Vec<OsString>,
    /// Environment variables the agent gets in addition.
    pub environment: Vec<(String, OsString)>,
    /// What the job needs to itself.
    pub rules: AdmissionRules,
    /// The job whose agent waits for this one: its slot can be used meanwhile.
    pub parent_waits: Option<JobId>,
    /// How many agents may run at once.
    pub max_concurrency: u32,
    /// The config, whose newer word on that counts.
    pub config: OsString,
    /// The journal in which the end is noted, if it is.
    pub usage_log: Option<OsString>,
    /// The caller's umask, which the agent gets, where it is known.
    pub umask: Option<u32>,
    /// How much the agent may write to standard output and standard error together, in bytes.
    pub output_limit_bytes: u64,
    /// The program to run when the outcome is recorded, and its arguments; nothing if there is none.
    pub on_done: Vec<OsString>,
    /// How long it may take, in milliseconds.
    pub on_done_limit_ms: u64,
}

/// The usage journal at this path. It is not touched when another user owns it or can write to it, unless the user
/// vouches for it.
pub fn journal_at(path: PathBuf) -> Journal {
    let is_vouched_for = Vouched::by_this_process().covers(&path);
    let journal = Journal::at(path);
    if is_vouched_for { journal.vouched_for() } else { journal }
}

impl LaunchSpec {
    /// The journal in which the end is noted, if it is.
    pub(super) fn journal(&self) -> Option<Journal> {
        self.usage_log.as_ref().map(|path| journal_at(path.into()))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always serialise")
    }

    pub(super) fn read(mut file: File) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}
