//! Several dispatches at once: all of them or none.

use std::fmt;

use super::{DispatchError, Engine, JobPlan, Request, Task, Tie};
use crate::model::{JobId, UnixSeconds};
use crate::supervisor::{OwnerPipe, Ownership};

/// What an agent that puts the results of others together is told, unless the caller says something else.
pub const AGGREGATE_TASK: &str = "Put the results below together into one answer to the one who asked for them. Say where \
     they contradict each other and what is missing because something failed.";

/// Jobs that have been started together.
#[derive(Debug)]
pub struct Batch {
    /// The jobs, in the order of the requests.
    pub jobs: Vec<JobId>,
    /// The job that waits for them and puts their results together.
    pub aggregate: Option<JobId>,
    /// What ties them to this process, if anything does.
    pub tie: Option<Tie>,
}

/// Which request of a batch is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchItem {
    /// The request with this number, from 0.
    Dispatch(usize),
    /// The one for the agent that puts the results together.
    Aggregate,
}

impl fmt::Display for BatchItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dispatch(number) => write!(f, "item {}", number + 1),
            Self::Aggregate => f.write_str("the aggregate"),
        }
    }
}

/// A request that was refused.
#[derive(Debug)]
pub struct Refusal {
    /// Which one.
    pub item: BatchItem,
    /// Why.
    pub error: DispatchError,
}

/// Why a batch was not started, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// There is nothing in it.
    #[error("there is nothing to dispatch")]
    Empty,
    /// These requests were refused; nothing was started.
    #[error("{} of the dispatches cannot be made, so nothing was started", .0.len())]
    Refused(Vec<Refusal>),
    /// There is no room for so many jobs; nothing was started.
    #[error(transparent)]
    NoRoom(DispatchError),
    /// A job could not be started after others had been.
    #[error("{} could not be started, after {} job{} had been: {}", refusal.item, started.len(), if started.len() == 1 { "" } else { "s" }, refusal.error)]
    Broken {
        /// The jobs that have been started: those that are tied to this process are being stopped.
        started: Vec<JobId>,
        /// Which job could not be.
        refusal: Box<Refusal>,
    },
}

impl Request {
    /// The request to put results together: [`AGGREGATE_TASK`] if the caller has no other task.
    pub fn aggregate(agent: impl Into<String>, task: Option<Task>) -> Self {
        let usual = || Task::new(AGGREGATE_TASK).expect("it is neither empty nor long");
        Self::new(agent, task.unwrap_or_else(usual))
    }
}

impl Engine {
    /// Starts a job for each request, and then one that waits for them and gets their results, if there is an
    /// `aggregate`. Nothing is started when any of them is refused.
    pub(super) fn submit_batch(
        &self,
        requests: &[Request],
        aggregate: Option<&Request>,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Batch, BatchError> {
        let prepared = self.prepare_batch(requests, aggregate)?;
        self.check_room_for(prepared.len()).map_err(BatchError::NoRoom)?;
        let mut batch = Batch { jobs: Vec::new(), aggregate: None, tie: None };
        let mut owner = None;
        for (item, mut prepared) in prepared {
            if item == BatchItem::Aggregate {
                prepared.wait_for(&batch.jobs);
            }
            let id = prepared.id();
            if let Err(error) = self.start_in(&mut owner, &batch, prepared, ownership, now) {
                return Err(BatchError::Broken {
                    started: batch.jobs,
                    refusal: Box::new(Refusal { item, error }),
                });
            }
            match item {
                BatchItem::Dispatch(_) => batch.jobs.push(id),
                BatchItem::Aggregate => batch.aggregate = Some(id),
            }
        }
        self.forget_old_jobs(now);
        batch.tie = owner.map(Tie::new);
        Ok(batch)
    }

    fn start_in(
        &self,
        owner: &mut Option<OwnerPipe>,
        batch: &Batch,
        prepared: JobPlan,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<(), DispatchError> {
        if batch.jobs.is_empty() {
            let id = prepared.id();
            // One for all: a pipe for each would be too many open files.
            *owner = OwnerPipe::open(ownership).map_err(|source| DispatchError::Start { id, source })?;
        }
        self.start_tied(prepared, owner.as_ref(), now)
    }

    /// Checks all requests and says what is wrong with each.
    fn prepare_batch(
        &self,
        requests: &[Request],
        aggregate: Option<&Request>,
    ) -> Result<Vec<(BatchItem, JobPlan)>, BatchError> {
        if requests.is_empty() {
            return Err(BatchError::Empty);
        }
        let items =
            requests.iter().enumerate().map(|(number, request)| (BatchItem::Dispatch(number), request));
        let aggregate = aggregate.map(|request| (BatchItem::Aggregate, request));
        let mut prepared = Vec::new();
        let mut refused = Vec::new();
        for (item, request) in items.chain(aggregate) {
            match self.prepare(request) {
                Ok(ready) => prepared.push((item, ready)),
                Err(first) => {
                    let mut refusals = self.refusals(request);
                    // What was wrong may not be any more: then it counts all the same.
                    if refusals.is_empty() {
                        refusals.push(first);
                    }
                    refused.extend(refusals.into_iter().map(|error| Refusal { item, error }));
                }
            }
        }
        if refused.is_empty() { Ok(prepared) } else { Err(BatchError::Refused(refused)) }
    }
}
