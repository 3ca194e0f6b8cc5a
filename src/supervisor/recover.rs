//! Drawing the conclusion for a job whose supervisor is gone.

use std::time::Duration;

use super::job::{conclude_record, not_started, stopped_before_start};
use super::watch::{as_evidence, open_output};
use super::{JOB_VARIABLE, ancestry, place};
use crate::backend::{Backends, Evidence, Stop};
use crate::model::{JobId, now};
use crate::os;
use crate::store::{
    ErrorType, Halt, HeldJob, JobFolder, Journal, Record, RecordedLimit, Status, Store, StoreError,
};

/// How long the processes of a lost job are given to disappear.
const SWEEP_PATIENCE: Duration = Duration::from_secs(5);

/// How long an error that may pass is waited out when the agent's output is opened: a caller waits for the answer.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(1);

/// Reads the record of a job and, when it is neither over nor alive, ends what its agent left running and
/// records the loss first. An answer the agent had already given is recorded as the result.
///
/// Jobs of the Python original and of newer versions are left as they are: only their own programs know whether they live.
pub fn load_and_recover(store: &Store, id: JobId) -> Result<Record, StoreError> {
    let record = store.read(id)?;
    if record.is_foreign() {
        return Ok(record);
    }
    if record.finished().is_some() {
        // Only tidying up: where that is impossible, reading is not.
        if let Ok(Some(job)) = store.try_hold_leftover(id) {
            job.settle(&record, journal_for(store, &record));
        }
        return Ok(record);
    }
    let Some(job) = store.try_hold(id)? else { return Ok(record) };
    // The process that held the lock before may have finished the job since it was read.
    let mut record = match store.read(id) {
        Ok(record) if record.is_foreign() => return Ok(record),
        Ok(record) => record,
        // It may be readable another time: then the lock says that it has not finished.
        Err(error @ (StoreError::Unreadable { .. } | StoreError::Newer { .. })) => return Err(error),
        Err(error) => {
            job.release();
            return Err(error);
        }
    };
    if record.finished().is_some() {
        job.settle(&record, journal_for(store, &record));
        return Ok(record);
    }
    // The agent of a job that is pending was not started.
    if record.status() == Status::Running {
        if let Some(footprint) = job.footprint() {
            os::kill_footprint(&footprint, SWEEP_PATIENCE, ancestry::has_arguments_of_supervisor);
        }
        os::kill_marked(JOB_VARIABLE, &id.to_string(), SWEEP_PATIENCE, ancestry::is_supervisor);
    }
    let folder = job.folder()?;
    let output = open_output(&folder, OUTPUT_PATIENCE);
    let stdout = as_evidence(&output);
    let stop = stop_of(&job, &folder, &record);
    // After a power cut a record may be older than what the agent wrote.
    let was_started = record.status() != Status::Pending || !matches!(output, Ok(None));
    let result = if !was_started && stop != Stop::Lost {
        not_started(&record, ErrorType::Cancelled, stopped_before_start(stop))
    } else {
        let evidence =
            Evidence { folder: &folder, stdout, ending: None, stop: Some(stop), duration_ms: None };
        match Backends::of_this_program().program_of(&record) {
            Ok(program) => program.conclude(&record, &evidence),
            Err(unknown) => unknown.conclude(&record, &evidence),
        }
    };
    let _ = folder.remove_temporary();
    place::clear(&folder, id);
    let _ = store.leave_queue(id);
    conclude_record(&mut record, result, now());
    // A conclusion that cannot be written, on a full disk say, still holds: the agent's output is there, and
    // the next process that looks draws it again.
    let _ = job.finish(&record, journal_for(store, &record));
    Ok(record)
}

/// Where the end of a job is noted by a process that finds it without its supervisor.
fn journal_for<'a>(store: &'a Store, record: &Record) -> Option<&'a Journal> {
    // The turns of a dialogue are noted, each for itself.
    store.journal().filter(|_| !record.is_dialogue())
}

/// Why a job has ended whose supervisor is gone: what made the supervisor stop it, or lay there for it as a request,
/// comes before the supervisor's own end.
fn stop_of(job: &HeldJob<'_>, folder: &JobFolder, record: &Record) -> Stop {
    if folder.is_cancel_requested() {
        return Stop::Cancelled;
    }
    let limit = |limit: &Option<RecordedLimit>| limit.as_ref().and_then(RecordedLimit::number);
    match job.halt() {
        Some(Halt::Cancelled) => Stop::Cancelled,
        Some(Halt::OwnerGone) => Stop::OwnerGone,
        Some(Halt::SupervisorStopped) => Stop::SupervisorStopped,
        Some(Halt::Timeout) => limit(&record.launch.timeout_seconds)
            .map_or(Stop::Lost, |limit_seconds| Stop::Timeout { limit_seconds, usual: None }),
        Some(Halt::Silence) => limit(&record.launch.idle_timeout_seconds)
            .map_or(Stop::Lost, |limit_seconds| Stop::Idle { limit_seconds }),
        Some(Halt::OutputLimit { bytes }) => Stop::OutputLimit { limit_bytes: bytes },
        None => Stop::Lost,
    }
}
