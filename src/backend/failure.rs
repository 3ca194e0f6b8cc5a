//! Failures that every kind of program shares, in words.

use std::time::Duration;

use super::{Evidence, Stop};
use crate::model::Timeout;
use crate::store::{ErrorType, JobResult, Record};
use crate::text::{clip, plain, redact};

/// How much of a program's own message goes into an error, in characters.
const MESSAGE_LIMIT: usize = 600;

/// Why a run has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: ErrorType,
    pub(super) error: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(kind: ErrorType, error: impl Into<String>) -> Self {
        Self { kind, error: error.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Writes the failure into a result.
    pub(super) fn tell(self, result: &mut JobResult) {
        result.success = false;
        result.budget_exceeded |= self.kind == ErrorType::Budget;
        result.error_type = Some(self.kind);
        result.error = Some(redact(&self.error));
        result.hint = self.hint.as_deref().map(redact);
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
    let resume = session.map(|_| resume_command(record));
    match stop {
        Stop::Timeout { limit_seconds, usual } => {
            let usual = usual.filter(|usual| usual.as_secs_f64() > limit_seconds);
            let (longer, known) = match usual.and_then(|usual| Some((roomy(usual)?, usual))) {
                Some((limit, usual)) => (
                    format!("--timeout {}", limit.to_string().replace(' ', "")),
                    format!(
                        "; nine of ten of its successful runs take up to {} s",
                        usual.as_secs_f64().ceil()
                    ),
                ),
                None => (format!("--timeout {}s", (limit_seconds * 2.0).ceil().max(1.0)), String::new()),
            };
            let hint = match resume {
                Some(resume) => {
                    format!("resume it where it stopped, with more time: `{resume} {longer}`{known}")
                }
                None => format!("give it more time (`{longer}`) or a smaller task{known}"),
            };
            Failure::new(ErrorType::Timeout, format!("timed out after {limit_seconds}s")).hint(hint)
        }
        Stop::Idle { limit_seconds } => {
            let error = format!("timed out: the agent was silent for {limit_seconds}s");
            let longer = format!("--idle-timeout {}s", (limit_seconds * 2.0).ceil().max(1.0));
            let hint = match resume {
                Some(resume) => {
                    format!("resume it where it stopped, with more patience: `{resume} {longer}`")
                }
                None => format!("give it more patience (`{longer}`)"),
            };
            Failure::new(ErrorType::Timeout, error).hint(hint)
        }
        Stop::OutputLimit { limit_bytes } => {
            let limit = limit_bytes / 1024 / 1024;
            let error = format!("stopped: the agent wrote more than {limit} MB of output");
            let lead = resume
                .map(|resume| format!("resume it where it stopped: `{resume}`; or "))
                .unwrap_or_default();
            Failure::new(ErrorType::OutputLimit, error).hint(format!(
                "{lead}let it write what is long into a file, or raise `settings.output_limit_mb` in the config file"
            ))
        }
        Stop::Cancelled => optional_hint(
            Failure::new(ErrorType::Cancelled, "cancelled"),
            resume.map(|resume| format!("resume it where it stopped: `{resume}`")),
        ),
        Stop::OwnerGone => {
            Failure::new(ErrorType::Cancelled, "stopped, because the process that waited for it went away")
                .hint("dispatch work that must outlive its caller with `agent-dispatch submit AGENT TASK`")
        }
        Stop::SupervisorStopped => optional_hint(
            Failure::new(ErrorType::Cancelled, "stopped, because its supervisor was told to stop"),
            resume.map(|resume| format!("resume it where it stopped: `{resume}`")),
        ),
        Stop::Unrecoverable(kind) => {
            Failure::new(kind, "stopped, because waiting could not mend its failure")
        }
        Stop::Lost => optional_hint(
            Failure::new(ErrorType::Lost, "the job's supervisor died before the job ended"),
            resume.map(|resume| format!("resume it where it stopped: `{resume}`")),
        ),
    }
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
        failure.hint(
            "the system kills with signal 9 when memory runs out: run fewer agents at once (`max_concurrency`)",
        )
    } else if signal == SIGXFSZ {
        failure.hint("`ulimit -f` bounds how large a file may become where the job was dispatched: raise it")
    } else {
        failure
    }
}

/// The command that goes on with the conversation of a job.
pub(super) fn resume_command(record: &Record) -> String {
    format!("agent-dispatch resume {}", record.id)
}

fn optional_hint(mut failure: Failure, hint: Option<String>) -> Failure {
    failure.hint = hint;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;

    fn hint(limit_seconds: f64, usual: Option<u64>, session: Option<&str>) -> String {
        let record = Record::pending(JobId::generate(), "infra", "look", 1.0);
        let stop = Stop::Timeout { limit_seconds, usual: usual.map(Duration::from_secs) };
        stopped(stop, &record, session).hint.expect("a hint")
    }

    #[test]
    fn the_limit_after_a_timeout_is_what_runs_take_or_else_twice_what_it_was() {
        assert!(hint(90.0, None, None).contains("`--timeout 180s`"));
        assert!(hint(90.0, Some(80), None).contains("`--timeout 180s`"), "the usual limit was not enough");
        let known = hint(90.0, Some(604), Some("s"));
        assert!(known.contains(" --timeout 13m`; nine of ten") && known.contains("604 s"), "{known}");
        assert!(hint(5.0, Some(40), None).contains("`--timeout 50s`"));
        assert!(hint(5.0, Some(7_300), None).contains("`--timeout 2h30m`"));
    }
}
