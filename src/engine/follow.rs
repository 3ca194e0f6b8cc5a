//! Following jobs from any process: what their agents do, and when they have finished.

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::ending::Ending;
use super::jobs::{Jobs, JobsError, Output};
use super::pending_reason::PendingReason;
use crate::backend::{Backends, Event, EventReader, Look};
use crate::model::{JobId, UnixSeconds};
use crate::os::FileError;
use crate::store::{Pieces, ReadAt, Record, Status, StoreError};

/// How often a job's output is looked at while there is something new.
pub(super) const LOOK_AT_MOST: Duration = Duration::from_millis(50);
/// And when there has been nothing for a while.
const LOOK_AT_LEAST: Duration = Duration::from_millis(300);

/// How long one look at an output may take that grows faster than it is read: meanwhile nothing else is noticed.
const LOOK_TIME: Duration = Duration::from_millis(20);

/// How often it is looked at what keeps jobs from being started.
const LOOK_FOR_TURN: Duration = Duration::from_secs(1);

/// A place in the output of a job's agent, from which to read on. Only looks.
#[derive(Debug)]
pub struct Reading {
    id: JobId,
    output: Option<Box<dyn ReadAt>>,
    reader: EventReader,
    /// How often in a row there was nothing new.
    quiet: u32,
    /// Whether the last look came to the end of the output.
    is_at_end: bool,
}

impl Reading {
    /// Refuses a job whose output has no events that this version knows, for those who are asked for them.
    pub fn check(record: &Record) -> Result<(), JobsError> {
        let program = Backends::of_this_program().program_of(record);
        program.map(drop).map_err(|unknown| JobsError::Backend { job: record.id, unknown })
    }

    /// The beginning of the agent's output. What a program wrote that this version does not know has no events.
    pub fn new(record: &Record) -> Self {
        Self::resume(record, 0)
    }

    /// What follows byte `offset` of it: 0, or what [`Self::offset`] said to another reader.
    pub fn resume(record: &Record, offset: u64) -> Self {
        let program = Backends::of_this_program().program_of(record);
        let reader =
            program.map_or_else(|_| EventReader::of_unknown(), |program| EventReader::of(program, offset));
        Self { id: record.id, output: None, quiet: 0, is_at_end: false, reader }
    }

    /// Where another reader can go on.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// Whether the agent has been started, as of the last look.
    fn has_begun(&self) -> bool {
        self.output.is_some()
    }

    /// Delivers what the agent has done since the last call, as far as that can be read in `patience`; says whether that
    /// was all. An agent that writes faster than its output is read never comes to an end.
    pub fn catch_up_within(
        &mut self,
        jobs: &dyn Jobs,
        patience: Duration,
        deliver: &mut dyn FnMut(Event),
    ) -> Result<bool, JobsError> {
        let deadline = Instant::now() + patience;
        if self.output.is_none() {
            self.output = match jobs.output(self.id, Output::Stdout) {
                // The agent put something else in its place. The job's outcome will say so.
                Err(JobsError::Store(StoreError::File(FileError::Refused { .. }))) => None,
                output => output?,
            };
        }
        self.is_at_end = true;
        let before = self.reader.position();
        if let Some(output) = &self.output
            && output.length()? != before
        {
            let mut pieces = Pieces::of(output.as_ref(), before);
            while self.reader.read_from(&mut pieces, deliver)? == Look::Behind {
                if Instant::now() >= deadline {
                    self.is_at_end = false;
                    break;
                }
            }
        }
        let is_new = self.reader.position() != before;
        self.quiet = if is_new { 0 } else { self.quiet.saturating_add(1) };
        Ok(self.is_at_end)
    }

    /// Delivers what the end of the output completes: a last line without its line end. For a job that is finished, when
    /// everything else has been delivered.
    pub fn finish(mut self, deliver: &mut dyn FnMut(Event)) {
        self.reader.finish(deliver);
    }
}

/// Follows one job to its end. Only looks: any number of processes can follow the same job.
#[derive(Debug)]
pub struct Follower {
    reading: Reading,
    ending: Ending,
}

impl Follower {
    /// Starts following at the beginning of the agent's output. `waker` is woken when the job is finished.
    pub fn new(jobs: &dyn Jobs, record: &Record, waker: &Waker) -> Result<Self, JobsError> {
        Ok(Self { reading: Reading::new(record), ending: jobs.ending(record, waker)? })
    }

    /// Whether the job is finished.
    pub fn is_finished(&self) -> bool {
        self.ending.is_reached()
    }

    /// Delivers what the agent has done since the last call, as far as that can be read in a moment; says whether that
    /// was all.
    pub fn catch_up(&mut self, jobs: &dyn Jobs, deliver: &mut dyn FnMut(Event)) -> Result<bool, JobsError> {
        self.reading.catch_up_within(jobs, LOOK_TIME, deliver)
    }

    /// How much of the output has been read, in bytes.
    pub fn position(&self) -> u64 {
        self.reading.reader.position()
    }

    /// Whether there is more to deliver already.
    pub fn is_behind(&self) -> bool {
        self.reading.has_begun() && !self.reading.is_at_end
    }

    /// How long to wait before looking again: the longer the silence, the longer. The end of the job wakes the waiter at
    /// once.
    pub fn pause(&self) -> Duration {
        (LOOK_AT_MOST * (1 + self.reading.quiet / 4)).min(LOOK_AT_LEAST)
    }

    /// Returns the record of the job, which must be finished ([`Self::is_finished`]) and read to its end.
    pub fn conclude(self, jobs: &dyn Jobs, deliver: &mut dyn FnMut(Event)) -> Result<Record, JobsError> {
        let id = self.reading.id;
        self.reading.finish(deliver);
        jobs.get(id)
    }
}

/// How many jobs are looked at at once: as many as hardly ever run, and few enough for a process's limit on open files.
const FOLLOWED_AT_ONCE: usize = 64;

/// What becomes of events that are still to be read when their job has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// They are delivered before the job's record is.
    Delivered,
    /// They are left out: they would only have told what goes on.
    Skipped,
}

/// Follows several jobs to their ends. Of many only the first that are not finished are looked at; they are the next
/// that run.
#[derive(Debug)]
pub struct Followers {
    /// With the number of each.
    followed: Vec<(usize, Follower)>,
    later: VecDeque<(usize, JobId)>,
    /// What those of the followed wait for that are not known to have begun, by their numbers.
    not_begun: BTreeMap<usize, NotBegun>,
    /// When that was looked at.
    looked: Instant,
    waker: Waker,
}

/// A job whose agent has not been started.
#[derive(Debug)]
struct NotBegun {
    id: JobId,
    after: Vec<JobId>,
    /// As of the last look, if there was one.
    reason: Option<PendingReason>,
}

impl Followers {
    /// Starts following these jobs, which from here on go by their number in the order given, from 0. `waker` is woken
    /// when one of them is finished.
    pub fn new(
        jobs: &dyn Jobs,
        ids: impl IntoIterator<Item = JobId>,
        now: Instant,
        waker: &Waker,
    ) -> Result<Self, JobsError> {
        let later = ids.into_iter().enumerate().collect();
        let (followed, not_begun) = (Vec::new(), BTreeMap::new());
        let mut followers = Self { followed, later, not_begun, looked: now, waker: waker.clone() };
        followers.fill_up(jobs)?;
        Ok(followers)
    }

    fn fill_up(&mut self, jobs: &dyn Jobs) -> Result<(), JobsError> {
        while self.followed.len() < FOLLOWED_AT_ONCE
            && let Some((number, id)) = self.later.pop_front()
        {
            let record = jobs.get(id)?;
            self.followed.push((number, Follower::new(jobs, &record, &self.waker)?));
            if record.status() == Status::Pending {
                self.not_begun.insert(number, NotBegun { id, after: record.launch.after, reason: None });
            }
        }
        Ok(())
    }

    /// How long to wait before looking again.
    pub fn pause(&self) -> Duration {
        self.followed.iter().map(|(_, follower)| follower.pause()).min().unwrap_or(LOOK_AT_LEAST)
    }

    /// Whether all are finished.
    pub fn is_empty(&self) -> bool {
        self.followed.is_empty()
    }

    /// The jobs that are not known to be finished.
    pub fn unfinished(&self) -> impl Iterator<Item = JobId> {
        let followed = self.followed.iter().map(|(_, follower)| follower.reading.id);
        followed.chain(self.later.iter().map(|(_, id)| *id))
    }

    /// How many have not begun, as far as that is known.
    pub fn pending(&self) -> usize {
        self.not_begun.values().filter(|job| job.reason.is_some()).count() + self.later.len()
    }

    /// What is new about the jobs that wait to be started, by their numbers: `None` for one that has been waiting and
    /// has begun. Jobs that begin at once are not among them. For those who poll.
    pub fn pending_updates(
        &mut self,
        jobs: &dyn Jobs,
        now: Instant,
        time: UnixSeconds,
    ) -> Result<Vec<(usize, Option<PendingReason>)>, JobsError> {
        let mut news = Vec::new();
        for (number, follower) in &self.followed {
            if follower.reading.has_begun()
                && let Some(begun) = self.not_begun.remove(number)
            {
                news.extend(begun.reason.map(|_| (*number, None)));
            }
        }
        if self.not_begun.is_empty() || now.saturating_duration_since(self.looked) < LOOK_FOR_TURN {
            return Ok(news);
        }
        self.looked = now;
        let queued = jobs.queue()?;
        for (number, job) in &mut self.not_begun {
            let reason = Some(PendingReason::among(jobs, &queued, job.id, &job.after, time)?);
            if reason != job.reason {
                job.reason = reason;
                news.push((*number, reason));
            }
        }
        Ok(news)
    }

    /// The records of the jobs that are finished, each once, without what their agents did.
    pub fn finished(&mut self, jobs: &dyn Jobs) -> Result<Vec<(usize, Record)>, JobsError> {
        let mut finished = Vec::new();
        for (number, follower) in std::mem::take(&mut self.followed) {
            if follower.is_finished() {
                self.not_begun.remove(&number);
                finished.push((number, jobs.get(follower.reading.id)?));
            } else {
                self.followed.push((number, follower));
            }
        }
        self.fill_up(jobs)?;
        Ok(finished)
    }

    /// Whether there is more to deliver already: an agent has written faster than its output was read.
    pub fn are_behind(&self) -> bool {
        self.followed.iter().any(|(_, follower)| follower.is_behind())
    }

    /// Delivers what the agents have done since the last call, as far as that can be read in a moment, and then the
    /// records of the jobs that are finished: each once, in the order in which that is noticed.
    pub fn poll(
        &mut self,
        jobs: &dyn Jobs,
        backlog: Backlog,
        deliver: &mut dyn FnMut(usize, Event),
    ) -> Result<Vec<(usize, Record)>, JobsError> {
        let mut finished = Vec::new();
        for (number, mut follower) in std::mem::take(&mut self.followed) {
            let mut deliver = |event| deliver(number, event);
            // Asked before reading: what was written before the end is then read after it.
            let is_finished = follower.is_finished();
            let is_read = follower.catch_up(jobs, &mut deliver)?;
            if is_finished && (is_read || backlog == Backlog::Skipped) {
                self.not_begun.remove(&number);
                finished.push((number, follower.conclude(jobs, &mut deliver)?));
            } else {
                self.followed.push((number, follower));
            }
        }
        self.fill_up(jobs)?;
        Ok(finished)
    }
}
