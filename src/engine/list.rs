//! Listing jobs: the newest, or those that are not over.

use crate::model::JobId;
use crate::store::{Record, Status, Store, StoreError};
use crate::supervisor::load_and_recover;

/// Listing jobs.
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
    gathered(each(store, status, wanted, limit)?)
}

/// The same for those who may know of no other jobs: others are only glanced at, so that none is recovered or moved
/// aside in their name.
pub fn list_only(
    store: &Store,
    status: Option<Status>,
    wanted: impl Fn(&str) -> bool,
    limit: usize,
) -> Result<Listing, StoreError> {
    gathered(Listed { leaves_others: true, ..each(store, status, wanted, limit)? })
}

fn gathered<F: Fn(&str) -> bool>(mut listed: Listed<'_, F>) -> Result<Listing, StoreError> {
    let records = listed.by_ref().collect();
    Ok(Listing { records, unreadable: listed.unreadable, more_unreadable: listed.more_unreadable })
}

/// The same one after the other: however many there are, one record is in memory.
pub fn each<F: Fn(&str) -> bool>(
    store: &Store,
    status: Option<Status>,
    wanted: F,
    limit: usize,
) -> Result<Listed<'_, F>, StoreError> {
    // What is not over has a lock, so nothing else needs to be read for it.
    let ids: Vec<JobId> = match status {
        Some(Status::Pending | Status::Running) => store.unretired()?.into_iter().rev().collect(),
        _ => store.ids()?,
    };
    let ids = ids.into_iter();
    Ok(Listed {
        store,
        status,
        wanted,
        leaves_others: false,
        ids,
        left: limit,
        unreadable: Vec::new(),
        more_unreadable: 0,
    })
}

/// The records of jobs as they are read.
#[derive(Debug)]
pub struct Listed<'a, F> {
    store: &'a Store,
    status: Option<Status>,
    wanted: F,
    /// Whether jobs that are not wanted, and those of which that cannot be told, are left as they are.
    leaves_others: bool,
    ids: std::vec::IntoIter<JobId>,
    left: usize,
    /// What is wrong with records that could not be read so far: of many only the first.
    pub unreadable: Vec<StoreError>,
    /// How many more there are.
    pub more_unreadable: usize,
}

impl<F: Fn(&str) -> bool> Iterator for Listed<'_, F> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.left > 0 {
            let id = self.ids.next()?;
            let is_wanted = || self.store.glance(id).is_some_and(|record| (self.wanted)(&record.agent));
            if self.leaves_others && !is_wanted() {
                continue;
            }
            match load_and_recover(self.store, id) {
                Ok(record) => {
                    if (self.wanted)(&record.agent)
                        && self.status.is_none_or(|status| status == record.status())
                    {
                        self.left -= 1;
                        return Some(record);
                    }
                }
                // Collected since the directory was read.
                Err(StoreError::NoSuchJob(_)) => {}
                // Whatever it is, it hides none of the others.
                Err(error) if self.unreadable.len() < UNREADABLE => self.unreadable.push(error),
                Err(_) => self.more_unreadable += 1,
            }
        }
        None
    }
}
