//! Telling the supervisors of other jobs from everything else an agent has started.

use std::path::Path;

use rustix::process::Pid;

use super::ENTRY;
use super::job::WAKE;
use crate::os::{self, Process};
use crate::store::{JobId, Liveness, Record, Store};

/// The job that `process` supervises, if it is a supervisor whose job is alive.
///
/// Its command line says which job; the job's lock says that it lives, and in whose hands.
pub(super) fn supervised_job(process: &Process) -> Option<(JobId, Store)> {
    use std::os::unix::ffi::OsStrExt;
    let arguments = os::arguments(process.pid);
    let [_, entry, jobs, id, ..] = arguments.as_slice() else { return None };
    if entry != ENTRY.as_bytes() {
        return None;
    }
    let id: JobId = std::str::from_utf8(id).ok()?.parse().ok()?;
    let jobs = Path::new(std::ffi::OsStr::from_bytes(jobs));
    // Only looks at a directory that exists: opening would create it.
    if !jobs.is_dir() {
        return None;
    }
    let store = Store::open(jobs).ok()?;
    let alive = store.liveness(id).ok()? == Liveness::Alive;
    (alive && store.supervisor_pid(id)? == process.pid.as_raw_pid()).then_some((id, store))
}

/// Whether `process` looks after another job, which is not this one's to end.
pub(super) fn is_supervisor(process: &Process) -> bool {
    supervised_job(process).is_some()
}

/// Makes the supervisor of a job look for a request to stop. It would find one without, a little later.
pub fn wake(store: &Store, id: JobId) {
    let Some(pid) = store.supervisor_pid(id).and_then(Pid::from_raw) else { return };
    let is_its_supervisor = |process: &Process| supervised_job(process).is_some_and(|(other, _)| other == id);
    os::signal_process(pid, WAKE, is_its_supervisor);
}

/// The job that this process works on: the one whose supervisor is nearest among its ancestors.
///
/// An agent cannot shake it off by clearing its environment, by `setsid` or by a double fork: the supervisor
/// adopts its orphans.
pub fn enclosing_job() -> Option<Record> {
    let (id, store) = os::ancestors().iter().find_map(supervised_job)?;
    store.read(id).ok()
}

/// Whether `ancestor` is among the jobs that led to the one of `record`.
pub(super) fn is_ancestor(store: &Store, ancestor: JobId, record: &Record) -> bool {
    let mut next = record.launch.parent;
    // Longer than any chain the depth limit allows; a damaged record could make a circle.
    for _ in 0..64 {
        match next {
            Some(parent) if parent == ancestor => return true,
            Some(parent) => next = store.read(parent).ok().and_then(|record| record.launch.parent),
            None => return false,
        }
    }
    false
}
