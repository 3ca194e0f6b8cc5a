//! What every command starts from: where things are, and how to talk.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::Global;
use crate::config::{self, Config};
use crate::engine::{Engine, Surroundings};
use crate::error::{Exit, Failure};
use crate::store::{JobId, JobSelector, Store, StoreError, UnixSeconds};
use crate::ui::{Ui, human};

/// How many jobs are named of those that somebody could mean.
const CANDIDATES: usize = 5;

/// The place and manner of a command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) ui: Ui,
    places: Places,
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

    /// Where the jobs are or would be.
    pub(crate) fn jobs_path(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
        let named = variable("AGENT_DISPATCH_JOBS_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = match self.jobs_dir.clone().or(named) {
            Some(path) => path,
            None => self.config_path(variable)?.parent().unwrap_or(Path::new(".")).join("jobs"),
        };
        // Supervisors work from `/`.
        absolute(&path)
    }
}

impl Context {
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            ui: Ui::new(global.color, global.quiet),
            places: Places { config: global.config.clone(), jobs_dir: global.jobs_dir.clone() },
        }
    }

    /// Where the config file is or would be.
    pub(crate) fn config_path(&self) -> Result<PathBuf, Failure> {
        self.places.config_path(|name| std::env::var_os(name))
    }

    /// Reads the config and passes on its warnings.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let config = config::load(&self.config_path()?)?;
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

    /// The options that name places, as they were given but absolute: for somebody else's use of this tool.
    pub(crate) fn place_options(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut options = Vec::new();
        for (option, path) in [("--config", &self.places.config), ("--jobs-dir", &self.places.jobs_dir)] {
            if let Some(path) = path {
                options.extend([option.into(), absolute(path)?]);
            }
        }
        Ok(options)
    }

    /// Opens the jobs directory, which is created when it is missing.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.jobs_path()?)?)
    }

    /// The job that somebody means. One that could be several is refused with the newest of those.
    pub(crate) fn job(&self, store: &Store, selector: &JobSelector) -> Result<JobId, Failure> {
        store.resolve(selector).map_err(|error| match error {
            StoreError::AmbiguousPrefix { ref ids, .. } => {
                let candidates = self.candidates(store, ids);
                let failure = Failure::from(error);
                let hint = failure.hint.clone().unwrap_or_default();
                failure.hint(format!("{hint}:{candidates}"))
            }
            error => error.into(),
        })
    }

    /// Some of these jobs, a line each.
    fn candidates(&self, store: &Store, ids: &[JobId]) -> String {
        let records = ids.iter().filter_map(|id| store.read(*id).ok()).take(CANDIDATES);
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

    /// The engine for this config, these jobs and this process's surroundings.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        Ok(Engine::new(self.config()?, self.store()?, Surroundings::of_this_process()))
    }

    /// The time.
    pub(crate) fn now(&self) -> UnixSeconds {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::new(Exit::Failure, format_args!("failed to find {}: {error}", path.display()))
    })
}
