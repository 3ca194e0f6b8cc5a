//! From a request to a running job.

use std::fmt;
use std::time::Duration;

use super::collect::collect_by_itself;
use super::{DispatchError, Engine, JobPlan};
use crate::model::{JobId, UnixSeconds};
use crate::os;
use crate::store::{ErrorType, Finished, HeldJob, JobResult, Journal, Record, State, StoreError, Verdict};
use crate::supervisor::{self, LaunchSpec, OwnerPipe, Ownership, StartError};

/// How long a command that is run after the end may take, in milliseconds: it is a notification, not work.
const ON_DONE_LIMIT_MS: u64 = 60_000;

/// Tells the agent's own dispatches where the jobs are: a chain of dispatches shares one directory.
const JOBS_DIR_VARIABLE: &str = "AGENT_DISPATCH_JOBS_DIR";

/// And where the agents and the limits are.
const CONFIG_VARIABLE: &str = "AGENT_DISPATCH_CONFIG";

/// As long as this is kept the jobs that are tied to it go on.
#[must_use = "dropping it stops the jobs that are tied to it"]
pub struct Tie(#[expect(dead_code, reason = "it is only kept")] Box<dyn Send + Sync>);

impl Tie {
    /// What stops them when it is dropped.
    pub fn new(owner: impl Send + Sync + 'static) -> Self {
        Self(Box::new(owner))
    }
}

impl fmt::Debug for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tie")
    }
}

/// A job that has just been started.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub id: JobId,
    /// What ties it to this process, if anything does: dropping it stops the job.
    pub tie: Option<Tie>,
}

impl Engine {
    /// Records a job and starts its supervisor, at the time `now`.
    pub(super) fn start(
        &self,
        prepared: JobPlan,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        let id = prepared.id();
        let owner = OwnerPipe::open(ownership).map_err(|source| DispatchError::Start { id, source })?;
        self.start_tied(prepared, owner.as_ref(), now)?;
        self.forget_old_jobs(now);
        Ok(Submitted { id, tie: owner.map(Tie::new) })
    }

    /// Starts a job that is tied to `owner`, if there is one.
    pub(super) fn start_tied(
        &self,
        prepared: JobPlan,
        owner: Option<&OwnerPipe>,
        now: UnixSeconds,
    ) -> Result<(), DispatchError> {
        let admission = self.admit()?;
        if let Some(root) = self.root() {
            let limit = self.config.settings.max_tree_jobs;
            if self.store().count_in_tree(root)? > u64::from(limit) {
                return Err(DispatchError::TreeTooLarge { root, limit });
            }
        }
        let record = Record { created_at: now, ..prepared.record };
        let job = self.store().create(&record)?;
        drop(admission);
        let started = || -> Result<(), StartError> {
            let folder = job.folder()?;
            for (name, content) in &prepared.command_line.files {
                folder.put(name, content.as_bytes())?;
            }
            let order = LaunchSpec {
                launch: record.launch.clone(),
                argv: prepared.command_line.argv,
                environment: vec![
                    (JOBS_DIR_VARIABLE.to_owned(), self.store().path().as_os_str().to_owned()),
                    (CONFIG_VARIABLE.to_owned(), self.config.path.as_os_str().to_owned()),
                ],
                rules: prepared.rules,
                parent_waits: self.caller_context.parent.filter(|_| owner.is_some()),
                max_concurrency: self.config.settings.max_concurrency,
                config: self.config.path.clone().into(),
                usage_log: prepared.journal.as_ref().map(|journal| journal.path().into()),
                umask: os::umask(),
                output_limit_bytes: u64::from(self.config.settings.output_limit_mb) * 1024 * 1024,
                on_done: prepared.on_done,
                on_done_limit_ms: ON_DONE_LIMIT_MS,
            };
            supervisor::start(self.store(), &job, &folder, &order, prepared.prompt.as_bytes(), owner)
        };
        let id = record.id;
        started().map_err(|source| {
            self.conclude_unstarted(job, record, &source, prepared.journal.as_ref(), now);
            DispatchError::Start { id, source }
        })
    }

    /// Deletes jobs older than `job_retention_days`, if it is time for that. Errors are not
    /// reported to the caller, who starts a job: `gc` reports them.
    pub(super) fn forget_old_jobs(&self, now: UnixSeconds) {
        let days = self.config.settings.job_retention_days;
        if days > 0 {
            let retention = Duration::from_secs(u64::from(days) * 86_400);
            let _ = collect_by_itself(self.store(), retention, now);
        }
    }

    /// Records that a job was never started.
    fn conclude_unstarted(
        &self,
        job: HeldJob<'_>,
        mut record: Record,
        why: &StartError,
        journal: Option<&Journal>,
        now: UnixSeconds,
    ) {
        let (id, error) = (record.id, why.to_string());
        let _ = job.folder().map(|folder| folder.remove_temporary());
        record.state = State::Finished(Box::new(Finished {
            started_at: None,
            completed_at: now,
            verdict: Verdict::Failed,
            result: Some(JobResult::failure(id, &record.agent, ErrorType::CliError, &error)),
            error: Some(error),
        }));
        if let Err((job, _)) = job.finish(&record, journal) {
            // Nothing was started, so nothing is lost with a record that cannot say so.
            let _ = self.store().delete(id);
            job.release();
        }
    }

    /// The id of the next job. Ids say who came first: where the clock has been set back, a job would get before those
    /// that wait already.
    pub(super) fn next_id(&self) -> Result<JobId, StoreError> {
        let last = self.store().queued()?.last().copied();
        Ok(last.map_or_else(JobId::generate, JobId::generate_after))
    }

    /// The first job of the chain that led here, if this is one.
    pub(super) fn root(&self) -> Option<JobId> {
        self.caller_context.root.or_else(|| {
            let parent = self.caller_context.parent?;
            Some(self.store().read(parent).ok().and_then(|record| record.launch.root).unwrap_or(parent))
        })
    }
}
