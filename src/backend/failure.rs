//! Failures that every kind of program shares, in words.

use std::time::Duration;

use super::{Evidence, Stop};
use crate::model::{Remedy, Terms, Timeout};
use crate::store::{ErrorType, JobResult, Record, RecordedRemedy};
use crate::text::{clip, plain, redact};

/// How much of a program's own message goes into an error, in characters.
const MESSAGE_LIMIT: usize = 600;

/// Why a run has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: ErrorType,
    pub(super) error: String,
    pub(super) remedy: Option<Box<Remedy>>,
    /// What else is worth knowing.
    pub(super) note: Option<String>,
}

impl Failure {
    pub(super) fn new(kind: ErrorType, error: impl Into<String>) -> Self {
        Self { kind, error: error.into(), remedy: None, note: None }
    }

    pub(super) fn remedy(self, remedy: impl Into<Option<Remedy>>) -> Self {
        Self { remedy: remedy.into().map(Box::new), ..self }
    }

    pub(super) fn correct(self, how: &str) -> Self {
        self.remedy(Remedy::CorrectRequest { how: how.to_owned() })
    }

    pub(super) fn note(self, note: impl Into<Option<String>>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Writes the failure into a result.
    pub(super) fn tell(self, result: &mut JobResult) {
        result.success = false;
        result.budget_exceeded |= self.kind == ErrorType::Budget;
        result.error_type = Some(self.kind);
        result.error = Some(redact(&self.error));
        result.remedy = self.remedy.map(RecordedRemedy::Known);
        result.notes = self.note.iter().map(|note| redact(note)).collect();
    }
}

/// A result that says only which job it belongs to.
pub(super) fn blank(record: &Record, evidence: &Evidence<'_>) -> JobResult {
    let duration_ms = evidence.duration_ms;
    JobResult { duration_ms, ..JobResult::answer(record.id, &record.agent, "") }
}

/// A program's own message, fit to stand in an error.
pub(super) fn message(text: &str) -> String {
    /// How much of it can matter, in bytes: much is left out, and what is secret is cut first.
    const WINDOW: usize = 64 * 1024;
    let text = text.trim();
    let end = (0..=text.len().min(WINDOW)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    clip(redact(&plain(&text[..end])).trim(), MESSAGE_LIMIT)
}

/// The last lines of what a program said, fit to stand in an error: the reason comes last.
pub(super) fn last_message(text: &str) -> String {
    let mut rest = text.trim();
    while rest.chars().count() > MESSAGE_LIMIT
        && let Some((_, after)) = rest.split_once('\n')
    {
        rest = after;
    }
    message(rest)
}

/// A run that was ended from outside. `session` is the conversation that can be resumed, if there is one.
pub(super) fn stopped(stop: Stop, record: &Record, session: Option<&str>) -> Failure {
    match stop {
        Stop::Timeout { limit_seconds, usual } => {
            let usual = usual.filter(|usual| usual.as_secs_f64() > limit_seconds);
            let roomy = usual.and_then(|usual| Some((roomy(usual)?, usual)));
            let note = roomy.map(|(_, usual)| {
                format!("nine of ten of its successful runs take up to {} s", usual.as_secs_f64().ceil())
            });
            let longer = roomy.map_or_else(|| twice(limit_seconds), |(limit, _)| Some(limit));
            Failure::new(ErrorType::Timeout, format!("timed out after {limit_seconds}s"))
                .remedy(again(record, session, Terms { timeout_seconds: longer, ..Terms::default() }))
                .note(note)
        }
        Stop::Idle { limit_seconds } => {
            let longer = Terms { idle_timeout_seconds: twice(limit_seconds), ..Terms::default() };
            let error = format!("timed out: the agent was silent for {limit_seconds}s");
            Failure::new(ErrorType::Timeout, error).remedy(again(record, session, longer))
        }
        Stop::OutputLimit { limit_bytes } => {
            let limit = limit_bytes / 1024 / 1024;
            let error = format!("stopped: the agent wrote more than {limit} MB of output");
            let then = resume(record, session).map(Box::new);
            Failure::new(ErrorType::OutputLimit, error).remedy(Remedy::ShortenOutput { then })
        }
        Stop::Cancelled => Failure::new(ErrorType::Cancelled, "cancelled").remedy(resume(record, session)),
        Stop::OwnerGone => {
            Failure::new(ErrorType::Cancelled, "stopped, because the process that waited for it went away")
                .remedy(Remedy::StartInBackground { agent: record.agent.clone() })
        }
        Stop::SupervisorStopped => {
            Failure::new(ErrorType::Cancelled, "stopped, because its supervisor was told to stop")
                .remedy(resume(record, session))
        }
        Stop::Unrecoverable(kind) => {
            Failure::new(kind, "stopped, because waiting could not mend its failure")
        }
        Stop::Lost => Failure::new(ErrorType::Lost, "the job's supervisor died before the job ended")
            .remedy(resume(record, session)),
    }
}

/// Twice the time, in whole seconds, if that can be a limit.
fn twice(limit_seconds: f64) -> Option<Timeout> {
    Timeout::new(Duration::try_from_secs_f64((limit_seconds * 2.0).ceil().max(1.0)).ok()?).ok()
}

/// A time limit with some room above what is usual, in a round number.
fn roomy(usual: Duration) -> Option<Timeout> {
    let wanted = (usual.as_secs_f64() * 1.2).ceil() as u64;
    let step = match wanted {
        0..120 => 10,
        120..3_600 => 60,
        _ => 600,
    };
    Timeout::new(Duration::from_secs(wanted.div_ceil(step) * step)).ok()
}

/// The same number on all systems that this program is built for.
const SIGXFSZ: i32 = 25;

/// A program that a signal ended, without anybody here having sent it.
pub(super) fn signalled(signal: i32) -> Failure {
    let name = match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        SIGXFSZ => " (SIGXFSZ)",
        _ => "",
    };
    let failure = Failure::new(ErrorType::CliError, format!("the agent was killed by signal {signal}{name}"));
    if signal == 9 {
        failure.remedy(Remedy::RunFewerAgents {})
    } else if signal == SIGXFSZ {
        failure.remedy(Remedy::RaiseFileSizeLimit {})
    } else {
        failure
    }
}

/// To go on with the conversation of a job, if there is one.
pub(super) fn resume(record: &Record, session: Option<&str>) -> Option<Remedy> {
    session.map(|_| again(record, session, Terms::default()))
}

/// To go on with the conversation of a job on these terms, or to begin it anew where there is none.
pub(super) fn again(record: &Record, session: Option<&str>, terms: Terms) -> Remedy {
    let (job_id, agent) = (record.id, record.agent.clone());
    match session {
        Some(_) => Remedy::Resume { job_id, agent, terms },
        None => Remedy::Retry { job_id, agent, terms },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;

    fn longer(limit_seconds: f64, usual: Option<u64>, session: Option<&str>) -> (String, Option<String>) {
        let record = Record::pending(JobId::generate(), "infra", "look", 1.0);
        let stop = Stop::Timeout { limit_seconds, usual: usual.map(Duration::from_secs) };
        let failure = stopped(stop, &record, session);
        let ((Some(Remedy::Resume { terms, .. }), Some(_)) | (Some(Remedy::Retry { terms, .. }), None)) =
            (failure.remedy.map(|remedy| *remedy), session)
        else {
            panic!("neither to resume nor to repeat");
        };
        (terms.timeout_seconds.expect("a limit").to_string(), failure.note)
    }

    #[test]
    fn the_limit_after_a_timeout_is_what_runs_take_or_else_twice_what_it_was() {
        assert_eq!(longer(90.0, None, None), ("3m".to_owned(), None));
        assert_eq!(longer(90.0, Some(80), None).0, "3m", "the usual limit was not enough");
        let (limit, note) = longer(90.0, Some(604), Some("s"));
        assert_eq!(limit, "13m");
        assert_eq!(note.expect("a note"), "nine of ten of its successful runs take up to 604 s");
        assert_eq!(longer(5.0, Some(40), None).0, "50s");
        assert_eq!(longer(5.0, Some(7_300), None).0, "2h 30m");
    }
}
