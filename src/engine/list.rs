//! Listing jobs: the newest, or those that are not over.

use crate::store::{JobId, Record, Status, Store, StoreError};
use crate::supervisor::recover;

/// The jobs that somebody wants to see.
#[derive(Debug)]
pub struct Listing {
    /// Their records, newest first.
    pub records: Vec<Record>,
    /// What is wrong with records that cannot be read: of many only the first.
    pub unreadable: Vec<StoreError>,
    /// How many more there are.
    pub more_unreadable: usize,
}

/// How many records that cannot be read are named.
const UNREADABLE: usize = 10;

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
    let mut listing = Listing { records: Vec::new(), unreadable: Vec::new(), more_unreadable: 0 };
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
            // Collected since the directory was read.
            Err(StoreError::NoSuchJob(_)) => {}
            // Whatever it is, it hides none of the others.
            Err(error) if listing.unreadable.len() < UNREADABLE => listing.unreadable.push(error),
            Err(_) => listing.more_unreadable += 1,
        }
    }
    Ok(listing)
}
