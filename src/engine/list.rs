//! Listing jobs: the newest, or those that are not over.

use crate::store::{JobId, Record, Status, Store, StoreError};
use crate::supervisor::recover;

/// The jobs that somebody wants to see.
#[derive(Debug)]
pub struct Listing {
    /// Their records, newest first.
    pub records: Vec<Record>,
    /// Records that nobody can read.
    pub damaged: Vec<StoreError>,
}

/// Lists at most `limit` jobs, newest first: those with this status, if one is given, and of agents that are `wanted`.
pub fn list(
    store: &Store,
    status: Option<Status>,
    wanted: impl Fn(&str) -> bool,
    limit: usize,
) -> Result<Listing, StoreError> {
    // What is not over has a lock, so nothing else needs to be read for it.
    let ids: Vec<JobId> = match status {
        Some(Status::Pending | Status::Running) => store.unretired()?.into_iter().rev().collect(),
        _ => store.ids()?,
    };
    let mut listing = Listing { records: Vec::new(), damaged: Vec::new() };
    for id in ids {
        if listing.records.len() == limit {
            break;
        }
        match recover(store, id) {
            Ok(record) => {
                if wanted(&record.agent) && status.is_none_or(|status| status == record.status()) {
                    listing.records.push(record);
                }
            }
            Err(error @ StoreError::Damaged { .. }) => listing.damaged.push(error),
            // Collected since the directory was read.
            Err(StoreError::NoSuchJob(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(listing)
}
