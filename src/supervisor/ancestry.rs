//! Process ancestry: which supervisors are above a process, and which processes are supervisors of other jobs.

use std::path::Path;

use rustix::process::{Pid, Signal};

use super::ENTRY;
use crate::model::JobId;
use crate::os::{self, Process};
use crate::store::{Liveness, Record, Store};

/// The signal that says "look for a request to stop". Its default is to be ignored: should it ever reach
/// another process, nothing happens.
pub(super) const WAKE: Signal = Signal::URG;

/// The signal that is itself a request to stop the job, for when none can be written down. Its default, too, is to be
/// ignored, and the size of a terminal's window is no concern of a process that has none.
pub(super) const CALL_OFF: Signal = Signal::WINCH;

/// The job that `process` supervises, if it is a supervisor whose job is alive.
///
/// Its command line says which job; the job's lock says that it lives, and in whose hands.
pub(super) fn supervised_job(process: &Process) -> Option<(JobId, Store)> {
    let (id, store) = named_job(process)?;
    let alive = store.liveness(id).ok()? == Liveness::Alive;
    (alive && store.supervisor_pid(id)? == process.pid.as_raw_pid()).then_some((id, store))
}

/// The job that `process` has supervised, if it is a supervisor whose job is finished.
pub(super) fn finished_job(process: &Process) -> Option<JobId> {
    let (id, store) = named_job(process)?;
    store.glance(id)?.finished().map(|_| id)
}

/// The job that the command line of a supervisor names.
fn named_job(process: &Process) -> Option<(JobId, Store)> {
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
    Some((id, Store::open(jobs).ok()?))
}

/// Whether `process` was started as the supervisor of a job, which may have begun or ended just now.
pub(super) fn has_arguments_of_supervisor(process: &Process) -> bool {
    os::arguments(process.pid).get(1).is_some_and(|entry| entry == ENTRY.as_bytes())
}

/// Whether `process` looks after another job, which is not this one's to end.
pub(super) fn is_supervisor(process: &Process) -> bool {
    supervised_job(process).is_some()
}

/// Makes the supervisor of a job look for a request to stop, also one that was stopped (SIGSTOP). Any other would find
/// the request without, a little later.
pub fn wake(store: &Store, id: JobId) {
    send(store, id, WAKE);
}

/// Asks the supervisor of a job to stop it, by the signal alone. Returns whether that reached it.
pub fn call_off(store: &Store, id: JobId) -> bool {
    send(store, id, CALL_OFF)
}

fn send(store: &Store, id: JobId, signal: Signal) -> bool {
    let Some(pid) = store.supervisor_pid(id).and_then(Pid::from_raw) else { return false };
    let is_its_supervisor = |process: &Process| supervises(store, id, process);
    let sent = os::signal_process(pid, signal, is_its_supervisor);
    if sent {
        os::signal_process(pid, Signal::CONT, is_its_supervisor);
    }
    sent
}

/// The supervisor of a living job, when it does not run because it was stopped (SIGSTOP) or frozen: nothing looks
/// after the job until it goes on.
pub fn suspended_supervisor(store: &Store, id: JobId) -> Option<i32> {
    let pid = store.supervisor_pid(id).filter(|pid| os::is_suspended(*pid))?;
    let process = os::process(Pid::from_raw(pid)?)?;
    supervises(store, id, &process).then_some(pid)
}

/// Whether `process` looks after the job `id` of this store, whatever the name by which it knows the jobs directory.
fn supervises(store: &Store, id: JobId, process: &Process) -> bool {
    let arguments = os::arguments(process.pid);
    let [_, entry, _, job, ..] = arguments.as_slice() else { return false };
    entry == ENTRY.as_bytes()
        && *job == id.to_string().into_bytes()
        && store.liveness(id).is_ok_and(|liveness| liveness == Liveness::Alive)
        && store.supervisor_pid(id) == Some(process.pid.as_raw_pid())
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
