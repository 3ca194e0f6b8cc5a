//! Following a job from any process: what its agent does, and when it is over.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::{CallerContext, PendingReason};
use crate::backend::{Backends, Event, EventReader, Look, UnknownBackend};
use crate::model::JobId;
use crate::os::{self, FileError};
use crate::store::{Claim, Claimable, Claimed, Record, Status, Store, StoreError, UnixSeconds};
use crate::supervisor::load_and_recover;

/// How often a job's output is looked at while there is something new.
const LOOK_AT_MOST: Duration = Duration::from_millis(50);
/// And when there has been nothing for a while.
const LOOK_AT_LEAST: Duration = Duration::from_millis(300);

/// How long one look at an output may take that grows faster than it is read: meanwhile nothing else is noticed.
const LOOK_TIME: Duration = Duration::from_millis(20);

/// How often it is looked at what keeps jobs from being started.
const LOOK_FOR_TURN: Duration = Duration::from_secs(1);

/// Why a job could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused.
    #[error("failed to follow the job: {0}")]
    Io(#[from] io::Error),
    /// Only another version knows what the agent's output means.
    #[error("what the agent of job {job} did cannot be read: {unknown}")]
    Backend {
        /// The job.
        job: JobId,
        /// What ran.
        unknown: UnknownBackend,
    },
}

/// A place in the output of a job's agent, from which to read on. Only looks.
#[derive(Debug)]
pub struct Reading {
    id: JobId,
    output: Option<File>,
    reader: EventReader,
    /// How often in a row there was nothing new.
    quiet: u32,
    /// Whether the last look came to the end of the output.
    is_at_end: bool,
}

impl Reading {
    /// Refuses a job whose output has no events that this version knows, for those who are asked for them.
    pub fn check(record: &Record) -> Result<(), FollowError> {
        let program = Backends::of_this_program().program_of(record);
        program.map(drop).map_err(|unknown| FollowError::Backend { job: record.id, unknown })
    }

    /// The beginning of the agent's output. What a program wrote that this version does not know has no events.
    pub fn new(record: &Record) -> Self {
        let program = Backends::of_this_program().program_of(record);
        let reader =
            program.map_or_else(|_| EventReader::of_unknown(), |program| EventReader::of(program, 0));
        Self { id: record.id, output: None, quiet: 0, is_at_end: false, reader }
    }

    /// Whether the agent has been started, as of the last look.
    fn has_begun(&self) -> bool {
        self.output.is_some()
    }

    /// Delivers what the agent has done since the last call, as far as that can be read in `patience`; says whether that
    /// was all. An agent that writes faster than its output is read never comes to an end.
    pub fn catch_up_within(
        &mut self,
        store: &Store,
        patience: Duration,
        deliver: &mut dyn FnMut(Event),
    ) -> Result<bool, FollowError> {
        let deadline = Instant::now() + patience;
        if self.output.is_none() {
            self.output = match store.folder(self.id)?.open_stdout() {
                Ok(output) => output,
                // The agent put something else in its place. The job's outcome will say so.
                Err(FileError::Refused { .. }) => None,
                Err(error) => return Err(StoreError::from(error).into()),
            };
        }
        self.quiet = self.quiet.saturating_add(1);
        self.is_at_end = true;
        if let Some(output) = &mut self.output
            && output.metadata()?.len() != self.reader.position()
        {
            self.quiet = 0;
            while self.reader.read_from(output, deliver)? == Look::Behind {
                if Instant::now() >= deadline {
                    self.is_at_end = false;
                    break;
                }
            }
        }
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
pub struct Follower<'a> {
    store: &'a Store,
    reading: Reading,
    /// Closed at the other end by a thread of this process when the job's lock is free.
    over: OwnedFd,
    /// The slot of the agent that waits here for a job of its own.
    _loan: Option<Claim>,
}

/// Lends a job that waits for its turn the slot of the job `parent`, on which this process works and which has
/// dispatched it: a job that waits needs no slot, and agents that all wait for what they have dispatched would wait for
/// ever. Lasts as long as the claim.
pub fn lend_slot(store: &Store, record: &Record, parent: Option<JobId>) -> Option<Claim> {
    if record.status() != Status::Pending || record.launch.parent != Some(parent?) {
        return None;
    }
    match store.try_claim(Claimable::WaitFor(record.id), record.id) {
        Ok(Claimed::Yes(claim)) => Some(claim),
        // Another process waits as well, or the disk is full: then the job waits for a slot of its own.
        Ok(Claimed::Busy { .. }) | Err(_) => None,
    }
}

impl<'a> Follower<'a> {
    /// Starts following at the beginning of the agent's output.
    pub fn new(store: &'a Store, record: &Record) -> Result<Self, FollowError> {
        let over = match store.waiter(record.id)? {
            Some(waiter) => waiter.into_descriptor()?,
            // Over already: the other end of this pipe is closed at once.
            None => rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(io::Error::from)?.0,
        };
        let parent = record.launch.parent.and_then(|_| CallerContext::of_this_process().parent);
        Ok(Self { store, reading: Reading::new(record), over, _loan: lend_slot(store, record, parent) })
    }

    /// Becomes readable when the job is over.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.over.as_fd()
    }

    /// Whether the job is over.
    pub fn is_over(&self) -> bool {
        os::wait_readable(&[self.descriptor()], Duration::ZERO)[0]
    }

    /// Delivers what the agent has done since the last call, as far as that can be read in a moment; says whether that
    /// was all.
    pub fn catch_up(&mut self, deliver: &mut dyn FnMut(Event)) -> Result<bool, FollowError> {
        self.reading.catch_up_within(self.store, LOOK_TIME, deliver)
    }

    /// The same with more time.
    pub fn catch_up_within(
        &mut self,
        patience: Duration,
        deliver: &mut dyn FnMut(Event),
    ) -> Result<bool, FollowError> {
        self.reading.catch_up_within(self.store, patience, deliver)
    }

    /// How much the agent has written, in bytes.
    pub fn output_bytes(&self) -> u64 {
        let output = self.store.folder(self.reading.id).and_then(|folder| Ok(folder.open_stdout()?));
        output.ok().flatten().and_then(|output| output.metadata().ok()).map_or(0, |metadata| metadata.len())
    }

    /// How much of it has been read, in bytes.
    pub fn position(&self) -> u64 {
        self.reading.reader.position()
    }

    /// Whether there is more to deliver already.
    pub fn is_behind(&self) -> bool {
        self.reading.has_begun() && !self.reading.is_at_end
    }

    /// How long to wait before looking again: the longer the silence, the longer. The end of the job is told at once
    /// by [`Self::descriptor`].
    pub fn pause(&self) -> Duration {
        (LOOK_AT_MOST * (1 + self.reading.quiet / 4)).min(LOOK_AT_LEAST)
    }

    /// Returns the record of the job, which must be finished ([`Self::is_over`]) and read to its end.
    pub fn conclude(self, deliver: &mut dyn FnMut(Event)) -> Result<Record, FollowError> {
        let id = self.reading.id;
        self.reading.finish(deliver);
        Ok(load_and_recover(self.store, id)?)
    }

    /// Waits for the end of the job.
    pub fn wait(self) -> Result<Record, FollowError> {
        while !os::wait_readable(&[self.descriptor()], Duration::from_secs(3_600))[0] {}
        Ok(load_and_recover(self.store, self.reading.id)?)
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

/// Follows several jobs to their ends. Of many only the first that are not over are looked at; they are the next
/// that run.
#[derive(Debug)]
pub struct Followers<'a> {
    store: &'a Store,
    /// With the number of each.
    followed: Vec<(usize, Follower<'a>)>,
    later: VecDeque<(usize, JobId)>,
    /// What those of the followed wait for that are not known to have begun, by their numbers.
    not_begun: BTreeMap<usize, NotBegun>,
    /// When that was looked at.
    looked: Instant,
}

/// A job whose agent has not been started.
#[derive(Debug)]
struct NotBegun {
    id: JobId,
    after: Vec<JobId>,
    /// As of the last look, if there was one.
    delay: Option<PendingReason>,
}

impl<'a> Followers<'a> {
    /// Starts following these jobs, which from here on go by their number in the order given, from 0.
    pub fn new(store: &'a Store, jobs: impl IntoIterator<Item = JobId>) -> Result<Self, FollowError> {
        let later = jobs.into_iter().enumerate().collect();
        let (followed, not_begun) = (Vec::new(), BTreeMap::new());
        let mut followers = Self { store, followed, later, not_begun, looked: Instant::now() };
        followers.fill_up()?;
        Ok(followers)
    }

    fn fill_up(&mut self) -> Result<(), FollowError> {
        while self.followed.len() < FOLLOWED_AT_ONCE
            && let Some((number, id)) = self.later.pop_front()
        {
            let record = load_and_recover(self.store, id)?;
            self.followed.push((number, Follower::new(self.store, &record)?));
            if record.status() == Status::Pending {
                self.not_begun.insert(number, NotBegun { id, after: record.launch.after, delay: None });
            }
        }
        Ok(())
    }

    /// Descriptors of which one becomes readable when one of the jobs is over.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.followed.iter().map(|(_, follower)| follower.descriptor())
    }

    /// How long to wait before looking again.
    pub fn pause(&self) -> Duration {
        self.followed.iter().map(|(_, follower)| follower.pause()).min().unwrap_or(LOOK_AT_LEAST)
    }

    /// Whether all are over.
    pub fn is_empty(&self) -> bool {
        self.followed.is_empty()
    }

    /// The jobs that are not known to be over.
    pub fn unfinished(&self) -> impl Iterator<Item = JobId> {
        let followed = self.followed.iter().map(|(_, follower)| follower.reading.id);
        followed.chain(self.later.iter().map(|(_, id)| *id))
    }

    /// How many have not begun, as far as that is known.
    pub fn waiting(&self) -> usize {
        self.not_begun.values().filter(|job| job.delay.is_some()).count() + self.later.len()
    }

    /// What is new about the jobs that wait to be started, by their numbers: `None` for one that has been waiting and
    /// has begun. Jobs that begin at once are not among them. For those who catch up.
    pub fn delays(&mut self, now: UnixSeconds) -> Result<Vec<(usize, Option<PendingReason>)>, FollowError> {
        let mut news = Vec::new();
        for (number, follower) in &self.followed {
            if follower.reading.has_begun()
                && let Some(begun) = self.not_begun.remove(number)
            {
                news.extend(begun.delay.map(|_| (*number, None)));
            }
        }
        if self.not_begun.is_empty() || self.looked.elapsed() < LOOK_FOR_TURN {
            return Ok(news);
        }
        self.looked = Instant::now();
        let queued = self.store.queued()?;
        for (number, job) in &mut self.not_begun {
            let delay = Some(PendingReason::among(self.store, &queued, job.id, &job.after, now)?);
            if delay != job.delay {
                job.delay = delay;
                news.push((*number, delay));
            }
        }
        Ok(news)
    }

    /// The records of the jobs that are over, each once, without what their agents did.
    pub fn take_ended(&mut self) -> Result<Vec<(usize, Record)>, FollowError> {
        let mut over = Vec::new();
        for (number, follower) in std::mem::take(&mut self.followed) {
            if follower.is_over() {
                self.not_begun.remove(&number);
                over.push((number, follower.wait()?));
            } else {
                self.followed.push((number, follower));
            }
        }
        self.fill_up()?;
        Ok(over)
    }

    /// Whether there is more to deliver already: an agent has written faster than its output was read.
    pub fn are_behind(&self) -> bool {
        self.followed.iter().any(|(_, follower)| follower.is_behind())
    }

    /// Delivers what the agents have done since the last call, as far as that can be read in a moment, and then the
    /// records of the jobs that are finished: each once, in the order in which that is noticed.
    pub fn catch_up(
        &mut self,
        backlog: Backlog,
        deliver: &mut dyn FnMut(usize, Event),
    ) -> Result<Vec<(usize, Record)>, FollowError> {
        let mut over = Vec::new();
        for (number, mut follower) in std::mem::take(&mut self.followed) {
            let mut deliver = |event| deliver(number, event);
            // Asked before reading: what was written before the end is then read after it.
            let is_finished = follower.is_over();
            let is_read = follower.catch_up(&mut deliver)?;
            if is_finished && (is_read || backlog == Backlog::Skipped) {
                self.not_begun.remove(&number);
                over.push((number, follower.conclude(&mut deliver)?));
            } else {
                self.followed.push((number, follower));
            }
        }
        self.fill_up()?;
        Ok(over)
    }
}
