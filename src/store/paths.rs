//! The names inside the jobs directory. Nothing else builds one.
//!
//! ```text
//! jobs/                       0700
//!   <id>.json                 0600  the record
//!   <id>/                     0700  the job's working files
//!     stdout.jsonl            0600  what the agent wrote to standard output
//!     stderr.log              0600  its standard error, and the supervisor's
//!     answer                  0600  an answer too long for the record
//!     tree                    0600  one byte for each job that this one, the first of a chain, led to
//!     tmp/                    0700  what the agent CLI keeps while it runs: its sockets, its tools' outputs
//!     cancel                  0600  there when a caller asked to stop the job
//!   <id>.damaged              0600  a record that cannot be read, moved aside
//!   .run/                     0700
//!     <id>.lock               0600  locked while the job lives; holds its supervisor's notes
//!     admission               0600  locked while a job is submitted
//!     queue/<id>              0600  locked while the job waits for a slot
//!     slots/<number>          0600  locked while an agent runs
//!     collected               0600  written when old jobs were last deleted by themselves
//!     claims/<what>           0600  locked while a job has a session or directory to itself
//! ```

use crate::model::JobId;

pub(super) const RUN: &str = ".run";
pub(super) const STDOUT: &str = "stdout.jsonl";
pub(super) const STDERR: &str = "stderr.log";
pub(super) const ANSWER: &str = "answer";
pub(super) const TREE: &str = "tree";
pub(super) const CANCEL: &str = "cancel";
pub(super) const COLLECTED: &str = "collected";

/// What is in most jobs' folders, and nothing else as a rule.
pub(super) const USUAL: &[&str] = &[STDOUT, STDERR];

const RECORD_SUFFIX: &str = ".json";
const DAMAGED_SUFFIX: &str = ".damaged";
const LOCK_SUFFIX: &str = ".lock";

pub(super) fn record(id: JobId) -> String {
    format!("{id}{RECORD_SUFFIX}")
}

pub(super) fn damaged(id: JobId) -> String {
    format!("{id}{DAMAGED_SUFFIX}")
}

pub(super) fn lock(id: JobId) -> String {
    format!("{id}{LOCK_SUFFIX}")
}

/// The job whose record has this name.
pub(super) fn id_of_record(name: &str) -> Option<JobId> {
    name.strip_suffix(RECORD_SUFFIX)?.parse().ok()
}

/// The job whose damaged record has this name.
pub(super) fn id_of_damaged(name: &str) -> Option<JobId> {
    name.strip_suffix(DAMAGED_SUFFIX)?.parse().ok()
}

/// The job whose lock has this name.
pub(super) fn id_of_lock(name: &str) -> Option<JobId> {
    name.strip_suffix(LOCK_SUFFIX)?.parse().ok()
}
