//! [`MemoryJobs`]: jobs that are nowhere but in the memory of a test. The test is their supervisor.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::batch::{Batch, BatchError};
use super::collect::Collection;
use super::dialogue::{Conversation, DialogueRequest};
use super::dispatch::Submitted;
use super::dispatch_error::DispatchError;
use super::dispatcher::Dispatch;
use super::ending::{End, Ending};
use super::jobs::{
    CancelError, Cancelled, Filter, Jobs, JobsError, Output, Records, Revision, SupervisorProcess,
    Unreachable,
};
use super::notice::Notice;
use super::request::Request;
use super::stats::{Selection, Stats, StatsError};
use crate::model::{JobId, JobSelector, UnixSeconds};
use crate::store::{
    Candidate, ErrorType, Finished, JobKind, JobResult, Policy, ReadAt, Record, RunStats, State, Status,
    StoreError, Verdict, plan,
};
use crate::supervisor::Ownership;

/// Jobs in memory. A clone has the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryJobs(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    jobs: BTreeMap<JobId, Kept>,
    last: Option<JobId>,
    revision: u128,
    cut_off: Option<Unreachable>,
    /// The jobs that nothing reaches that stops others.
    deaf: BTreeSet<JobId>,
    /// What each request answers at once, where that is said.
    answer: Option<String>,
    /// How often an output was asked for.
    outputs: usize,
}

#[derive(Debug)]
struct Kept {
    record: Record,
    written: BTreeMap<&'static str, Vec<u8>>,
    end: End,
}

impl MemoryJobs {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory, unless it is cut off.
    fn reach(&self) -> Result<MutexGuard<'_, Memory>, JobsError> {
        let memory = self.memory();
        match &memory.cut_off {
            Some(cut_off) => Err(cut_off.clone().into()),
            None => Ok(memory),
        }
    }

    /// A new job, which waits for its turn.
    pub(crate) fn add(&self, agent: &str, task: &str) -> JobId {
        let mut memory = self.memory();
        let id = memory.last.map_or_else(JobId::generate, JobId::generate_after);
        let created = id.created_at_ms().map_or(0.0, |millis| millis as f64 / 1_000.0);
        let mut record = Record::pending(id, agent, task, created);
        record.launch.kind = JobKind::agent("command");
        memory.last = Some(id);
        memory.jobs.insert(id, Kept { record, written: BTreeMap::new(), end: End::default() });
        memory.revision += 1;
        id
    }

    /// The same, dispatched by the agent of another one.
    pub(crate) fn add_below(&self, parent: JobId, agent: &str, task: &str) -> JobId {
        let id = self.add(agent, task);
        self.change(id, |kept| kept.record.launch.parent = Some(parent));
        id
    }

    /// A new job that runs.
    pub(crate) fn run(&self, agent: &str, task: &str) -> JobId {
        let id = self.add(agent, task);
        self.start(id);
        id
    }

    /// Starts the agent of a job.
    pub(crate) fn start(&self, id: JobId) {
        self.change(id, |kept| {
            kept.record.state = State::Running { started_at: kept.record.created_at };
            kept.written.entry("stdout").or_default();
        });
    }

    /// The agent writes, line by line what it does.
    pub(crate) fn write(&self, id: JobId, text: &str) {
        self.change(id, |kept| kept.written.entry("stdout").or_default().extend(text.as_bytes()));
    }

    /// The agent answers, which ends the job.
    pub(crate) fn answer(&self, id: JobId, text: &str) {
        self.finish(id, Verdict::Done, |record| JobResult::answer(id, &record.agent, text));
    }

    /// The agent fails, which ends the job.
    pub(crate) fn fail(&self, id: JobId, kind: ErrorType, error: &str) {
        self.finish(id, Verdict::Failed, |record| JobResult::failure(id, &record.agent, kind, error));
    }

    fn finish(&self, id: JobId, verdict: Verdict, result: impl FnOnce(&Record) -> JobResult) {
        self.change(id, |kept| {
            let result = result(&kept.record);
            kept.record.state = State::Finished(Box::new(Finished {
                started_at: kept.record.started_at(),
                completed_at: kept.record.created_at + 1.0,
                verdict,
                error: result.error.clone(),
                result: Some(result),
            }));
            kept.end.reach();
        });
    }

    fn change(&self, id: JobId, change: impl FnOnce(&mut Kept)) {
        let mut memory = self.memory();
        memory.revision += 1;
        change(memory.jobs.get_mut(&id).expect("a job that the test has added"));
    }

    /// From now on none of them can be reached.
    pub(crate) fn cut_off(&self, place: &str, why: &str) {
        self.memory().cut_off = Some(Unreachable { place: place.to_owned(), why: why.to_owned() });
    }

    /// From now on they can be reached again.
    pub(crate) fn connect(&self) {
        self.memory().cut_off = None;
    }

    /// From now on this job cannot be asked to stop.
    pub(crate) fn make_deaf(&self, id: JobId) {
        self.memory().deaf.insert(id);
    }

    /// From now on every request is answered with this at once.
    pub(crate) fn answer_all(&self, text: &str) {
        self.memory().answer = Some(text.to_owned());
    }

    /// How often an output was asked for.
    pub(crate) fn outputs(&self) -> usize {
        self.memory().outputs
    }

    fn of(&self, id: JobId) -> Result<Record, JobsError> {
        let memory = self.reach()?;
        let kept = memory.jobs.get(&id).ok_or(StoreError::NoSuchJob(id))?;
        Ok(kept.record.clone())
    }

    fn records(&self) -> Result<Vec<Record>, JobsError> {
        Ok(self.reach()?.jobs.values().map(|kept| kept.record.clone()).collect())
    }
}

impl Jobs for MemoryJobs {
    fn find(&self, selector: &JobSelector) -> Result<JobId, JobsError> {
        let memory = self.reach()?;
        match selector {
            JobSelector::Id(id) => Ok(*id),
            JobSelector::Latest => memory.last.ok_or_else(|| StoreError::Empty("memory".into()).into()),
            JobSelector::Prefix(prefix) => {
                let mut ids = memory.jobs.keys();
                let found = ids.find(|id| id.to_string().starts_with(prefix.as_str())).copied();
                Ok(found.ok_or_else(|| StoreError::NoSuchPrefix(prefix.clone()))?)
            }
        }
    }

    fn get(&self, id: JobId) -> Result<Record, JobsError> {
        self.of(id)
    }

    fn glance(&self, id: JobId) -> Option<Record> {
        self.of(id).ok()
    }

    fn list<'a>(&'a self, filter: &Filter<'a>) -> Result<Records<'a>, JobsError> {
        let filter = *filter;
        let wanted = move |record: &Record| {
            filter.wants(&record.agent) && filter.status.is_none_or(|status| status == record.status())
        };
        Ok(Box::new(self.records()?.into_iter().rev().filter(wanted).take(filter.limit).map(Ok)))
    }

    fn ids(&self) -> Result<Vec<JobId>, JobsError> {
        Ok(self.reach()?.jobs.keys().copied().collect())
    }

    fn unfinished(&self) -> Result<Vec<JobId>, JobsError> {
        let records = self.records()?.into_iter();
        Ok(records.filter(|record| record.finished().is_none()).map(|record| record.id).collect())
    }

    fn queue(&self) -> Result<Vec<JobId>, JobsError> {
        let records = self.records()?.into_iter();
        Ok(records.filter(|record| record.status() == Status::Pending).map(|record| record.id).collect())
    }

    fn revision(&self) -> Revision {
        Revision { stamp: Some(self.memory().revision), is_settled: true }
    }

    fn output(&self, id: JobId, output: Output) -> Result<Option<Box<dyn ReadAt>>, JobsError> {
        let mut memory = self.reach()?;
        memory.outputs += 1;
        let name = match output {
            Output::Stdout => "stdout",
            Output::Stderr => "stderr",
            Output::Answer(_) => "answer",
        };
        let is_there = memory.jobs.get(&id).is_some_and(|kept| kept.written.contains_key(name));
        Ok(is_there.then(|| Box::new(Written { jobs: self.clone(), id, name }) as Box<dyn ReadAt>))
    }

    fn ending(&self, record: &Record, waker: &Waker) -> Result<Ending, JobsError> {
        let memory = self.reach()?;
        Ok(memory.jobs.get(&record.id).ok_or(StoreError::NoSuchJob(record.id))?.end.wait(waker))
    }

    fn supervisor(&self, _id: JobId) -> Option<SupervisorProcess> {
        None
    }

    fn cancel(&self, id: JobId) -> Result<Cancelled, CancelError> {
        let record = self.of(id)?;
        if record.finished().is_some() {
            return Ok(Cancelled::WasOver(Box::new(record)));
        }
        if self.memory().deaf.contains(&id) {
            return Err(CancelError::Foreign { id, author: "a test" });
        }
        let stopped = "the job was cancelled";
        self.finish(id, Verdict::Cancelled, |record| {
            JobResult::failure(id, &record.agent, ErrorType::Cancelled, stopped)
        });
        Ok(Cancelled::Requested)
    }

    fn collect(&self, policy: Policy, now: UnixSeconds, dry_run: bool) -> Result<Collection, JobsError> {
        let candidate = |record: Record| Candidate {
            id: record.id,
            completed_at: record.finished().map(|finished| finished.completed_at),
        };
        let jobs = plan(self.records()?.into_iter().map(candidate), policy, now);
        if !dry_run {
            self.memory().jobs.retain(|id, _| !jobs.delete.contains(id));
        }
        Ok(Collection { jobs, ..Collection::default() })
    }
}

/// What a job has written, as far as it has come.
#[derive(Debug)]
struct Written {
    jobs: MemoryJobs,
    id: JobId,
    name: &'static str,
}

impl Written {
    fn read<T>(&self, read: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let memory = self.jobs.reach().map_err(io::Error::other)?;
        let written = memory.jobs.get(&self.id).and_then(|kept| kept.written.get(self.name));
        Ok(read(written.map_or(&[], Vec::as_slice)))
    }
}

impl ReadAt for Written {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read(|bytes| {
            let rest = &bytes[bytes.len().min(offset as usize)..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            count
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.read(|bytes| bytes.len() as u64)
    }
}

impl Dispatch for MemoryJobs {
    fn jobs(&self) -> &dyn Jobs {
        self
    }

    fn submit(
        &self,
        request: &Request,
        _ownership: Ownership,
        _now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        if let Some(cut_off) = self.memory().cut_off.clone() {
            return Err(cut_off.into());
        }
        let id = self.run(&request.agent, request.task.as_str());
        let answer = self.memory().answer.clone();
        if let Some(answer) = answer {
            self.answer(id, &answer);
        }
        Ok(Submitted { id, tie: None })
    }

    fn submit_batch(
        &self,
        requests: &[Request],
        aggregate: Option<&Request>,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Batch, BatchError> {
        let submit = |request| self.submit(request, ownership, now).map(|job| job.id);
        let jobs = requests.iter().map(submit).collect::<Result<_, _>>().map_err(BatchError::NoRoom)?;
        let aggregate = aggregate.map(submit).transpose().map_err(BatchError::NoRoom)?;
        Ok(Batch { jobs, aggregate, tie: None })
    }

    fn submit_dialogue(
        &self,
        request: DialogueRequest,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        self.submit(&Request::new(request.requester, request.topic), ownership, now)
    }

    fn converse(&self, request: DialogueRequest) -> Result<Conversation, DispatchError> {
        Err(DispatchError::UnknownAgent { name: request.requester, nearest: None })
    }

    fn refusals(&self, _request: &Request) -> Vec<DispatchError> {
        Vec::new()
    }

    fn notices(&self, _requests: &[&Request]) -> Vec<Notice> {
        Vec::new()
    }

    fn exposures(&self, _agent: &str) -> Vec<Notice> {
        Vec::new()
    }

    fn stats(&self, _selection: Selection<'_>) -> Result<Stats, StatsError> {
        drop(self.reach()?);
        Ok(Stats::default())
    }

    fn usual(&self, _agent: &str) -> Option<RunStats> {
        None
    }

    fn typical_by_agent(&self) -> HashMap<String, RunStats> {
        HashMap::new()
    }
}
