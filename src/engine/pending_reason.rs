//! Why a job is still pending.

use crate::supervisor::suspended_supervisor;

use crate::model::JobId;
use crate::store::{Liveness, Record, Status, Store, StoreError, UnixSeconds};

/// What a job waits for before its agent is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingReason {
    /// Its turn: it is number `place`, from 1, of so many that are `waiting`.
    Turn {
        /// How many are before it, and itself.
        place: usize,
        /// How many wait, itself included.
        waiting: usize,
    },
    /// Its turn, which does not come as long as the supervisor of the next job is stopped (SIGSTOP) or frozen.
    Suspended {
        /// Its place, from 1.
        place: usize,
        /// The job that is next.
        next: JobId,
        /// The process that looks after that one.
        supervisor: i32,
    },
    /// The ends of so many jobs, whose results it gets.
    Jobs(usize),
    /// Its supervisor, which has only just begun.
    Start,
    /// Its session or its agent's directory, which another job has: nothing else keeps a job waiting that long.
    InUse,
}

/// How long a job takes to be started on a busy machine, in seconds.
const START_SECONDS: f64 = 2.0;

impl PendingReason {
    /// What keeps a job from being started now; `None` when nothing does any more.
    pub fn of(store: &Store, record: &Record, now: UnixSeconds) -> Result<Option<Self>, StoreError> {
        if record.status() != Status::Pending || record.is_foreign() {
            return Ok(None);
        }
        Self::among(store, &store.queued()?, record.id, &record.launch.after, now).map(Some)
    }

    /// The same for a job that has not been started and waits for the ends of those in `after`. `queued` are the jobs
    /// that wait for their turn now.
    pub(super) fn among(
        store: &Store,
        queued: &[JobId],
        id: JobId,
        after: &[JobId],
        now: UnixSeconds,
    ) -> Result<Self, StoreError> {
        if let Some(before) = queued.iter().position(|queued| *queued == id) {
            let (place, waiting) = (before + 1, queued.len());
            // One that is further ahead holds up no other before it is the next.
            let next = queued[0];
            return Ok(match suspended_supervisor(store, next) {
                Some(supervisor) if next != id => Self::Suspended { place, next, supervisor },
                _ => Self::Turn { place, waiting },
            });
        }
        let mut alive = 0;
        for id in after {
            alive += usize::from(store.liveness(*id)? == Liveness::Alive);
        }
        let created = id.created_at_ms().map_or(0.0, |millis| millis as f64 / 1_000.0);
        Ok(match alive {
            0 if now - created < START_SECONDS => Self::Start,
            0 => Self::InUse,
            _ => Self::Jobs(alive),
        })
    }
}
