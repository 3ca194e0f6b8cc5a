//! [`WaitLoop`]: waiting for jobs, of which any may be the next to finish.
//!
//! The one loop of `run`, `wait`, `batch` and the MCP server. It never sleeps: a step looks, tells the [`Watcher`] what
//! is new, and says how long nothing needs to be looked at. What wakes a sleeper, and what else ends its sleep, is the
//! caller's: a command hears signals, the server has other calls.

use std::task::Waker;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::cancel::cancel_all;
use super::follow::{Backlog, Followers, LOOK_AT_MOST};
use super::jobs::{CancelError, Jobs, JobsError};
use super::pending_reason::PendingReason;
use crate::backend::Event;
use crate::model::JobId;
use crate::store::{Record, UnixSeconds};

/// How long a waiter sleeps at the most that has nothing to look at.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);

/// One that waits for jobs: what it hears of them, and what it asks for meanwhile. Jobs go by their number, from 0.
pub trait Watcher {
    /// Why it cannot go on waiting.
    type Error: From<JobsError> + From<CancelError>;

    /// How closely it watches.
    fn attention(&self) -> Attention {
        Attention::Ends
    }

    /// What it asks for since the last step.
    fn interrupt(&mut self) -> Option<Interrupt> {
        None
    }

    /// An agent has done something.
    fn event(&mut self, _number: usize, _event: &Event) {}

    /// A job waits to be started, or (`None`) has been waiting and was started.
    fn pending(&mut self, _number: usize, _reason: Option<PendingReason>) {}

    /// A job is finished.
    fn finished(&mut self, number: usize, record: Record) -> Result<(), Self::Error>;

    /// All that is new has been told; so many jobs wait to be started.
    fn looked(&mut self, _pending: usize) {}
}

/// How closely jobs are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// Only their ends.
    Ends,
    /// And what their agents do.
    Events {
        /// What becomes of events that are still to be read when their job has finished.
        backlog: Backlog,
        /// How often to look, where not as often as there may be something new.
        every: Option<Duration>,
    },
}

/// What one that waits asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The jobs are to stop. Their ends are still waited for.
    Stop,
    /// The jobs go on without it.
    Leave,
}

/// The time, as a step goes by it.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For what lasts.
    pub instant: Instant,
    /// For what is recorded.
    pub time: UnixSeconds,
}

impl Now {
    /// What the clocks say.
    pub fn read() -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        Self { instant: Instant::now(), time }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to do for so long, unless the waker is woken before.
    Sleep(Duration),
    /// The wait is over.
    Over(Waited),
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// With the last of the jobs.
    Finished,
    /// At its deadline.
    TimeUp,
    /// Because its watcher left.
    Left,
}

/// A wait for jobs.
#[derive(Debug)]
pub struct WaitLoop {
    followers: Followers,
    deadline: Option<Instant>,
}

impl WaitLoop {
    /// Waits for these jobs, until `deadline` if there is one. `waker` is woken when one of them is finished.
    pub fn new(
        jobs: &dyn Jobs,
        ids: impl IntoIterator<Item = JobId>,
        deadline: Option<Instant>,
        waker: &Waker,
    ) -> Result<Self, JobsError> {
        Ok(Self { followers: Followers::new(jobs, ids, Instant::now(), waker)?, deadline })
    }

    /// The jobs that are not known to be finished.
    pub fn unfinished(&self) -> impl Iterator<Item = JobId> {
        self.followers.unfinished()
    }

    /// Looks once.
    pub fn step<W: Watcher>(&mut self, jobs: &dyn Jobs, now: Now, watcher: &mut W) -> Result<Step, W::Error> {
        match watcher.interrupt() {
            Some(Interrupt::Leave) => return Ok(Step::Over(Waited::Left)),
            Some(Interrupt::Stop) => {
                cancel_all(self.followers.unfinished(), |id| jobs.cancel(id).map(drop))?;
            }
            None => {}
        }
        let attention = watcher.attention();
        let finished = match attention {
            Attention::Ends => self.followers.finished(jobs)?,
            Attention::Events { backlog, .. } => {
                let mut deliver = |number, event| watcher.event(number, &event);
                let finished = self.followers.poll(jobs, backlog, &mut deliver)?;
                for (number, reason) in self.followers.pending_updates(jobs, now.instant, now.time)? {
                    watcher.pending(number, reason);
                }
                finished
            }
        };
        for (number, record) in finished {
            watcher.finished(number, record)?;
        }
        watcher.looked(self.followers.pending());
        if self.followers.is_empty() {
            return Ok(Step::Over(Waited::Finished));
        }
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(now.instant));
        if left == Some(Duration::ZERO) {
            return Ok(Step::Over(Waited::TimeUp));
        }
        Ok(Step::Sleep(self.pause(attention).min(left.unwrap_or(LONGEST_SLEEP))))
    }

    fn pause(&self, attention: Attention) -> Duration {
        match attention {
            Attention::Ends => LONGEST_SLEEP,
            Attention::Events { backlog: Backlog::Delivered, .. } if self.followers.are_behind() => {
                Duration::ZERO
            }
            Attention::Events { every: None, .. } => self.followers.pause(),
            Attention::Events { every: Some(every), .. } if self.followers.are_behind() => {
                every.min(LOOK_AT_MOST)
            }
            Attention::Events { every: Some(every), .. } => every,
        }
    }
}
