//! [`WaitLoop`]: waiting for jobs, of which any may be the next to finish.
//!
//! The one loop of `run`, `wait`, `batch` and the MCP server. It never sleeps: a step looks, tells the [`Watcher`] what
//! is new, and says how long nothing needs to be looked at. What wakes a sleeper, and what else ends its sleep, is the
//! caller's: a command hears signals, the server has other calls.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::cancel::cancel_all;
use super::follow::{Backlog, Followers, LOOK_AT_MOST};
use super::jobs::{CancelError, Jobs, JobsError};
use super::pending_reason::PendingReason;
use crate::backend::Event;
use crate::model::{JobId, UnixSeconds, now};
use crate::store::Record;

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
        Self { instant: Instant::now(), time: now() }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to do for so long, unless the waker is woken before.
    Sleep(Duration),
    /// The wait has finished.
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

#[cfg(test)]
mod tests {
    use super::super::testing::MemoryJobs;
    use super::*;
    use crate::store::{ErrorType, Status};

    /// What a watcher is told, as lines, and what it asks for next.
    struct Lines {
        lines: Vec<String>,
        attention: Attention,
        interrupt: Option<Interrupt>,
    }

    #[derive(Debug)]
    enum Refused {
        Jobs(JobsError),
        Cancel(CancelError),
    }

    impl From<JobsError> for Refused {
        fn from(error: JobsError) -> Self {
            Self::Jobs(error)
        }
    }

    impl From<CancelError> for Refused {
        fn from(error: CancelError) -> Self {
            Self::Cancel(error)
        }
    }

    impl Watcher for Lines {
        type Error = Refused;

        fn attention(&self) -> Attention {
            self.attention
        }

        fn interrupt(&mut self) -> Option<Interrupt> {
            self.interrupt.take()
        }

        fn event(&mut self, number: usize, event: &Event) {
            self.lines.push(format!("{number} says {}", event.narrate().unwrap_or_default()));
        }

        fn pending(&mut self, number: usize, reason: Option<PendingReason>) {
            self.lines.push(match reason {
                Some(PendingReason::Turn { place, waiting }) => format!("{number} is {place} of {waiting}"),
                Some(other) => format!("{number}: {other:?}"),
                None => format!("{number} has begun"),
            });
        }

        fn finished(&mut self, number: usize, record: Record) -> Result<(), Refused> {
            self.lines.push(format!("{number} is {}", record.status().name()));
            Ok(())
        }
    }

    const ALL: Attention = Attention::Events { backlog: Backlog::Delivered, every: None };

    fn lines(attention: Attention) -> Lines {
        Lines { lines: Vec::new(), attention, interrupt: None }
    }

    impl Lines {
        fn take(&mut self) -> Vec<String> {
            std::mem::take(&mut self.lines)
        }
    }

    /// A clock that only goes on when it is told to.
    #[derive(Clone, Copy)]
    struct Clock(Now);

    impl Clock {
        fn new() -> Self {
            Self(Now::read())
        }

        fn after(self, seconds: f64) -> Now {
            let Self(Now { instant, time }) = self;
            Now { instant: instant + Duration::from_secs_f64(seconds), time: time + seconds }
        }
    }

    fn wait(jobs: &MemoryJobs, ids: &[JobId], deadline: Option<Instant>) -> WaitLoop {
        WaitLoop::new(jobs, ids.iter().copied(), deadline, Waker::noop()).unwrap()
    }

    #[test]
    fn jobs_are_told_of_as_they_finish_each_after_all_that_it_did() {
        let jobs = MemoryJobs::default();
        let ids = ["a", "b", "c"].map(|agent| jobs.run(agent, "x"));
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &ids, None);
        let mut step =
            |watcher: &mut Lines| (waiting.step(&jobs, clock.after(0.0), watcher).unwrap(), watcher.take());
        assert!(matches!(step(&mut watcher), (Step::Sleep(_), told) if told.is_empty()));
        jobs.write(ids[2], "working\n");
        jobs.fail(ids[2], ErrorType::CliError, "no");
        let (slept, told) = step(&mut watcher);
        assert!(matches!(slept, Step::Sleep(pause) if pause < Duration::from_secs(1)), "{slept:?}");
        assert_eq!(told, ["2 says working", "2 is failed"]);
        // A last line without its line end is complete with the end.
        jobs.write(ids[0], "almost");
        jobs.answer(ids[0], "");
        jobs.answer(ids[1], "");
        let (last, told) = step(&mut watcher);
        assert_eq!(last, Step::Over(Waited::Finished));
        assert_eq!(told, ["0 says almost", "0 is done", "1 is done"]);
    }

    #[test]
    fn only_the_ends_are_looked_at_where_nothing_else_is_wanted() {
        let jobs = MemoryJobs::default();
        let id = jobs.run("a", "x");
        let (mut watcher, clock) = (lines(Attention::Ends), Clock::new());
        let mut waiting = wait(&jobs, &[id], None);
        jobs.write(id, "working\n");
        let slept = waiting.step(&jobs, clock.after(0.0), &mut watcher).unwrap();
        assert_eq!(slept, Step::Sleep(LONGEST_SLEEP));
        jobs.answer(id, "");
        assert_eq!(
            waiting.step(&jobs, clock.after(1.0), &mut watcher).unwrap(),
            Step::Over(Waited::Finished)
        );
        assert_eq!(watcher.take(), ["0 is done"]);
        assert_eq!(jobs.outputs(), 0);
    }

    #[test]
    fn a_deadline_ends_the_wait_and_what_has_finished_by_then_is_told() {
        let jobs = MemoryJobs::default();
        let ids = ["a", "b"].map(|agent| jobs.run(agent, "x"));
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &ids, Some(clock.after(10.0).instant));
        let slept = waiting.step(&jobs, clock.after(9.99), &mut watcher).unwrap();
        assert!(matches!(slept, Step::Sleep(pause) if pause <= Duration::from_millis(11)), "{slept:?}");
        jobs.answer(ids[0], "");
        assert_eq!(waiting.step(&jobs, clock.after(10.0), &mut watcher).unwrap(), Step::Over(Waited::TimeUp));
        assert_eq!(watcher.take(), ["0 is done"]);
        assert_eq!(waiting.unfinished().collect::<Vec<_>>(), [ids[1]]);
    }

    #[test]
    fn an_interrupt_stops_all_jobs_or_leaves_them() {
        let jobs = MemoryJobs::default();
        let ids = ["a", "b"].map(|agent| jobs.run(agent, "x"));
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &ids, None);
        watcher.interrupt = Some(Interrupt::Leave);
        assert_eq!(waiting.step(&jobs, clock.after(0.0), &mut watcher).unwrap(), Step::Over(Waited::Left));
        assert_eq!(jobs.unfinished().unwrap(), ids);
        watcher.interrupt = Some(Interrupt::Stop);
        assert_eq!(
            waiting.step(&jobs, clock.after(0.0), &mut watcher).unwrap(),
            Step::Over(Waited::Finished)
        );
        assert_eq!(watcher.take(), ["0 is cancelled", "1 is cancelled"]);
    }

    #[test]
    fn a_job_that_cannot_be_asked_to_stop_keeps_no_other_from_being_asked() {
        let jobs = MemoryJobs::default();
        let ids = ["a", "b"].map(|agent| jobs.run(agent, "x"));
        jobs.make_deaf(ids[0]);
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &ids, None);
        watcher.interrupt = Some(Interrupt::Stop);
        let refused = waiting.step(&jobs, clock.after(0.0), &mut watcher).unwrap_err();
        assert!(matches!(refused, Refused::Cancel(CancelError::Foreign { id, .. }) if id == ids[0]));
        assert_eq!(jobs.get(ids[1]).unwrap().status(), Status::Cancelled);
    }

    #[test]
    fn a_job_that_waits_long_enough_is_told_of_with_its_place_until_it_begins() {
        let jobs = MemoryJobs::default();
        let before = jobs.add("z", "x");
        let id = jobs.add("a", "x");
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &[id], None);
        let mut told = |seconds| {
            waiting.step(&jobs, clock.after(seconds), &mut watcher).unwrap();
            watcher.take()
        };
        assert_eq!(told(0.5), [""; 0]);
        assert_eq!(told(1.5), ["0 is 2 of 2"]);
        assert_eq!(told(1.8), [""; 0]);
        jobs.start(before);
        assert_eq!(told(3.0), ["0 is 1 of 1"]);
        jobs.start(id);
        assert_eq!(told(3.1), ["0 has begun"]);
    }

    #[test]
    fn a_wait_fails_while_the_jobs_cannot_be_reached_and_can_be_begun_again() {
        let jobs = MemoryJobs::default();
        let id = jobs.run("a", "x");
        let (mut watcher, clock) = (lines(ALL), Clock::new());
        let mut waiting = wait(&jobs, &[id], None);
        jobs.cut_off("gpu", "Connection refused");
        let refused = waiting.step(&jobs, clock.after(0.0), &mut watcher).unwrap_err();
        assert!(matches!(refused, Refused::Jobs(JobsError::Unreachable(why)) if why.place == "gpu"));
        jobs.connect();
        jobs.answer(id, "");
        let mut again = wait(&jobs, &[id], None);
        assert_eq!(again.step(&jobs, clock.after(0.0), &mut watcher).unwrap(), Step::Over(Waited::Finished));
    }

    #[test]
    fn what_an_agent_did_is_read_on_from_where_another_reader_came_to() {
        use super::super::follow::Reading;
        let jobs = MemoryJobs::default();
        let id = jobs.run("a", "x");
        let record = jobs.get(id).unwrap();
        let read = |reading: &mut Reading| {
            let mut told = Vec::new();
            let deliver = &mut |event: Event| told.extend(event.narrate());
            assert!(reading.catch_up_within(&jobs, Duration::from_secs(60), deliver).unwrap());
            told
        };
        let mut first = Reading::new(&record);
        jobs.write(id, "one\ntwo\nthr");
        assert_eq!(read(&mut first), ["one", "two"]);
        jobs.write(id, "ee\nfour\n");
        let mut second = Reading::resume(&record, first.offset());
        assert_eq!(read(&mut second), ["three", "four"]);
        assert_eq!(read(&mut second), [""; 0]);
    }
}
