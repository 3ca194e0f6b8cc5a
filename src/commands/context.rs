//! What every command starts from: where things are, and how to talk.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::commands::Global;
use crate::config::{self, Config};
#[cfg(test)]
use crate::engine::MemoryJobs;
use crate::engine::{
    CallerContext, Dispatch, Engine, Jobs, JobsError, LocalJobs, is_trusted_journal, journal, named_usage_log,
};
use crate::error::{Exit, Failure};
use crate::model::{JobId, JobSelector, Remedy, UnixSeconds, now};
use crate::store::{Journal, StoreError};
#[cfg(test)]
use crate::ui::{ColorChoice, Verbosity};
use crate::ui::{Ui, human};

/// How many jobs are named of those that an ambiguous id could mean.
const CANDIDATES: usize = 5;

/// The place and manner of a command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) ui: Ui,
    places: Places,
    /// Other jobs than those of this machine.
    elsewhere: Option<Elsewhere>,
}

/// Jobs that are in no directory of this machine.
#[derive(Debug)]
struct Elsewhere {
    jobs: Arc<dyn Jobs>,
    dispatch: Arc<dyn Dispatch>,
}

/// Where config and jobs were said to be.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) config: Option<PathBuf>,
    pub(crate) jobs_dir: Option<PathBuf>,
}

impl Places {
    /// Where the config file is or would be; `variable` looks up one of the environment.
    pub(crate) fn config_path(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<PathBuf, Failure> {
        config::config_path(self.config.clone(), variable).map_err(Failure::from)
    }

    fn named_jobs(&self, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let named = || variable("AGENT_DISPATCH_JOBS_DIR").filter(|path| !path.is_empty());
        self.jobs_dir.clone().or_else(|| named().map(PathBuf::from))
    }

    /// Where the jobs are or would be.
    pub(crate) fn jobs_path(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
        let path = match self.named_jobs(&variable) {
            Some(path) => path,
            None => self.config_path(variable)?.parent().unwrap_or(Path::new(".")).join("jobs"),
        };
        // Supervisors work from `/`.
        absolute(&path)
    }
}

impl Context {
    pub(crate) fn new(global: &Global) -> Self {
        let places = [("--config", &global.config), ("--jobs-dir", &global.jobs_dir)];
        let places = places.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)));
        let options = places.flat_map(|(option, path)| [option.into(), path.to_string_lossy()]);
        Self {
            ui: Ui::new(global.color, global.verbosity()).called_with(options),
            places: Places { config: global.config.clone(), jobs_dir: global.jobs_dir.clone() },
            elsewhere: None,
        }
    }

    /// A context whose jobs are in memory.
    #[cfg(test)]
    pub(crate) fn with_jobs(memory: &MemoryJobs) -> Self {
        let ui = Ui::new(ColorChoice::Never, Verbosity::Quiet);
        let (jobs, dispatch) = (Arc::new(memory.clone()), Arc::new(memory.clone()));
        Self { ui, places: Places::default(), elsewhere: Some(Elsewhere { jobs, dispatch }) }
    }

    /// Where the config file is or would be.
    pub(crate) fn config_path(&self) -> Result<PathBuf, Failure> {
        self.places.config_path(|name| std::env::var_os(name))
    }

    /// Refuses a config that was named and is not there: a typing error is not to pass for an empty config.
    fn check_named_config(&self) -> Result<(), Failure> {
        match &self.places.config {
            Some(path) if matches!(path.try_exists(), Ok(false)) => {
                let message = format!("the config {} does not exist", path.display());
                Err(Failure::new(Exit::NotFound, message).remedy(Remedy::CreateConfig {}))
            }
            _ => Ok(()),
        }
    }

    /// Where the config is, for those who do not make one.
    pub(crate) fn present_config_path(&self) -> Result<PathBuf, Failure> {
        self.check_named_config()?;
        self.config_path()
    }

    /// Reads the config and passes on its warnings.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        self.check_named_config()?;
        let config = config::load(&self.config_path()?)?;
        self.detail(format_args!("config: {}", config.path.display()));
        for warning in &config.warnings {
            self.ui.warn(format_args!("{}: {warning}", config.path.display()));
        }
        Ok(config)
    }

    /// That there is no agent of this name in the config, and who may have been meant; `None` when there is one.
    pub(crate) fn unknown_agent(&self, name: &str) -> Option<String> {
        // What is wrong with the config is another matter.
        let config = config::load(&self.config_path().ok()?).ok()?;
        if config.agents.contains_key(name) {
            return None;
        }
        let meant = config.nearest(name).map(|near| format!("; did you mean '{near}'?"));
        Some(format!("there is no agent '{name}' in {}{}", config.path.display(), meant.unwrap_or_default()))
    }

    /// Where the jobs are or would be.
    pub(crate) fn jobs_path(&self) -> Result<PathBuf, Failure> {
        self.places.jobs_path(|name| std::env::var_os(name))
    }

    /// The options that name places, as they were given but absolute: for another program's calls of this tool.
    pub(crate) fn place_options(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut options = Vec::new();
        for (option, path) in [("--config", &self.places.config), ("--jobs-dir", &self.places.jobs_dir)] {
            if let Some(path) = path {
                options.extend([option.into(), absolute(path)?]);
            }
        }
        Ok(options)
    }

    /// The jobs.
    pub(crate) fn jobs(&self) -> Result<Arc<dyn Jobs>, Failure> {
        match &self.elsewhere {
            Some(elsewhere) => Ok(Arc::clone(&elsewhere.jobs)),
            None => Ok(Arc::new(self.local_jobs()?)),
        }
    }

    /// The jobs of this machine, for what only this machine can answer: completion. The directory is created when it is
    /// missing.
    pub(crate) fn local_jobs(&self) -> Result<LocalJobs, Failure> {
        if self.places.named_jobs(|name| std::env::var_os(name)).is_none() {
            self.check_named_config()?;
        }
        let path = self.jobs_path()?;
        self.detail(format_args!("jobs: {}", path.display()));
        config::check_jobs_directory(&path)?;
        Ok(LocalJobs::open(&path, self.journal_finder())?)
    }

    /// The same, for what must not create anything where there is nothing.
    pub(crate) fn existing_jobs(&self) -> Option<LocalJobs> {
        self.jobs_path().ok().filter(|path| path.is_dir()).and_then(|_| self.local_jobs().ok())
    }

    /// Finds where the ends of lost jobs are noted, by the config. That is read when there is one to be noted: most jobs
    /// are finished when they are looked at.
    pub(crate) fn journal_finder(&self) -> impl FnOnce() -> Option<Journal> + Send + 'static {
        let config = self.config_path();
        move || {
            let config = config::load(&config.ok()?).ok()?;
            journal(&config, named_usage_log().as_deref()).filter(is_trusted_journal)
        }
    }

    /// Says something to those who want to know all.
    fn detail(&self, text: impl Display) {
        if self.ui.is_verbose() {
            self.ui.note(text);
        }
    }

    /// The job that the user means. One that could be several is refused with the newest of those.
    pub(crate) fn job(&self, jobs: &dyn Jobs, selector: &JobSelector) -> Result<JobId, Failure> {
        jobs.find(selector).map_err(|error| match error {
            JobsError::Store(StoreError::AmbiguousPrefix { ref ids, .. }) => {
                let candidates = self.candidates(jobs, ids);
                let failure = Failure::from(error);
                Failure { message: format!("{}:{candidates}", failure.message), ..failure }
            }
            error => error.into(),
        })
    }

    /// The jobs that the user means, each once, in the order in which they are mentioned first.
    pub(crate) fn selected(&self, jobs: &dyn Jobs, selectors: &[JobSelector]) -> Result<Vec<JobId>, Failure> {
        let mut ids = Vec::new();
        for selector in selectors {
            let id = self.job(jobs, selector)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// Some of these jobs, a line each.
    fn candidates(&self, jobs: &dyn Jobs, ids: &[JobId]) -> String {
        let records = ids.iter().filter_map(|id| jobs.glance(*id)).take(CANDIDATES);
        let lines = records.map(|record| {
            let age = human::ago(self.now() - record.created_at);
            let task = human::one_line(&record.task, 40);
            format!("\n  {}  {}  {age}  {task}", record.id, record.agent)
        });
        let lines: Vec<String> = lines.collect();
        let more = ids.len() - lines.len();
        let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
        lines.concat() + &more
    }

    /// What takes requests: for this config, these jobs and this process's caller.
    pub(crate) fn dispatch(&self) -> Result<Arc<dyn Dispatch>, Failure> {
        if let Some(elsewhere) = &self.elsewhere {
            return Ok(Arc::clone(&elsewhere.dispatch));
        }
        let config = self.config()?;
        Ok(Arc::new(Engine::new(config, self.local_jobs()?, CallerContext::of_this_process())))
    }

    /// The time.
    pub(crate) fn now(&self) -> UnixSeconds {
        now()
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::new(Exit::Failure, format_args!("failed to find {}: {error}", path.display()))
    })
}
