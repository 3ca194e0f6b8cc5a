//! Jobs that begin while a caller watches.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use crate::model::JobId;
use crate::store::{Store, StoreError};

/// Two changes of a directory within this time may bear the same date.
const DATE_IS_COARSE: Duration = Duration::from_secs(1);

/// Tells whether there is anything new in the jobs directory, which costs the same however much is in it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// When it was changed last, as of the last look.
    seen: Option<SystemTime>,
    /// Whether that was so long before the look that another change would bear another date.
    is_settled: bool,
}

impl Changes {
    /// Whether the directory may have changed since this was last asked. A caller reads it after asking.
    pub(super) fn look(&mut self, store: &Store) -> bool {
        let modified = std::fs::metadata(store.path()).and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        let is_settled = age.is_some_and(|age| age > DATE_IS_COARSE);
        let is_new = modified.is_none() || modified != self.seen || is_settled && !self.is_settled;
        (self.seen, self.is_settled) = (modified, is_settled);
        is_new
    }
}

/// The jobs that run, and those that begin from now on: also what is over before anybody looks.
#[derive(Debug)]
pub struct NewJobs<'a> {
    store: &'a Store,
    changes: Changes,
    /// The jobs that were there before the last look. Not only the newest of them: where the clock is set back, what
    /// begins sorts before it.
    known: HashSet<JobId>,
}

impl<'a> NewJobs<'a> {
    /// Whatever is over now is none of them.
    pub fn new(store: &'a Store) -> Result<Self, StoreError> {
        let mut changes = Changes::default();
        changes.look(store);
        Ok(Self { store, changes, known: store.unordered_ids()?.into_iter().collect() })
    }

    /// The jobs that run, and all that have begun since the last look, in the order of their ids.
    pub fn look(&mut self) -> Result<BTreeSet<JobId>, StoreError> {
        let mut ids: BTreeSet<JobId> = self.store.unretired()?.into_iter().collect();
        if self.changes.look(self.store) {
            // Other versions are of jobs of the Python original, which cannot be followed.
            let ours = self.store.unordered_ids()?.into_iter().filter(|id| id.created_at_ms().is_some());
            ids.extend(ours.filter(|id| self.known.insert(*id)));
        }
        Ok(ids)
    }
}
