//! Admission: a job waits for its session, for its agent's directory and for a slot before its agent starts.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::stop_sources::{StopSources, TICK};
use super::{LaunchSpec, ancestry};
use crate::backend::Stop;
use crate::config;
use crate::model::{JobId, Remedy};
use crate::os;
use crate::store::{
    Lease, Liveness, QueueTicket, Record, Resource, Slot, Store, StoreError, TryAcquire, Waiter,
};

/// How often the first in the queue looks for a slot at least.
const LOOK_AT_LEAST: Duration = Duration::from_millis(50);
/// And at most.
const LOOK_AT_MOST: Duration = Duration::from_millis(2);

/// How often it makes sure that it still is the first: a job that was created earlier can join later. Reading the names of
/// a long queue costs more than a look for a slot.
const STILL_FIRST: Duration = Duration::from_secs(1);

/// And one that is not the first, whom the one before wakes.
const LOOK_BEHIND_OTHERS: Duration = Duration::from_secs(2);

/// The same where the kernel announces requests to stop: a thousand jobs that wait must cost next to nothing.
const LOOK_WHEN_ANNOUNCED: Duration = Duration::from_secs(60);

/// A job that waits for admission.
pub(super) struct Admission<'a> {
    store: &'a Store,
    record: &'a Record,
    spec: &'a LaunchSpec,
    limit: Limit,
    permit: Permit,
    place: Option<QueueTicket>,
}

/// What a job holds while its agent runs.
#[derive(Default)]
pub(super) struct Permit {
    leases: Vec<Lease>,
    slot: Option<Slot>,
}

/// How the wait ended.
pub(super) enum Granted {
    /// The agent may run as long as the permit lives.
    Yes(Permit),
    /// The job is to stop.
    Stopped(Stop),
    /// Something it needs is in use, and it is not to wait, or waiting would never end.
    Busy(String, Remedy),
    /// There is nothing for the job to do.
    Pointless(String, Remedy),
    /// The job cannot wait.
    Failed(StoreError),
}

/// What came of an attempt to acquire one of several things.
enum Attempt<'c> {
    Acquired(Lease),
    /// Other jobs have all of them.
    AllBusy(Vec<Busy<'c>>),
}

/// Something that another job has.
struct Busy<'c> {
    what: Resource<'c>,
    /// Which job, if it left its name.
    holder: Option<JobId>,
    waiter: Waiter,
}

impl<'a> Admission<'a> {
    /// Takes what is free and otherwise a place in the queue: a job that comes later comes after this one.
    pub(super) fn join(
        store: &'a Store,
        record: &'a Record,
        spec: &'a LaunchSpec,
    ) -> Result<Self, StoreError> {
        let limit = Limit::new(spec);
        let mut admission = Self { store, record, spec, limit, permit: Permit::default(), place: None };
        for alternatives in spec.rules.needs(record) {
            match admission.try_acquire_one(&alternatives)? {
                Attempt::Acquired(lease) => admission.permit.leases.push(lease),
                Attempt::AllBusy(_) => {
                    admission.permit.leases.clear();
                    return Ok(admission);
                }
            }
        }
        // Where no job waits, a free slot can be taken without queuing for it.
        if store.queued()?.is_empty() {
            admission.permit.slot = store.try_take_slot(admission.limit.now())?;
        }
        if admission.permit.slot.is_none() {
            admission.place = Some(store.enqueue(record.id)?);
        }
        Ok(admission)
    }

    /// Acquires one of these, the first that is free.
    fn try_acquire_one<'c>(&self, alternatives: &[Resource<'c>]) -> Result<Attempt<'c>, StoreError> {
        let mut busy = Vec::new();
        for &what in alternatives {
            match self.try_acquire(what)? {
                TryAcquire::Acquired(lease) => return Ok(Attempt::Acquired(lease)),
                TryAcquire::Busy { holder, waiter } => busy.push(Busy { what, holder, waiter }),
            }
        }
        Ok(Attempt::AllBusy(busy))
    }

    fn try_acquire(&self, what: Resource<'_>) -> Result<TryAcquire, StoreError> {
        let acquired = self.store.try_acquire(what, self.record.id)?;
        let (Resource::Session(session), TryAcquire::Acquired(_)) = (what, &acquired) else {
            return Ok(acquired);
        };
        // TryAcquire first and looked for then: of two that want it, one waits for the other.
        for id in self.store.active_ids()? {
            let has_it = |record: Record| record.launch.session_id.as_deref() == Some(session);
            if id != self.record.id
                && self.store.read(id).is_ok_and(|record| !record.launch.resumed && has_it(record))
                && self.store.liveness(id)? == Liveness::Alive
                && let Some(waiter) = self.store.waiter(id)?
            {
                return Ok(TryAcquire::Busy { holder: Some(id), waiter });
            }
        }
        Ok(acquired)
    }

    /// Waits until the job is admitted, or is to stop.
    pub(super) fn wait(mut self, stop_sources: &mut StopSources) -> Result<Granted, StoreError> {
        if self.permit.slot.is_some() {
            return Ok(Granted::Yes(self.permit));
        }
        if self.place.is_none() {
            if let Some(end) = self.wait_for_leases(stop_sources)? {
                return Ok(end);
            }
            self.place = Some(self.store.enqueue(self.record.id)?);
        }
        let arrived = Instant::now();
        let mut before: Option<OwnedFd> = None;
        let mut first: Option<Instant> = None;
        let mut is_announced = false;
        while let Some(place) = &self.place {
            // The slot of a parent that waits for this job is as good as one of its own.
            if let Some(parent) = self.waiting_parent()
                && let TryAcquire::Acquired(loan) =
                    self.store.try_acquire(Resource::SlotOf(parent), self.record.id)?
            {
                self.permit.leases.push(loan);
                break;
            }
            if before.is_none() && first.is_none_or(|since| since.elapsed() >= STILL_FIRST) {
                let waiter = place.predecessor()?.map(Waiter::into_descriptor).transpose();
                before = waiter.map_err(|error| self.failed(error))?;
                first = before.is_none().then(Instant::now);
                if before.is_some() {
                    os::release_freed_memory();
                }
            }
            let pause = if before.is_some() {
                // The first wait is short: it ends with a look for requests that came before they were announced.
                let pause = self.look_behind_others(is_announced);
                is_announced = is_announced || stop_sources.announce_requests();
                pause
            } else if let Some(slot) = self.store.try_take_slot(self.limit.now())? {
                self.permit.slot = Some(slot);
                break;
            } else {
                // Agents run for minutes as a rule: the longer the wait so far, the longer it will be.
                (arrived.elapsed() / 50).clamp(LOOK_AT_MOST, LOOK_AT_LEAST)
            };
            if let Some(stop) = stop_sources.wait(before.as_ref().map(AsFd::as_fd), pause) {
                return Ok(Granted::Stopped(stop));
            }
            before = before.filter(|before| !is_readable(before));
        }
        Ok(Granted::Yes(self.permit))
    }

    /// How often a job that stands behind another looks around. Its place in the queue and requests to stop wake it at
    /// once; only a parent that begins to wait for it does not.
    fn look_behind_others(&self, is_announced: bool) -> Duration {
        match self.record.launch.parent {
            Some(_) => TICK,
            None if is_announced => LOOK_WHEN_ANNOUNCED,
            None => LOOK_BEHIND_OTHERS,
        }
    }

    /// The job whose agent has dispatched this one and waits for it now.
    fn waiting_parent(&self) -> Option<JobId> {
        let waits = |_: &JobId| self.store.is_leased(Resource::WaitFor(self.record.id));
        self.spec.parent_waits.or_else(|| self.record.launch.parent.filter(waits))
    }

    /// Acquires what the job needs, one after the other, waiting where other jobs have it.
    fn wait_for_leases(&mut self, stop_sources: &mut StopSources) -> Result<Option<Granted>, StoreError> {
        for alternatives in self.spec.rules.needs(self.record) {
            loop {
                let mut busy = match self.try_acquire_one(&alternatives)? {
                    Attempt::Acquired(lease) => {
                        self.permit.leases.push(lease);
                        break;
                    }
                    Attempt::AllBusy(busy) => busy,
                };
                let is_ancestor = |id: JobId| ancestry::is_ancestor(self.store, id, self.record);
                let held_by_ancestor = busy.iter().find(|busy| busy.holder.is_some_and(is_ancestor));
                let refused_for = match held_by_ancestor {
                    // The ancestor waits for this job.
                    Some(busy) if busy.what.is_lent_to_descendants() => break,
                    Some(busy) => Some(busy),
                    None => busy.last().filter(|_| self.spec.rules.fail_if_busy),
                };
                if let Some(Busy { what, holder, .. }) = refused_for {
                    let by = holder.map(|id| format!(" by job {id}")).unwrap_or_default();
                    let remedy = match held_by_ancestor {
                        // It waits for this job, so waiting for it would never end.
                        Some(_) => Remedy::StartNewSession { agent: Some(self.record.agent.clone()) },
                        None => Remedy::WaitForTurn { holder: *holder },
                    };
                    return Ok(Some(Granted::Busy(format!("{what} in use{by}"), remedy)));
                }
                let Some(Busy { waiter, .. }) = busy.pop() else { break };
                let free = waiter.into_descriptor().map_err(|error| self.failed(error))?;
                while !is_readable(&free) {
                    if let Some(stop) = stop_sources.wait(Some(free.as_fd()), TICK) {
                        return Ok(Some(Granted::Stopped(stop)));
                    }
                    // Another of the alternatives may be free by now.
                    if alternatives.len() > 1 {
                        break;
                    }
                }
            }
        }
        Ok(None)
    }

    fn failed(&self, source: std::io::Error) -> StoreError {
        let path = self.store.path().to_owned();
        os::FileError::Io { action: "wait for a turn in", path, source }.into()
    }
}

fn is_readable(descriptor: &OwnedFd) -> bool {
    os::wait_readable(&[descriptor.as_fd()], Duration::ZERO)[0]
}

/// How many agents may run at once: what the config says now, so that changing it changes what waits.
struct Limit {
    config: PathBuf,
    modified: Option<SystemTime>,
    looked: Instant,
    value: u32,
}

impl Limit {
    fn new(spec: &LaunchSpec) -> Self {
        let config = PathBuf::from(&spec.config);
        let modified = modified(&config);
        Self { config, modified, looked: Instant::now(), value: spec.max_concurrency }
    }

    fn now(&mut self) -> u32 {
        if self.looked.elapsed() >= TICK {
            self.looked = Instant::now();
            let modified = modified(&self.config);
            if modified != self.modified {
                self.modified = modified;
                // A config that is broken for a moment changes nothing.
                if let Ok(config) = config::reload(&self.config) {
                    self.value = config.settings.max_concurrency;
                }
            }
        }
        self.value
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_that_has_become_a_fifo_keeps_no_supervisor_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("agents.yaml");
        rustix::fs::mkfifoat(rustix::fs::CWD, &config, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let held = std::fs::File::options().read(true).write(true).open(&config).unwrap();
        let began = Instant::now();
        let looked = began.checked_sub(TICK).unwrap();
        assert_eq!(Limit { config, modified: None, looked, value: 3 }.now(), 3);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        drop(held);
    }
}
