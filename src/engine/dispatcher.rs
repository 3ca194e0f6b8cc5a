//! [`Dispatch`]: a place that takes requests, and has the jobs that they become.

use std::collections::HashMap;
use std::fmt;

use super::Engine;
use super::batch::{Batch, BatchError};
use super::dialogue::{Conversation, DialogueRequest};
use super::dispatch::Submitted;
use super::dispatch_error::DispatchError;
use super::jobs::Jobs;
use super::notice::Notice;
use super::request::Request;
use super::stats::{Selection, Stats, StatsError};
use crate::model::UnixSeconds;
use crate::store::RunStats;
use crate::supervisor::Ownership;

/// A place that takes requests. Unlike [`Jobs`] it needs to know of the agents: looking at jobs and stopping them works
/// while the config is broken.
pub trait Dispatch: fmt::Debug + Send + Sync {
    /// The jobs there.
    fn jobs(&self) -> &dyn Jobs;

    /// Records a job and starts it, at the time `now`. When this returns, the job survives its caller, unless `ownership`
    /// says otherwise. Everything that can be refused is refused before a job exists.
    fn submit(
        &self,
        request: &Request,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError>;

    /// Starts a job for each request, and then one that waits for them and gets their results, if there is an
    /// `aggregate`. Nothing is started when any of them is refused.
    fn submit_batch(
        &self,
        requests: &[Request],
        aggregate: Option<&Request>,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Batch, BatchError>;

    /// Starts a job that is a whole dialogue.
    fn submit_dialogue(
        &self,
        request: DialogueRequest,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError>;

    /// Begins a dialogue, whose turns the caller dispatches one after the other. Everything about the two agents that can
    /// be refused is refused here.
    fn converse(&self, request: DialogueRequest) -> Result<Conversation, DispatchError>;

    /// Everything that speaks against a request.
    fn refusals(&self, request: &Request) -> Vec<DispatchError>;

    /// What a caller should know of requests that are accepted, each once.
    fn notices(&self, requests: &[&Request]) -> Vec<Notice>;

    /// And of an agent, whatever it is asked.
    fn exposures(&self, agent: &str) -> Vec<Notice>;

    /// What the usage journal tells of the jobs.
    fn stats(&self, selection: Selection<'_>) -> Result<Stats, StatsError>;

    /// What recent successful runs of an agent took and cost; `None` when there were none, or no journal tells.
    fn usual(&self, agent: &str) -> Option<RunStats>;

    /// The same for every agent, in one look.
    fn typical_by_agent(&self) -> HashMap<String, RunStats>;
}

impl Dispatch for Engine {
    fn jobs(&self) -> &dyn Jobs {
        &self.local
    }

    fn submit(
        &self,
        request: &Request,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        self.start(self.prepare(request)?, ownership, now)
    }

    fn submit_batch(
        &self,
        requests: &[Request],
        aggregate: Option<&Request>,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Batch, BatchError> {
        Self::submit_batch(self, requests, aggregate, ownership, now)
    }

    fn submit_dialogue(
        &self,
        request: DialogueRequest,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        Self::submit_dialogue(self, request, ownership, now)
    }

    fn converse(&self, request: DialogueRequest) -> Result<Conversation, DispatchError> {
        Self::converse(self, request)
    }

    fn refusals(&self, request: &Request) -> Vec<DispatchError> {
        Self::refusals(self, request)
    }

    fn notices(&self, requests: &[&Request]) -> Vec<Notice> {
        Self::notices(self, requests)
    }

    fn exposures(&self, agent: &str) -> Vec<Notice> {
        Self::exposures(self, agent)
    }

    fn stats(&self, selection: Selection<'_>) -> Result<Stats, StatsError> {
        Self::stats(self, selection)
    }

    fn usual(&self, agent: &str) -> Option<RunStats> {
        self.journal()?.usual(agent)
    }

    fn typical_by_agent(&self) -> HashMap<String, RunStats> {
        Self::typical_by_agent(self)
    }
}
