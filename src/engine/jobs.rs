//! [`Jobs`]: what can be done with jobs, wherever they are.
//!
//! The faces know nothing else of them: no store, no file, no process. [`super::LocalJobs`] has the jobs of this machine;
//! those of another host, or of a pool, are one more implementation. So nothing here is a descriptor, a path or a
//! closure; what is long is read in pieces, what is followed can be followed on from any place, and any answer may be
//! that the place where the jobs are [cannot be reached](Unreachable).

use std::fmt;
use std::io;
use std::task::Waker;

use super::collect::Collection;
use super::ending::Ending;
use crate::backend::UnknownBackend;
use crate::config::AgentName;
use crate::model::{JobId, JobSelector, UnixSeconds};
use crate::store::{Answer, AnswerFile, JobResult, Policy, ReadAt, Record, Status, StoreError};

/// What stands between the names of the two agents in the record of a dialogue.
pub const DIALOGUE_SIGN: &str = " ⇄ ";

/// The jobs in one place.
pub trait Jobs: fmt::Debug + Send + Sync {
    /// The job that a person means.
    fn find(&self, selector: &JobSelector) -> Result<JobId, JobsError>;

    /// The record of a job. One whose supervisor is gone is recovered before.
    fn get(&self, id: JobId) -> Result<Record, JobsError>;

    /// The record as it is known here, without any consequence; `None` when it cannot be read.
    fn glance(&self, id: JobId) -> Option<Record>;

    /// The records of the jobs that are asked for, newest first, each read when it is its turn.
    fn list<'a>(&'a self, filter: &Filter<'a>) -> Result<Records<'a>, JobsError>;

    /// All jobs, in no order.
    fn ids(&self) -> Result<Vec<JobId>, JobsError>;

    /// The jobs that are not known to be finished, oldest first.
    fn unfinished(&self) -> Result<Vec<JobId>, JobsError>;

    /// The jobs that wait for their turn, in the order in which they get it.
    fn queue(&self) -> Result<Vec<JobId>, JobsError>;

    /// Tells whether a job has been added or a record has changed since.
    fn revision(&self) -> Revision;

    /// What a job's program has written, as far as it has come; `None` before it has begun.
    fn output(&self, id: JobId, output: Output) -> Result<Option<Box<dyn ReadAt>>, JobsError>;

    /// Waits for the end of a job: `waker` is woken when it comes.
    fn ending(&self, record: &Record, waker: &Waker) -> Result<Ending, JobsError>;

    /// The process that looks after a job, where that is known.
    fn supervisor(&self, id: JobId) -> Option<SupervisorProcess>;

    /// Asks a job to stop.
    fn cancel(&self, id: JobId) -> Result<Cancelled, CancelError>;

    /// Deletes jobs that ended long enough before `now`, or only says which.
    fn collect(&self, policy: Policy, now: UnixSeconds, dry_run: bool) -> Result<Collection, JobsError>;

    /// The text of an answer.
    fn answer<'a>(&self, result: &'a JobResult) -> Result<Answer<'a>, JobsError> {
        let Some(file) = result.answer_file else { return Ok(Answer::Text(&result.result)) };
        let long = self.output(result.job_id, Output::Answer(file))?;
        Ok(long.map_or(Answer::Text(&result.result), Answer::Long))
    }

    /// Where a job stands in the queue, from 1, and how long that is; `None` when it does not wait there.
    fn place_in_queue(&self, record: &Record) -> Result<Option<(usize, usize)>, JobsError> {
        if record.status() != Status::Pending {
            return Ok(None);
        }
        let queued = self.queue()?;
        Ok(queued.iter().position(|id| *id == record.id).map(|place| (place + 1, queued.len())))
    }
}

/// Records, each read when it is its turn. One that cannot be read hides none of the others.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record, JobsError>> + 'a>;

/// Which jobs are listed.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those of this agent.
    pub agent: Option<&'a str>,
    /// Only those of these agents, for a caller that must not know of others: these are left as they are, so that none is
    /// recovered or moved aside in its name.
    pub only: Option<&'a [AgentName]>,
    /// How many at the most.
    pub limit: usize,
}

impl Default for Filter<'_> {
    /// All jobs.
    fn default() -> Self {
        Self { status: None, agent: None, only: None, limit: usize::MAX }
    }
}

impl Filter<'_> {
    /// Whether the jobs of this agent are among them.
    pub fn wants(&self, agent: &str) -> bool {
        self.agent.is_none_or(|wanted| wanted == agent)
            && self.only.is_none_or(|only| is_of_only(agent, only))
    }
}

/// Whether an agent is one of these, or both are that have a dialogue.
pub fn is_of_only(agent: &str, only: &[AgentName]) -> bool {
    agent.split(DIALOGUE_SIGN).all(|agent| only.iter().any(|name| name.as_str() == agent))
}

/// What a job's program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Its standard output: the events.
    Stdout,
    /// Its standard error.
    Stderr,
    /// An answer too long for the record.
    Answer(AnswerFile),
}

/// One state of the jobs in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Bears a number of its own, as far as that is known.
    pub stamp: Option<u128>,
    /// Whether the next one would bear another.
    pub is_settled: bool,
}

impl Revision {
    /// Whether something may have changed since the state `seen`. A caller reads the jobs after asking.
    pub fn may_differ(&self, seen: &Self) -> bool {
        self.stamp.is_none() || self.stamp != seen.stamp || self.is_settled && !seen.is_settled
    }
}

/// The process that looks after a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupervisorProcess {
    /// Its id on this machine.
    pub pid: i32,
    /// Whether it does nothing now because it was stopped (SIGSTOP) or frozen.
    pub is_suspended: bool,
}

/// What became of a request to stop a job.
#[derive(Debug)]
pub enum Cancelled {
    /// It is durable, and the job's supervisor has been told.
    Requested,
    /// It could not be written, and its supervisor has been told by a signal.
    OnlyTold(StoreError),
    /// The job was finished already.
    WasOver(Box<Record>),
}

/// Why a job was not asked to stop.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The jobs could not be used.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// Its owner does not take requests from here.
    #[error("job {id} belongs to {author}; only what started it can stop it")]
    Foreign {
        /// The job.
        id: JobId,
        /// What wrote its record.
        author: &'static str,
    },
}

impl From<StoreError> for CancelError {
    fn from(error: StoreError) -> Self {
        Self::Jobs(error.into())
    }
}

/// Why jobs could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place where they are cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
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

impl JobsError {
    /// Whether it is about one job, of which something is gone or cannot be read, and says nothing about the others.
    pub fn is_of_one_job(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_of_one_job())
    }
}

/// The place where the jobs are cannot be reached: what became of them is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} cannot be reached: {why}")]
pub struct Unreachable {
    /// Its name.
    pub place: String,
    /// What happened.
    pub why: String,
}
