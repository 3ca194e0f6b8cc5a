//! What can be completed that is no part of the command line: the names of agents and groups, jobs, and the permission
//! modes.

use std::ffi::OsStr;

use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};

use super::places;
use crate::backend::Backends;
use crate::commands::Context;
use crate::config::{self, Config};
use crate::engine::{Jobs, journal, named_usage_log};
use crate::model::JobId;
use crate::ui::human;

/// How many jobs are offered.
const JOBS: usize = 20;

/// How much of a description is shown, in characters.
const DESCRIPTION_CHARS: usize = 60;

/// The names of the agents.
pub(crate) fn agents() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let agents = config(&context()).map(|config| config.agents).unwrap_or_default();
        agents.iter().map(|(name, agent)| candidate(name.as_str(), &agent.description)).collect()
    })
}

/// The names of the groups.
pub(crate) fn groups() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let groups = config(&context()).map(|config| config.groups).unwrap_or_default();
        groups.iter().map(|(name, group)| candidate(name.as_str(), &group.description)).collect()
    })
}

/// The permission modes.
pub(crate) fn permission_modes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        Backends::of_this_program().permission_modes().into_iter().map(CompletionCandidate::new).collect()
    })
}

/// The newest jobs whose ids begin as typed, and `latest`.
pub(crate) fn jobs() -> ArgValueCompleter {
    completer(Wanted::Newest)
}

/// The same, but those that have not finished come before the others.
pub(crate) fn jobs_to_wait_for() -> ArgValueCompleter {
    completer(Wanted::UnfinishedFirst)
}

/// Those that have not finished alone, and `latest`.
pub(crate) fn jobs_to_stop() -> ArgValueCompleter {
    completer(Wanted::Unfinished)
}

/// Which jobs are completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Newest,
    UnfinishedFirst,
    Unfinished,
}

fn completer(wanted: Wanted) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        typed.to_str().map(|typed| offered(wanted, typed)).unwrap_or_default()
    })
}

fn offered(wanted: Wanted, typed: &str) -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    if "latest".starts_with(typed) {
        candidates.push(candidate("latest", "the newest job"));
    }
    if !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return candidates;
    }
    let context = context();
    let Some(jobs) = context.existing_jobs() else { return candidates };
    if wanted != Wanted::Newest {
        candidates.extend(read(&jobs, unfinished(&jobs), typed));
    }
    if wanted != Wanted::Unfinished {
        let mut found = read(&jobs, recent(&context, &jobs), typed);
        if found.is_empty() || typed.is_empty() && found.len() < JOBS {
            found = read(&jobs, jobs.newest_first().unwrap_or_default(), typed);
        }
        found.retain(|job| !candidates.contains(job));
        candidates.extend(found);
    }
    candidates
}

/// The jobs that have not finished, newest first.
fn unfinished(jobs: &dyn Jobs) -> Vec<JobId> {
    let mut ids = jobs.unfinished().unwrap_or_default();
    ids.retain(|id| jobs.glance(*id).is_some_and(|record| record.finished().is_none()));
    ids.reverse();
    ids
}

/// The jobs that have not finished and those that ended last, newest first: with a long history, listing it all takes
/// longer than a person at the keyboard waits.
fn recent(context: &Context, jobs: &dyn Jobs) -> Vec<JobId> {
    let mut ids = jobs.unfinished().unwrap_or_default();
    if let Some(journal) = config(context).and_then(|config| journal(&config, named_usage_log().as_deref())) {
        // One that cannot be read tells nothing.
        let _ = journal.for_each_recent(None, |entry| ids.push(entry.job_id));
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    ids
}

/// The first of these jobs that can be offered. Only glanced at: a completion neither recovers a lost job nor moves a
/// damaged record.
fn read(jobs: &dyn Jobs, ids: Vec<JobId>, typed: &str) -> Vec<CompletionCandidate> {
    let named = ids.into_iter().map(|id| (id, id.to_string())).filter(|(_, name)| name.starts_with(typed));
    let offered = named.filter_map(|(id, name)| {
        let record = jobs.glance(id)?;
        let what = format!("{}, {}: {}", record.agent, record.status().name(), record.task);
        Some(candidate(&name, &what))
    });
    offered.take(JOBS).collect()
}

fn candidate(value: &str, description: &str) -> CompletionCandidate {
    let help = human::one_line(description, DESCRIPTION_CHARS);
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
}

/// The config, if it can be read; what is wrong with it is not said here.
fn config(context: &Context) -> Option<Config> {
    config::load(&context.config_path().ok()?).ok()
}

/// Where the line that is being typed says that things are.
fn context() -> Context {
    Context::new(&places(std::env::args_os()))
}
