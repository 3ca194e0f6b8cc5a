//! Why a job is still pending.

use super::jobs::{Jobs, JobsError};
use crate::model::{JobId, UnixSeconds};
use crate::store::{Record, Status};

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
    pub fn of(jobs: &dyn Jobs, record: &Record, now: UnixSeconds) -> Result<Option<Self>, JobsError> {
        if record.status() != Status::Pending || record.is_foreign() {
            return Ok(None);
        }
        Self::among(jobs, &jobs.queue()?, record.id, &record.launch.after, now).map(Some)
    }

    /// The same for a job that has not been started and waits for the ends of those in `after`. `queued` are the jobs
    /// that wait for their turn now.
    pub(super) fn among(
        jobs: &dyn Jobs,
        queued: &[JobId],
        id: JobId,
        after: &[JobId],
        now: UnixSeconds,
    ) -> Result<Self, JobsError> {
        if let Some(before) = queued.iter().position(|queued| *queued == id) {
            let (place, waiting) = (before + 1, queued.len());
            // One that is further ahead holds up no other before it is the next.
            let next = queued[0];
            return Ok(match jobs.supervisor(next) {
                Some(next_supervisor) if next_supervisor.is_suspended && next != id => {
                    Self::Suspended { place, next, supervisor: next_supervisor.pid }
                }
                _ => Self::Turn { place, waiting },
            });
        }
        let unfinished = if after.is_empty() { Vec::new() } else { jobs.unfinished()? };
        let unfinished = after.iter().filter(|id| unfinished.contains(id)).count();
        let created = id.created_at_ms().map_or(0.0, |millis| millis as f64 / 1_000.0);
        Ok(match unfinished {
            0 if now - created < START_SECONDS => Self::Start,
            0 => Self::InUse,
            _ => Self::Jobs(unfinished),
        })
    }
}
