//! Deleting jobs that have finished, and what crashes left behind.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crate::model::{JobId, UnixSeconds};
use crate::store::{Candidate, Leftovers, Plan, Policy, Store, StoreError, plan};
use crate::supervisor::load_and_recover;

/// Files without an owner are kept this long, in seconds: another process may be about to rename or report them.
const LEFTOVER_AGE_SECONDS: f64 = 3_600.0;

/// What a collection deletes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collection {
    /// Which jobs go, and how many stay.
    pub jobs: Plan,
    /// How many stay because a newer version wrote their records, or because these cannot be read.
    pub not_ours: usize,
    /// Which files without an owner go.
    pub leftovers: Leftovers,
}

/// Decides what to delete at the time `now`, without deleting anything.
pub fn collectable(store: &Store, policy: Policy, now: UnixSeconds) -> Result<Collection, StoreError> {
    // Jobs that were lost become jobs that have finished.
    for id in store.active_ids()? {
        // A job that cannot be looked at keeps its lock, and counts as one that has not finished.
        let _ = load_and_recover(store, id);
    }
    // Every job of this tool that has not finished has a lock, now that the lost ones have finished.
    let unfinished: HashSet<JobId> = store.active_ids()?.into_iter().collect();
    let mut candidates = Vec::new();
    for id in store.ids()? {
        let created = id.created_at_ms().map(|millis| millis as f64 / 1_000.0);
        let completed_at = match (created, policy) {
            (Some(_), _) if unfinished.contains(&id) => None,
            // A job created too recently cannot have ended too long ago.
            (Some(created), Policy::OlderThan(age)) if now - created <= age.as_secs_f64() => Some(now),
            (Some(created), Policy::All) => Some(created),
            (Some(_), Policy::OlderThan(_)) => store.recorded_at(id)?,
            (None, _) => match store.glance(id) {
                Some(record) => completed_at(&record, now),
                None => continue,
            },
        };
        candidates.push(Candidate { id, completed_at });
    }
    let leftovers = leftovers(store, now)?;
    let mut jobs = plan(candidates, policy, now);
    let old = jobs.delete.len();
    jobs.delete.retain(|id| store.is_ours(*id));
    let not_ours = old - jobs.delete.len();
    Ok(Collection { jobs, not_ours, leftovers })
}

/// The files without an owner that are old enough.
pub(super) fn leftovers(store: &Store, now: UnixSeconds) -> Result<Leftovers, StoreError> {
    store.leftovers(|modified_at| now - modified_at > LEFTOVER_AGE_SECONDS)
}

/// How often old jobs are deleted without anybody asking, in seconds.
const EVERY_SECONDS: f64 = 86_400.0;

/// How many jobs are deleted at once then: few enough not to be noticed.
const AT_MOST: usize = 200;

/// Deletes jobs that ended longer than `retention` before `now`, if that was not done for a day: the oldest, and only
/// so many that it takes no time to speak of. Where there are more, the next call goes on. Jobs of the Python original
/// stay.
pub(super) fn collect_by_itself(
    store: &Store,
    retention: Duration,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    if !store.begin_collection(now - EVERY_SECONDS)? {
        return Ok(());
    }
    let unfinished: HashSet<JobId> = store.active_ids()?.into_iter().collect();
    let age = retention.as_secs_f64();
    let mut deleted = 0;
    for id in store.ids()?.into_iter().rev() {
        let Some(created) = id.created_at_ms().map(|millis| millis as f64 / 1_000.0) else { continue };
        // All that follow were created later, and ended later than that.
        if now - created <= age {
            break;
        }
        if unfinished.contains(&id) || store.recorded_at(id)?.is_none_or(|ended| now - ended <= age) {
            continue;
        }
        if deleted == AT_MOST {
            return store.leave_collection_unfinished();
        }
        match store.delete(id) {
            Ok(()) => deleted += 1,
            Err(error) if error.is_of_one_job() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// When a job ended. A job of the Python original that has not ended within a day belongs to a server that
/// died: nothing else would ever end it.
fn completed_at(record: &crate::store::Record, now: UnixSeconds) -> Option<UnixSeconds> {
    const ABANDONED_AFTER_SECONDS: f64 = 86_400.0;
    match record.finished() {
        Some(finished) => Some(finished.completed_at),
        None if record.is_foreign() && now - record.created_at > ABANDONED_AFTER_SECONDS => {
            Some(record.created_at)
        }
        None => None,
    }
}

/// How many threads delete at once.
const THREADS: usize = 8;

/// Deletes what was decided on. A job that came alive meanwhile stays.
pub fn collect(store: &Store, collection: &Collection) -> Result<(), StoreError> {
    let alive: HashSet<JobId> = store.active_ids()?.into_iter().collect();
    let delete: Vec<JobId> =
        collection.jobs.delete.iter().filter(|id| !alive.contains(id)).copied().collect();
    // Most of the time goes by in the kernel, and half of that in waiting for the disk.
    let share = delete.len().div_ceil(THREADS).max(1);
    let delete_one = |id: &JobId| match store.delete(*id) {
        Err(error) if !error.is_of_one_job() => Err(error),
        _ => Ok(()),
    };
    let delete_all = |ids: &[JobId]| ids.iter().try_for_each(delete_one);
    std::thread::scope(|scope| {
        let threads: Vec<_> = delete.chunks(share).map(|ids| scope.spawn(move || delete_all(ids))).collect();
        let ended =
            |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        threads.into_iter().try_for_each(ended)
    })?;
    store.remove_leftovers(&collection.leftovers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, UNIX_EPOCH};

    const DAY: f64 = 86_400.0;
    const NOW: f64 = 2_000_000_000.0;

    #[test]
    fn a_backlog_of_old_jobs_goes_in_portions_the_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        // All were made in 2023; which is the older one is in the last digits.
        let ended = UNIX_EPOCH + Duration::from_secs_f64(NOW - 8.0 * DAY);
        for number in 0..AT_MOST + 5 {
            let path = store.path().join(format!("018bcfe5680070008000{number:012x}.json"));
            File::create(path).and_then(|file| file.set_modified(ended)).unwrap();
        }
        let week = Duration::from_secs(7 * 86_400);
        collect_by_itself(&store, week * 2, NOW).unwrap();
        assert_eq!(store.ids().unwrap().len(), AT_MOST + 5);
        store.leave_collection_unfinished().unwrap();
        collect_by_itself(&store, week, NOW).unwrap();
        let left = store.ids().unwrap();
        assert_eq!(left.len(), 5);
        assert!(left[4].to_string().ends_with(&format!("{AT_MOST:x}")));
        // There was more: the next one goes on at once.
        collect_by_itself(&store, week, NOW).unwrap();
        assert!(store.ids().unwrap().is_empty());
    }
}
