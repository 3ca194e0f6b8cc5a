//! Stopping a job from any process.

use crate::model::JobId;
use crate::store::{Record, Status, Store, StoreError};
use crate::supervisor::{self, load_and_recover};

/// What became of a request to stop a job.
#[derive(Debug)]
pub enum Cancelled {
    /// The request lies in the job's folder, and its supervisor has been told.
    Requested,
    /// The request could not be written, and its supervisor has been told by a signal.
    OnlyTold(StoreError),
    /// The job was over already.
    WasOver(Box<Record>),
}

/// Why a job was not asked to stop.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its owner does not take requests from here.
    #[error("job {id} belongs to {author}; only what started it can stop it")]
    Foreign {
        /// The job.
        id: JobId,
        /// What wrote its record.
        author: &'static str,
    },
}

/// Asks a job to stop. The request is durable: it also holds for a supervisor that no signal reaches. Where nothing
/// can be written, a signal to the supervisor has to do.
pub fn cancel(store: &Store, id: JobId) -> Result<Cancelled, CancelError> {
    let record = load_and_recover(store, id)?;
    if record.finished().is_some() {
        return Ok(Cancelled::WasOver(Box::new(record)));
    }
    if record.is_foreign() {
        return Err(CancelError::Foreign { id, author: record.author() });
    }
    Ok(request(store, id)?)
}

fn request(store: &Store, id: JobId) -> Result<Cancelled, StoreError> {
    match store.folder(id).and_then(|folder| Ok(folder.request_cancel()?)) {
        Ok(()) => {
            supervisor::wake(store, id);
            Ok(Cancelled::Requested)
        }
        Err(error) if supervisor::call_off(store, id) => Ok(Cancelled::OnlyTold(error)),
        Err(error) => Err(error),
    }
}

/// Asks a job and all that it led to to stop.
pub fn cancel_tree(store: &Store, id: JobId) -> Result<(), CancelError> {
    let led_to = descendants(store, id)?;
    let asked = cancel(store, id);
    for id in led_to {
        // One that ends meanwhile needs no stopping.
        let _ = cancel(store, id);
    }
    asked.map(drop)
}

/// The jobs of this tool that are not over, those that wait before those that run, which they would follow. Records
/// among them that cannot be read are told to `unreadable`, with what came of asking their jobs to stop all the same.
pub fn stoppable(
    store: &Store,
    mut unreadable: impl FnMut(StoreError, Result<Cancelled, StoreError>),
) -> Result<Vec<JobId>, StoreError> {
    let (mut waiting, mut running) = (Vec::new(), Vec::new());
    for id in store.unretired()? {
        match load_and_recover(store, id) {
            Ok(record) if record.is_foreign() => {}
            Ok(record) => match record.status() {
                Status::Pending => waiting.push(id),
                Status::Running => running.push(id),
                Status::Done | Status::Failed | Status::Cancelled => {}
            },
            Err(StoreError::NoSuchJob(_)) => {}
            Err(StoreError::Newer { path, format }) => {
                let left = StoreError::Newer { path: path.clone(), format: format.clone() };
                unreadable(left, Err(StoreError::Newer { path, format }));
            }
            Err(error) => unreadable(error, request(store, id)),
        }
    }
    waiting.extend(running);
    Ok(waiting)
}

/// The living jobs that agents working on the job `id`, or on jobs it led to, have dispatched.
pub fn descendants(store: &Store, id: JobId) -> Result<Vec<JobId>, StoreError> {
    let living: Vec<Record> = store.unretired()?.into_iter().filter_map(|id| store.read(id).ok()).collect();
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
