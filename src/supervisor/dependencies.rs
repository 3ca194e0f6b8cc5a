//! Waits for the jobs that `--after` names, and appends their results to the prompt.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::time::Duration;

use super::stop_sources::{StopSources, TICK};
use super::{LaunchSpec, ancestry, load_and_recover};
use crate::backend::{Stop, fenced, folded};
use crate::model::{JobId, Remedy};
use crate::os::{self, FileError};
use crate::store::{Answer, JobResult, Record, Resource, Store, StoreError};

/// How much of the results goes into a prompt, in bytes: about half of what a model can take in.
const RESULTS_LIMIT_BYTES: usize = 400_000;

/// How the wait for other jobs ended.
pub(super) enum DependencyOutcome {
    /// They have finished, and the prompt has their results.
    All,
    /// The job is to stop.
    Stopped(Stop),
    /// There is nothing to work with, or waiting would never end.
    Pointless(String, Remedy),
}

/// Waits until the jobs that `record` waits for have finished, and completes its prompt with their results, as far as they fit
/// into `longest_prompt` bytes.
pub(super) fn gather(
    store: &Store,
    record: &Record,
    spec: &LaunchSpec,
    prompt: &mut File,
    longest_prompt: usize,
    stop_sources: &mut StopSources,
) -> Result<DependencyOutcome, StoreError> {
    let mut over = Vec::new();
    for &id in &record.launch.after {
        let is_ancestor = ancestry::is_ancestor(store, id, record);
        let waits_for_this = || {
            let waited_for = || store.is_leased(Resource::WaitFor(record.id));
            is_ancestor && (spec.parent_waits.is_some() || waited_for())
        };
        match wait_for(store, id, stop_sources, waits_for_this)? {
            Wait::Over(awaited) => over.push(*awaited),
            Wait::Stopped(stop) => return Ok(DependencyOutcome::Stopped(stop)),
            Wait::Endless => {
                let reason = format!("it would wait for job {id}, which waits for it");
                let how = format!("start it without waiting for job {id}");
                return Ok(DependencyOutcome::Pointless(reason, Remedy::CorrectRequest { how }));
            }
        }
    }
    // What ended the others may be meant for this one too.
    if let Some(stop) = stop_sources.wait(None, Duration::ZERO) {
        return Ok(DependencyOutcome::Stopped(stop));
    }
    let is_good = |awaited: &Awaited| awaited.result.as_ref().is_ok_and(|result| result.success);
    if let Some(first) = over.first()
        && !over.iter().any(is_good)
    {
        let (id, why) = (first.id, first.what_went_wrong());
        let reason = match over.len() {
            1 => format!("job {id}, which it waited for, has no answer: {why}"),
            count => {
                format!("none of the {count} jobs it waited for has an answer; the first, job {id}: {why}")
            }
        };
        return Ok(DependencyOutcome::Pointless(reason, Remedy::ShowJob { job_id: id }));
    }
    let folder = stop_sources.folder();
    let failed =
        |source| FileError::Io { action: "complete the prompt in", path: folder.path().to_owned(), source };
    let mut text = Vec::new();
    prompt.read_to_end(&mut text).map_err(failed)?;
    let room = longest_prompt.saturating_sub(text.len()).min(RESULTS_LIMIT_BYTES);
    text.extend_from_slice(results(store, &over, room).as_bytes());
    *prompt = folder.nameless(&text)?;
    Ok(DependencyOutcome::All)
}

/// A job that has finished.
struct Awaited {
    id: JobId,
    agent: String,
    /// What it came to; why that is unknown, if its record cannot be read.
    result: Result<JobResult, String>,
}

impl Awaited {
    fn what_went_wrong(&self) -> String {
        match &self.result {
            Ok(result) => result.error.clone().unwrap_or_else(|| "it failed without saying why".to_owned()),
            Err(reason) => reason.clone(),
        }
    }

    /// Its end in a few words.
    fn verdict(&self) -> String {
        match &self.result {
            Ok(result) if result.success => match result.outcome {
                Some(outcome) => format!("done, and says that its work is {}", outcome.name()),
                None => "done".to_owned(),
            },
            Ok(result) => format!("failed ({})", result.error_type.map_or("unknown", |kind| kind.name())),
            Err(_) => "lost".to_owned(),
        }
    }
}

/// How the wait for one job ended.
enum Wait {
    Over(Box<Awaited>),
    /// The job that waits is to stop.
    Stopped(Stop),
    /// The other one waits for this one.
    Endless,
}

fn wait_for(
    store: &Store,
    id: JobId,
    stop_sources: &mut StopSources,
    waits_for_this: impl Fn() -> bool,
) -> Result<Wait, StoreError> {
    let lost =
        |agent: String, reason: String| Ok(Wait::Over(Box::new(Awaited { id, agent, result: Err(reason) })));
    loop {
        // Also for a job whose supervisor died: this concludes it.
        let record = match load_and_recover(store, id) {
            Ok(record) => record,
            Err(error) if error.is_of_one_job() => {
                return lost("unknown".to_owned(), error.to_string());
            }
            Err(error) => return Err(error),
        };
        if let Some(finished) = record.finished() {
            let result = finished.result.clone().ok_or_else(|| "its record has no result".to_owned());
            return Ok(Wait::Over(Box::new(Awaited { id, agent: record.agent, result })));
        }
        if record.is_foreign() {
            let reason = format!("it belongs to {}, which alone would see its end", record.author());
            return lost(record.agent, reason);
        }
        let Some(waiter) = store.waiter(id)? else { continue };
        let over = waiter.into_descriptor().map_err(|source| FileError::Io {
            action: "wait for a job in",
            path: store.path().to_owned(),
            source,
        })?;
        while !os::wait_readable(&[over.as_fd()], Duration::ZERO)[0] {
            if waits_for_this() {
                return Ok(Wait::Endless);
            }
            if let Some(stop) = stop_sources.wait(Some(over.as_fd()), TICK) {
                return Ok(Wait::Stopped(stop));
            }
        }
    }
}

/// The results as a part of a prompt, with at most `room` bytes of what the agents wrote.
fn results(store: &Store, over: &[Awaited], room: usize) -> String {
    let answers: Vec<Option<Result<Answer<'_>, StoreError>>> =
        over.iter().map(|awaited| Some(store.answer(awaited.result.as_ref().ok()?))).collect();
    let lengths: Vec<u64> = answers
        .iter()
        .map(|answer| match answer {
            Some(Ok(Answer::Text(text))) => text.len() as u64,
            Some(Ok(Answer::Long(bytes))) => bytes.length().unwrap_or(0),
            Some(Err(_)) | None => 0,
        })
        .collect();
    let mut text = String::from("\n\n## Results\n");
    for ((awaited, answer), share) in over.iter().zip(&answers).zip(shares(&lengths, room as u64)) {
        let (id, agent) = (awaited.id, folded(&awaited.agent));
        text.push_str(&format!("\n### {agent}, job {id}: {}\n", awaited.verdict()));
        if !awaited.result.as_ref().is_ok_and(|result| result.success) {
            text.push_str(&format!("Error: {}\n", folded(&awaited.what_went_wrong())));
        }
        match answer {
            Some(Ok(answer)) => append(&mut text, answer, share as usize, id),
            Some(Err(error)) => text.push_str(&format!("(The answer cannot be read: {error})\n")),
            None => {}
        }
    }
    text
}

/// How much of each text is taken so that all together are no longer than `room`: what the short ones leave over
/// goes to the long ones.
fn shares(lengths: &[u64], room: u64) -> Vec<u64> {
    let mut shares = vec![0; lengths.len()];
    let mut by_length: Vec<usize> = (0..lengths.len()).collect();
    by_length.sort_by_key(|at| lengths[*at]);
    let mut room = room;
    for (done, at) in by_length.iter().enumerate() {
        let share = lengths[*at].min(room / (lengths.len() - done) as u64);
        shares[*at] = share;
        room -= share;
    }
    shares
}

/// Adds the first `share` bytes of an answer, and says how to get at the rest.
fn append(text: &mut String, answer: &Answer<'_>, share: usize, id: JobId) {
    let (beginning, is_cut) = match answer.beginning(share) {
        Ok(read) => read,
        Err(error) => return text.push_str(&format!("(The answer cannot be read: {error})\n")),
    };
    // What one agent wrote does not pass for a part of the task of another.
    text.push_str(&fenced(&beginning));
    if is_cut {
        text.push_str(&format!(
            "(This is only its beginning. The whole answer: `agent-dispatch result {id}`)\n"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ErrorType, Outcome};

    #[test]
    fn what_short_answers_leave_over_goes_to_long_ones() {
        assert_eq!(shares(&[10, 20, 30], 100), [10, 20, 30]);
        assert_eq!(shares(&[1_000, 10, 1_000], 100), [45, 10, 45]);
        assert_eq!(shares(&[5, 5], 0), [0, 0]);
        assert_eq!(shares(&[], 10), [0; 0]);
    }

    #[test]
    fn each_job_has_a_section_and_a_cut_answer_says_where_the_rest_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let (one, two, three) = (JobId::generate(), JobId::generate(), JobId::generate());
        let long = JobResult {
            outcome: Some(Outcome::Partial),
            ..JobResult::answer(one, "infra", "ä".repeat(1_000))
        };
        let salvaged = JobResult {
            result: "half".into(),
            ..JobResult::failure(two, "web", ErrorType::Timeout, "timed out after 5s")
        };
        let over = [
            Awaited { id: one, agent: "infra".into(), result: Ok(long) },
            Awaited { id: two, agent: "web".into(), result: Ok(salvaged) },
            Awaited { id: three, agent: "unknown".into(), result: Err("there is no job".into()) },
        ];
        assert_eq!(
            results(&store, &over, 15),
            format!(
                "\n\n## Results\n\n\
                 ### infra, job {one}: done, and says that its work is partial\n```\näääää\n```\n\
                 (This is only its beginning. The whole answer: `agent-dispatch result {one}`)\n\n\
                 ### web, job {two}: failed (timeout)\nError: timed out after 5s\n```\nhalf\n```\n\n\
                 ### unknown, job {three}: lost\nError: there is no job\n"
            )
        );
    }
}
