//! The state that all calls share: the config as it is now, the jobs, and what the client may do.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::authority::Authority;
use super::refused::Refused;
use super::remedy::Advisor;
use super::scope::Scope;
use crate::config::{self, Agent, AgentName, Config, ConfigError};
use crate::engine::{
    CallerContext, Dispatch, DispatchError, Engine, Filter, Jobs, JobsError, Listed, Listing, LocalJobs,
};
use crate::model::{JobId, Remedy};
use crate::remedy::Commands;
use crate::store::{Record, Status, StoreError};

/// One server's view of the config and the jobs. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct ServerState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: PathBuf,
    jobs: PathBuf,
    authority: Authority,
    advisor: Advisor,
    caller_context: CallerContext,
    loaded: Mutex<Option<Loaded>>,
    /// What there is, where it does not come from files of this machine.
    fixed: Option<View>,
    starts: Arc<Semaphore>,
}

/// How many calls start a job at the same moment.
const STARTS_AT_ONCE: usize = 3;

/// How long a server that is to end waits for jobs that are being started. It takes some milliseconds as a rule.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// The config and the jobs as they were when a call came. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) config: Arc<Config>,
    pub(super) dispatch: Arc<dyn Dispatch>,
    scope: Arc<Scope>,
}

impl View {
    /// The jobs.
    pub(super) fn jobs(&self) -> &dyn Jobs {
        self.dispatch.jobs()
    }
}

/// A view and what it was made from.
#[derive(Debug)]
struct Loaded {
    stamp: Stamp,
    view: View,
}

/// Tells one state of the config from another, and one jobs directory from another in its place.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    /// Device, inode, length and time of change; `None` where there is no config.
    config: Option<(u64, u64, u64, i64, i64)>,
    /// Device and inode.
    jobs: Option<(u64, u64)>,
}

impl Stamp {
    fn of(config: &Path, jobs: &Path) -> Self {
        let config = std::fs::metadata(config).ok();
        let jobs = std::fs::metadata(jobs).ok();
        Self {
            config: config.map(|file| (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())),
            jobs: jobs.map(|directory| (directory.dev(), directory.ino())),
        }
    }
}

impl ServerState {
    pub(super) fn new(config: PathBuf, jobs: PathBuf, commands: Commands, authority: Authority) -> Self {
        Self(Arc::new(Shared {
            config,
            jobs,
            advisor: Advisor::new(&authority, commands),
            authority,
            caller_context: CallerContext::of_this_process(),
            loaded: Mutex::default(),
            fixed: None,
            starts: Arc::new(Semaphore::new(STARTS_AT_ONCE)),
        }))
    }

    /// A state whose jobs are in memory.
    #[cfg(test)]
    pub(super) fn with_jobs(
        memory: &crate::engine::MemoryJobs,
        config: Config,
        authority: Authority,
    ) -> Self {
        let scope =
            authority.agents.as_ref().map_or_else(Scope::everything, |agents| Scope::of(agents, &config));
        let (config, scope) = (Arc::new(config), Arc::new(scope));
        let view = View { config, dispatch: Arc::new(memory.clone()), scope };
        let state = Self::new(PathBuf::new(), PathBuf::new(), Commands::default(), authority);
        let shared = Arc::into_inner(state.0).expect("no other call has it yet");
        Self(Arc::new(Shared { fixed: Some(view), ..shared }))
    }

    /// Where the config is.
    pub(super) fn config_path(&self) -> &Path {
        &self.0.config
    }

    /// What the client may do.
    pub(super) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// How the client is told what to do.
    pub(super) fn advisor(&self) -> &Advisor {
        &self.0.advisor
    }

    /// A refusal as the client is told it.
    pub(super) fn text_of(&self, refused: &Refused) -> String {
        refused.text(|remedy| self.0.advisor.tell(remedy, &|_| None))
    }

    /// The config and the jobs as they are now: a change of the file holds for the next call. What takes requests knows
    /// only of the agents that the client may know of.
    pub(super) fn view(&self) -> Result<View, Refused> {
        if let Some(view) = &self.0.fixed {
            return Ok(view.clone());
        }
        let stamp = Stamp::of(&self.0.config, &self.0.jobs);
        let mut loaded = lock(&self.0.loaded);
        if let Some(loaded) = &*loaded
            && loaded.stamp == stamp
        {
            return Ok(loaded.view.clone());
        }
        let config = config::load(&self.0.config).map_err(|error| self.unusable_config(error))?;
        config::check_jobs_directory(&self.0.jobs).map_err(|error| self.unusable_config(error.into()))?;
        let jobs = LocalJobs::open(&self.0.jobs, || None)?;
        // Opening may have created the directory.
        let stamp = Stamp { jobs: Stamp::of(&self.0.config, &self.0.jobs).jobs, ..stamp };
        let caller_context = self.0.caller_context.clone();
        let (config, scope) = match &self.0.authority.agents {
            None => (Arc::new(config), Scope::everything()),
            Some(agents) => {
                let scope = Scope::of(agents, &config);
                (Arc::new(config.only(agents)), scope)
            }
        };
        let engine = Engine::new(Arc::clone(&config), jobs, caller_context);
        let engine = if self.is_limited() { engine.with_own_sessions_only() } else { engine };
        let view = View { config, dispatch: Arc::new(engine), scope: Arc::new(scope) };
        *loaded = Some(Loaded { stamp, view: view.clone() });
        Ok(view)
    }

    /// Whether there is something that the client must not know of.
    pub(super) fn is_limited(&self) -> bool {
        self.0.authority.agents.is_some()
    }

    /// Whether the client may know of this agent, or of both that have a dialogue.
    pub(super) fn shows(&self, agent: &str) -> bool {
        self.0.authority.shows(agent)
    }

    /// The agents the client may know of.
    pub(super) fn agents<'a>(&self, config: &'a Config) -> impl Iterator<Item = (&'a AgentName, &'a Agent)> {
        config.agents.iter().filter(|(name, _)| self.shows(name.as_str()))
    }

    /// Refuses an agent that the client must not know of as if it did not exist.
    pub(super) fn check_agent(&self, name: &str, config: &Config) -> Result<(), DispatchError> {
        if self.shows(name) && config.agents.contains_key(name) {
            return Ok(());
        }
        let nearest = config.nearest(name).filter(|nearest| self.shows(nearest.as_str())).cloned();
        Err(DispatchError::UnknownAgent { name: name.to_owned(), nearest })
    }

    /// Says that the config cannot be used. What is wrong with it may be about any agent.
    pub(super) fn unusable_config(&self, error: ConfigError) -> Refused {
        if self.is_limited() {
            return Refused::with_remedy("the server's config cannot be used", Remedy::Diagnose {});
        }
        error.into()
    }

    /// Says that the jobs cannot be read. What is wrong with them may be about any job.
    pub(super) fn unusable_jobs(&self, error: JobsError) -> Refused {
        if self.is_limited() && !matches!(error, JobsError::Store(StoreError::NoSuchJob(_))) {
            return Refused::with_remedy("the jobs cannot be used now", Remedy::Diagnose {});
        }
        error.into()
    }

    /// Runs what may block on a thread of its own.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let state = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&state)).await;
        done.unwrap_or_else(|error| Err(Refused::new(format_args!("the call ended early: {error}"))))
    }

    /// The same for what starts a job: a few at a time are quicker than all at once.
    pub(super) async fn starting<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        // It is never closed.
        let turn = Arc::clone(&self.0.starts).acquire_owned().await;
        self.blocking(move |state| {
            // Kept by what starts the job, which goes on when the call that waits for it does not.
            let _turn = turn;
            work(state)
        })
        .await
    }

    /// Waits until all jobs that were to be started have been: one that has a record and no supervisor would be lost. As
    /// long as the result is kept, no other one is started.
    pub(super) async fn finish_starts(&self) -> Option<OwnedSemaphorePermit> {
        let all = u32::try_from(STARTS_AT_ONCE).unwrap_or(1);
        tokio::time::timeout(STARTS_WITHIN, Arc::clone(&self.0.starts).acquire_many_owned(all))
            .await
            .ok()?
            .ok()
    }

    /// Reads the record of a job, recovering it if its supervisor has died. For a client that must not know of it there
    /// is no such job, whatever it knows of its id.
    pub(super) fn look(&self, id: JobId) -> Result<Record, Refused> {
        let view = self.view()?;
        let jobs = view.jobs();
        // Looked at without a trace: what cannot be read now belongs to no client.
        if self.is_limited() && !jobs.glance(id).is_some_and(|record| self.shows(&record.agent)) {
            return Err(StoreError::NoSuchJob(id).into());
        }
        let record = jobs.get(id).map_err(|error| self.unusable_jobs(error))?;
        Ok(view.scope.limit(record, jobs))
    }

    /// The newest jobs that the client may know of, and what is wrong with others, if it may know that.
    pub(super) fn list(
        &self,
        status: Option<Status>,
        agent: Option<&str>,
        limit: usize,
    ) -> Result<Listing, Refused> {
        let view = self.view()?;
        let filter = Filter { status, agent, only: self.0.authority.agents.as_deref(), limit };
        let listed = Listed::new(view.jobs(), &filter).map_err(|error| self.unusable_jobs(error))?;
        let listing = listed.gather();
        let limited = |record| view.scope.limit(record, view.jobs());
        Ok(Listing {
            records: listing.records.into_iter().map(limited).collect(),
            // Whose a damaged record is cannot be told.
            unreadable: if self.is_limited() { Vec::new() } else { listing.unreadable },
            more_unreadable: if self.is_limited() { 0 } else { listing.more_unreadable },
        })
    }
}

/// A panic of one call is no reason to fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
