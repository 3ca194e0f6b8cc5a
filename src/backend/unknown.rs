//! Backends that a config or a record names and this program does not have.

use super::evidence::{Evidence, Stop};
use super::failure::{Failure, blank, stopped};
use crate::model::Remedy;
use crate::store::{ErrorType, JobResult, Record};

/// A backend that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{name}' is not a backend of this agent-dispatch, which has {}; a newer version may have it",
    known.join(", ")
)]
pub struct UnknownBackend {
    /// Its name.
    pub name: String,
    /// Those that there are.
    pub known: Vec<&'static str>,
}

impl UnknownBackend {
    /// What is left of a run that only another version could read: its end is recorded, and nothing is said about its
    /// answer.
    pub fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        let mut result = blank(record, evidence);
        let mut failure = match evidence.stop {
            Some(stop) => stopped(stop, record, None),
            None => Failure::new(ErrorType::Incomplete, "the agent ended"),
        };
        failure.error.push_str(&format!("; what it wrote cannot be read: {self}"));
        if evidence.stop.is_none_or(|stop| stop == Stop::Lost) {
            failure = failure.remedy(Remedy::ReadOutput { job_id: record.id });
        }
        failure.tell(&mut result);
        result
    }
}
