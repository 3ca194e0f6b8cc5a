//! What the journal tells: how often the agents succeed, what they cost, and how long they take.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Serialize;

use super::jobs::{Jobs, JobsError};
use super::{Engine, journal};
use crate::config::{Timeout, Untrusted, check_journal};
use crate::model::UnixSeconds;
use crate::os::FileError;
use crate::store::{Entry, JobResult, Journal, RunStats};

/// How many runs it takes to tell what is usual.
const ENOUGH_RUNS: usize = 5;

/// The jobs that are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// Only those that ended at this time or later.
    pub since: Option<UnixSeconds>,
    /// Only those of this agent.
    pub agent: Option<&'a str>,
}

/// What the journal says of the jobs that were selected.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    /// For each agent that had one.
    pub agents: BTreeMap<String, Figures>,
    /// For all of them together.
    pub total: Figures,
    /// How many lines of the journal cannot be read.
    pub unreadable_lines: u64,
    /// Where the journal is, for people.
    #[serde(skip)]
    pub place: String,
}

/// The figures of some jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How many there were.
    pub jobs: u64,
    /// How many of them ended as they should, with an answer.
    pub succeeded: u64,
    /// What they cost, in US dollars, as far as that is known.
    pub cost_usd: f64,
    /// What the successful ones took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<RunStats>,
    /// How many agents said what of their work.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many failed in which way.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    durations_ms: Vec<u64>,
    #[serde(skip)]
    costs_usd: Vec<f64>,
}

impl Figures {
    fn count(&mut self, entry: &Entry) {
        self.jobs += 1;
        self.cost_usd += entry.cost_usd.unwrap_or(0.0);
        if let Some(outcome) = entry.outcome {
            *self.outcomes.entry(outcome.name()).or_default() += 1;
        }
        if let Some(error) = entry.error_type.filter(|_| !entry.success) {
            *self.errors.entry(error.name()).or_default() += 1;
        }
        if entry.success {
            self.succeeded += 1;
            self.durations_ms.extend(entry.duration_ms);
            self.costs_usd.extend(entry.cost_usd);
        }
    }

    fn conclude(&mut self) {
        self.cost_usd = JobResult::total_usd([self.cost_usd]).unwrap_or(0.0);
        self.usual =
            RunStats::of(std::mem::take(&mut self.durations_ms), std::mem::take(&mut self.costs_usd));
    }
}

/// Why there are no statistics.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// Nothing is noted.
    #[error("the usage journal is switched off")]
    Off,
    /// Another user could have written what would be read.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The journal cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The jobs could not be used.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

/// Reads a whole journal.
fn stats(journal: &Journal, selection: Selection<'_>) -> Result<Stats, FileError> {
    let mut stats = Stats { place: journal.path().display().to_string(), ..Stats::default() };
    journal.for_each(|entry| {
        let Some(entry) = entry else {
            stats.unreadable_lines += 1;
            return;
        };
        let is_selected = selection.since.is_none_or(|since| entry.time >= since)
            && selection.agent.is_none_or(|agent| agent == entry.agent);
        if is_selected {
            stats.total.count(&entry);
            match stats.agents.get_mut(&entry.agent) {
                Some(figures) => figures.count(&entry),
                None => stats.agents.entry(entry.agent.clone()).or_default().count(&entry),
            }
        }
    })?;
    stats.agents.values_mut().chain([&mut stats.total]).for_each(Figures::conclude);
    Ok(stats)
}

/// A time limit that most runs would not keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortTimeout {
    /// The limit.
    pub timeout: Timeout,
    /// What runs usually take.
    pub usual: RunStats,
}

impl ShortTimeout {
    /// The time limit, if half of the recent runs would not have kept it and there were enough of them to tell.
    pub(super) fn of(timeout: Timeout, usual: RunStats) -> Option<Self> {
        let is_short = timeout.duration().as_millis() < u128::from(usual.median_ms);
        (usual.runs >= ENOUGH_RUNS && is_short).then_some(Self { timeout, usual })
    }
}

impl fmt::Display for ShortTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timeout, usual } = self;
        write!(
            f,
            "it may take {timeout}, but half of the last {} successful runs took longer than {}",
            usual.runs,
            seconds(usual.median_ms)
        )
    }
}

/// A time in whole seconds, as one writes it.
fn seconds(millis: u64) -> String {
    let seconds = format!("{}s", millis.div_ceil(1_000));
    seconds.parse().map_or(seconds, |time: Timeout| time.to_string())
}

impl Engine {
    /// The usage journal, unless the config switches it off.
    pub fn journal(&self) -> Option<Journal> {
        journal(&self.config, self.caller_context.usage_log.as_deref())
    }

    /// What the whole journal tells.
    pub(super) fn stats(&self, selection: Selection<'_>) -> Result<Stats, StatsError> {
        let journal = self.journal().ok_or(StatsError::Off)?;
        check_journal(journal.path())?;
        // What a supervisor that was killed has not noted is noted first.
        for id in self.local.unfinished()? {
            let _ = self.local.get(id);
        }
        Ok(stats(&journal, selection)?)
    }

    /// What recent successful runs of every agent took and cost.
    pub(super) fn typical_by_agent(&self) -> HashMap<String, RunStats> {
        let mut figures: HashMap<String, Figures> = HashMap::new();
        let Some(journal) = self.journal() else { return HashMap::new() };
        let read = journal.for_each_recent(None, |entry| {
            figures.entry(entry.agent.clone()).or_default().count(&entry);
        });
        if read.is_err() {
            return HashMap::new();
        }
        let usual = figures.into_iter().filter_map(|(agent, mut figures)| {
            figures.conclude();
            Some((agent, figures.usual?))
        });
        usual.collect()
    }
}
