//! Listing jobs: the records that can be read, and what is wrong with the others.

use super::jobs::{Filter, Jobs, JobsError, Records};
use crate::store::Record;

/// How many records that cannot be read are named.
const UNREADABLE: usize = 10;

/// Jobs that are listed one after the other: however many there are, one record is in memory.
pub struct Listed<'a> {
    records: Records<'a>,
    /// What is wrong with records that could not be read so far: of many only the first.
    pub unreadable: Vec<JobsError>,
    /// How many more there are.
    pub more_unreadable: usize,
}

impl<'a> Listed<'a> {
    /// Lists the jobs that are asked for.
    pub fn new(jobs: &'a dyn Jobs, filter: &Filter<'a>) -> Result<Self, JobsError> {
        Ok(Self { records: jobs.list(filter)?, unreadable: Vec::new(), more_unreadable: 0 })
    }

    /// All of them.
    pub fn gather(mut self) -> Listing {
        let records = self.by_ref().collect();
        Listing { records, unreadable: self.unreadable, more_unreadable: self.more_unreadable }
    }
}

impl Iterator for Listed<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            match self.records.next()? {
                Ok(record) => return Some(record),
                Err(error) if self.unreadable.len() < UNREADABLE => self.unreadable.push(error),
                Err(_) => self.more_unreadable += 1,
            }
        }
    }
}

/// Jobs that were listed.
#[derive(Debug)]
pub struct Listing {
    /// Their records, newest first.
    pub records: Vec<Record>,
    /// What is wrong with records that cannot be read: of many only the first.
    pub unreadable: Vec<JobsError>,
    /// How many more there are.
    pub more_unreadable: usize,
}
