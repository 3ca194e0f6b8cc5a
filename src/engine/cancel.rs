//! Stopping several jobs.

use super::jobs::{CancelError, Cancelled, Jobs, JobsError};
use crate::model::JobId;
use crate::store::{Record, Status, StoreError};

/// Asks a job and all that it led to to stop.
pub fn cancel_tree(jobs: &dyn Jobs, id: JobId) -> Result<(), CancelError> {
    let led_to = descendants(jobs, id)?;
    let asked = jobs.cancel(id);
    for id in led_to {
        // One that ends meanwhile needs no stopping.
        let _ = jobs.cancel(id);
    }
    asked.map(drop)
}

/// Asks all of them to stop: one that cannot be asked keeps none of the others from being asked.
///
/// # Errors
///
/// That of the first one that could not be asked.
pub fn cancel_all(
    ids: impl IntoIterator<Item = JobId>,
    mut cancel: impl FnMut(JobId) -> Result<(), CancelError>,
) -> Result<(), CancelError> {
    ids.into_iter().map(&mut cancel).fold(Ok(()), Result::and)
}

/// The jobs of this tool that are not finished, those that wait before those that run, which they would follow. Records
/// among them that cannot be read are told to `unreadable`, with what came of asking their jobs to stop all the same.
pub fn stoppable(
    jobs: &dyn Jobs,
    mut unreadable: impl FnMut(JobsError, Result<Cancelled, CancelError>),
) -> Result<Vec<JobId>, JobsError> {
    let (mut waiting, mut running) = (Vec::new(), Vec::new());
    for id in jobs.unfinished()? {
        match jobs.get(id) {
            Ok(record) if record.is_foreign() => {}
            Ok(record) => match record.status() {
                Status::Pending => waiting.push(id),
                Status::Running => running.push(id),
                Status::Done | Status::Failed | Status::Cancelled => {}
            },
            Err(JobsError::Store(StoreError::NoSuchJob(_))) => {}
            Err(error) => unreadable(error, jobs.cancel(id)),
        }
    }
    waiting.extend(running);
    Ok(waiting)
}

/// The living jobs that agents working on the job `id`, or on jobs it led to, have dispatched.
pub fn descendants(jobs: &dyn Jobs, id: JobId) -> Result<Vec<JobId>, JobsError> {
    let living: Vec<Record> = jobs.unfinished()?.into_iter().filter_map(|id| jobs.glance(id)).collect();
    let mut found = vec![id];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children =
            living.iter().filter(|record| record.launch.parent == Some(parent)).map(|record| record.id);
        let new: Vec<JobId> = children.filter(|id| !found.contains(id)).collect();
        found.extend(new);
        next += 1;
    }
    found.remove(0);
    Ok(found)
}
