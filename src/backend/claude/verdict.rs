//! What a finished run of Claude Code came to.
//!
//! The rules, from claude 2.1.197 and 2.1.330:
//!
//! * The last result counts. Its `is_error` decides before its subtype: an API error has subtype `success`.
//! * A complete answer outranks whatever ended the run after it, except that a cancelled job stays cancelled.
//! * Exit code 0 proves nothing: without a result the run is incomplete.
//! * A run that is stopped reports an error of its own (`error_during_execution`): a consequence, not the cause.
//! * What the agent said last is salvaged whenever there is no answer; it was paid for.

use std::time::Duration;

use super::causes::{Signals, explain};
use super::large::LongTexts;
use super::transcript::{Transcript, is_command_mishap};
use crate::backend::answer::{STATUS_WINDOW, outcome};
use crate::backend::command::exited;
use crate::backend::events::TurnResult;
use crate::backend::failure::{Failure, again, blank, message, resume, signalled, stopped};
use crate::backend::{Ending, Evidence, SessionId, Stop, schema, stderr};
use crate::model::{AgentChange, BudgetUsd, Obstacle, Remedy, Terms};
use crate::store::{
    AnswerFile, DEEPEST_DATA, ErrorType, JobFolder, JobResult, Outcome, Record, RecordedRemedy, WorkKind,
    is_too_deep,
};
use crate::text::{one_line, redact};

/// How long the output of a run is read that ended by itself, and as long again its end: more than a long answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for a run that was stopped: a caller waits for the stop.
const STOPPED_PATIENCE: Duration = Duration::from_secs(1);

/// Classifies a finished run.
pub(super) fn conclude(record: &Record, evidence: &Evidence<'_>) -> JobResult {
    let mut long_texts = LongTexts::new(evidence.folder);
    let patience = if evidence.stop.is_some() { STOPPED_PATIENCE } else { PATIENCE };
    let mut transcript = Transcript::read(evidence.stdout, &mut long_texts, patience);
    let mut result = blank(record, evidence);
    let (session, other_session) = session(record, &transcript);
    result.session_id = session;
    result.cost_usd = transcript.spend.usd();
    result.num_turns = transcript.num_turns;
    result.model = transcript.model.take();
    result.denied_tools = std::mem::take(&mut transcript.denied_tools);
    result.unfinished = transcript.tasks.unfinished();
    result.budget_exceeded = cap(record).zip(result.cost_usd).is_some_and(|(cap, cost)| cost > cap);
    if let Some(turn) = &transcript.last {
        result.usage = turn.usage.clone().filter(|usage| !is_too_deep(usage));
        result.duration_ms = result.duration_ms.or(turn.duration_ms);
    }

    let lost_usage =
        transcript.last.as_ref().is_some_and(|turn| turn.usage.is_some()) && result.usage.is_none();
    match take_answer(&mut transcript, evidence) {
        Some(turn) => answered(turn, transcript, record, evidence, &mut result),
        None => {
            let failure = failure(&transcript, record, evidence, result.session_id.as_deref());
            if failure.kind == ErrorType::NotFound {
                result.session_id = None;
            }
            result.result = transcript.salvage();
            failure.tell(&mut result);
        }
    }
    if let Some(other) = other_session {
        let note = format!("the agent's output names another session, '{other}', which was ignored");
        result.notes.push(redact(&note));
    }
    if lost_usage {
        let note = format!("its token counts nest more than {DEEPEST_DATA} levels deep and were left out");
        result.notes.push(note);
    }
    result.outcome = outcome(&result.result);
    match long_texts.keep(&result.result) {
        Ok(false) => {}
        Ok(true) => {
            result.result.clear();
            result.answer_file = Some(AnswerFile::Answer);
            result.outcome = outcome_of_long(evidence.folder);
        }
        Err(error) => {
            result.result.clear();
            let error = format!("the answer could not be kept beside the record: {error}");
            Failure::new(ErrorType::Incomplete, error)
                .remedy(Remedy::ReadOutput { job_id: record.id })
                .tell(&mut result);
        }
    }
    result
}

fn outcome_of_long(folder: &JobFolder) -> Option<Outcome> {
    let end = stderr::end_of(&folder.open_answer(AnswerFile::Answer).ok()?, STATUS_WINDOW).ok()?;
    outcome(&String::from_utf8_lossy(&end))
}

/// The conversation that can be resumed: the one this run was started with. A new one that never started does not
/// exist. And another one, if the stream names it: what continues under an id that this program did not choose may be anything.
fn session(record: &Record, transcript: &Transcript) -> (Option<String>, Option<String>) {
    let named = || transcript.sessions.iter().map(|named| (named, SessionId::uuid(named).ok()));
    let Some(ours) = record.launch.session_id.as_ref().and_then(|id| SessionId::uuid(id).ok()) else {
        // A record of before the ids were chosen here.
        return (named().find_map(|(_, id)| Some(id?.to_string())), None);
    };
    let is_ours = |named: &Option<SessionId>| named.as_ref() == Some(&ours);
    let exists = transcript.started || record.launch.resumed || named().any(|(_, named)| is_ours(&named));
    let other = named().find(|(_, named)| !is_ours(named)).map(|(text, _)| one_line(text, 100));
    (exists.then(|| ours.to_string()), other)
}

/// The complete answer, if there is one.
fn take_answer(transcript: &mut Transcript, evidence: &Evidence<'_>) -> Option<TurnResult> {
    if transcript.last.as_ref().is_some_and(|turn| transcript.is_good(turn)) {
        return transcript.last.take();
    }
    // The answer was there, and the stop interrupted what a background task had started after it.
    let interrupted = transcript.last.as_ref().is_some_and(is_interruption);
    if evidence.stop.is_some() && interrupted { transcript.good_before.take() } else { None }
}

fn is_interruption(turn: &TurnResult) -> bool {
    turn.subtype.as_deref() == Some("error_during_execution")
}

/// Completes the result of a run that has an answer.
fn answered(
    turn: TurnResult,
    transcript: Transcript,
    record: &Record,
    evidence: &Evidence<'_>,
    result: &mut JobResult,
) {
    result.result = turn.result.unwrap_or_default();
    let mut complaint = None;
    if let Some(wanted) = &record.launch.response_schema {
        match schema::parsed(wanted, transcript.structured, &result.result) {
            Ok(data) => {
                if result.result.trim().is_empty() {
                    // The data is the answer; a command that prints the text must not print nothing.
                    result.result = data.to_string();
                }
                result.parsed_result = Some(data);
            }
            Err(reason) => complaint = Some(reason),
        }
    }
    if evidence.stop == Some(Stop::Cancelled) {
        let mut failure = stopped(Stop::Cancelled, record, result.session_id.as_deref());
        failure.error.push_str("; the answer was complete before");
        return failure.tell(result);
    }
    if let Some(reason) = complaint {
        let ask = resume_with(record, result, "answer as JSON, by the schema");
        return Failure::new(ErrorType::Incomplete, reason).remedy(ask).tell(result);
    }
    if let Some(failure) = without_its_agents(record, result) {
        return failure.tell(result);
    }
    result.remedy = allowance(record, &result.denied_tools).map(RecordedRemedy::from);
    result.notes.extend(ending_remark(evidence));
}

/// To go on in the session with this task, if there is one.
fn resume_with(record: &Record, result: &JobResult, task: &str) -> Option<Remedy> {
    let session = result.session_id.as_deref();
    let terms = Terms { task: Some(task.to_owned()), ..Terms::default() };
    session.map(|_| again(record, session, terms))
}

/// That agents which had a part of the task were stopped before they had done it: the answer cannot be whole.
fn without_its_agents(record: &Record, result: &JobResult) -> Option<Failure> {
    let agents = result.unfinished.iter().filter(|task| task.kind == WorkKind::Agent);
    let names: Vec<String> = agents.map(|task| format!("'{}'", task.what)).collect();
    let (what, were) = if names.len() == 1 { ("an agent", "was") } else { ("agents", "were") };
    let error = format!(
        "{what} that it had started {were} stopped before the work was done: {}; its answer is without it",
        names.join(", ")
    );
    let failure = Failure::new(ErrorType::Incomplete, error);
    let go_on = || resume_with(record, result, "do what the agents that were stopped had to do");
    (!names.is_empty()).then(|| failure.remedy(go_on()))
}

/// To allow the tools that the agent was refused.
fn allowance(record: &Record, tools: &[String]) -> Option<Remedy> {
    let change = AgentChange::AllowedTools(tools.iter().map(|tool| redact(tool)).collect());
    (!tools.is_empty()).then(|| Remedy::UpdateAgent { agent: record.agent.clone(), change })
}

/// What happened after the answer was complete, if it was not a plain end.
fn ending_remark(evidence: &Evidence<'_>) -> Option<String> {
    match (evidence.stop, evidence.ending) {
        (Some(Stop::Timeout { limit_seconds, .. } | Stop::Idle { limit_seconds }), _) => Some(format!(
            "the answer was complete, but the agent did not end within {limit_seconds}s and was stopped"
        )),
        (Some(Stop::OutputLimit { limit_bytes }), _) => Some(format!(
            "the answer was complete, but the agent wrote more than {} MB of output",
            limit_bytes / 1024 / 1024
        )),
        (Some(_), _) | (None, None | Some(Ending::Exited(0))) => None,
        (None, Some(Ending::Exited(code))) => {
            Some(format!("the answer was complete, but the agent then exited with code {code}"))
        }
        (None, Some(Ending::Signalled(signal))) => {
            Some(format!("the answer was complete, but signal {signal} then killed the agent"))
        }
    }
}

/// Why there is no answer.
fn failure(
    transcript: &Transcript,
    record: &Record,
    evidence: &Evidence<'_>,
    session: Option<&str>,
) -> Failure {
    let by_result =
        transcript.last.as_ref().and_then(|turn| turn_failure(turn, transcript, record, evidence, session));
    match evidence.stop {
        Some(Stop::Unrecoverable(kind)) => hopeless(kind, transcript, record, session),
        // The run had failed by itself before the stop reached it; but a caller that cancels a job gets it cancelled.
        Some(stop) => match by_result {
            Some(failure) if stop != Stop::Cancelled => failure,
            _ if matches!(stop, Stop::Timeout { .. }) => timed_out(stop, transcript, record, session),
            _ => stopped(stop, record, session),
        },
        None => by_result.unwrap_or_else(|| no_result(transcript, record, evidence, session)),
    }
}

/// What an error result means; `None` when it is only the echo of an interruption.
fn turn_failure(
    turn: &TurnResult,
    transcript: &Transcript,
    record: &Record,
    evidence: &Evidence<'_>,
    session: Option<&str>,
) -> Option<Failure> {
    let resume = || resume(record, session);
    let reason = turn.terminal_reason.as_deref();
    let mut said = turn.result.clone().unwrap_or_default();
    if said.is_empty() {
        said = turn.errors.join("; ");
    }
    let told = |lead: &str| {
        let said = message(&said);
        if said.is_empty() { lead.to_owned() } else { format!("{lead}: {said}") }
    };
    let incomplete = |error: String| Failure::new(ErrorType::Incomplete, error);
    match (turn.subtype.as_deref(), reason) {
        _ if is_command_mishap(turn) => Some(
            Failure::new(ErrorType::CliError, told("Claude Code took the task for one of its commands"))
                .correct("begin the task with a word, not with '/'"),
        ),
        _ if !turn.is_error => None, // A result without an answer in it.
        (Some("error_max_budget_usd"), _) | (_, Some("budget_exhausted")) => {
            Some(over_budget(record, transcript.spend.usd(), session))
        }
        (Some("error_max_turns"), _) | (_, Some("max_turns")) => {
            Some(incomplete(told("the agent used up its turns before it was done")).remedy(resume()))
        }
        (Some("error_max_structured_output_retries"), _) => Some(
            incomplete(told("the agent did not manage to give an answer that satisfies the response schema"))
                .correct("simplify the schema, or describe in the task what each field means"),
        ),
        _ if turn.stop_reason.as_deref() == Some("refusal") => Some(
            Failure::new(ErrorType::CliError, told("the model refused the task"))
                .correct("say in the task what it is for, or choose another model"),
        ),
        _ => {
            let synthetic = transcript.synthetic.as_ref();
            let kind = synthetic.and_then(|(kind, _)| kind.as_deref());
            let text = if reason == Some("prompt_too_long") { "Prompt is too long" } else { &said };
            let signals = Signals { text, kind, status: turn.api_error_status };
            let explained = explain(signals, record, session);
            if explained.is_some() || !is_interruption(turn) {
                return explained.or_else(|| {
                    Some(Failure::new(ErrorType::CliError, told("the agent CLI reported an error")))
                });
            }
            if evidence.stop.is_some() {
                return None;
            }
            // A signal from a terminal or from another program; or an error inside the CLI.
            let error = match reason {
                Some("aborted_streaming" | "aborted_tools") | None => {
                    told("the agent was interrupted before it was done")
                }
                Some(_) => told("the agent failed before it was done"),
            };
            Some(incomplete(error).remedy(resume()))
        }
    }
}

/// The spend cap of the run.
fn cap(record: &Record) -> Option<f64> {
    record.launch.max_budget_usd.as_ref()?.number()
}

fn over_budget(record: &Record, cost_usd: Option<f64>, session: Option<&str>) -> Failure {
    let cap = cap(record);
    let mut error = "the agent reached its spend cap".to_owned();
    if let Some(cap) = cap {
        error.push_str(&format!(" of ${cap:.2}"));
    }
    if let Some(cost) = cost_usd {
        error.push_str(&format!("; it spent ${cost:.2}"));
    }
    // The cap is checked after each reply, so a resumed run needs room of its own.
    let more = BudgetUsd::new(cap.unwrap_or(0.5) * 2.0).ok();
    let terms = Terms { max_budget_usd: more, ..Terms::default() };
    Failure::new(ErrorType::Budget, error).remedy(again(record, session, terms))
}

/// A run that was given up because its stream showed a failure of this kind.
fn hopeless(kind: ErrorType, transcript: &Transcript, record: &Record, session: Option<&str>) -> Failure {
    match in_the_stream(transcript, record, session) {
        Some(failure) if failure.kind == kind => failure,
        Some(failure) => Failure { kind, ..failure },
        None => stopped(Stop::Unrecoverable(kind), record, session),
    }
}

/// A run whose time passed. When it passed in repeating a request, more time is not the remedy.
fn timed_out(stop: Stop, transcript: &Transcript, record: &Record, session: Option<&str>) -> Failure {
    let failure = stopped(stop, record, session);
    let Some((kind, status)) = &transcript.retry else { return failure };
    let mut reason = status.map(|status| format!("HTTP {status}")).into_iter().collect::<Vec<_>>();
    // The CLI's word for an API that does not answer at all.
    reason.extend(kind.clone().filter(|kind| kind != "unknown"));
    let reason = if reason.is_empty() { "no answer".to_owned() } else { reason.join(" ") };
    let known = in_the_stream(transcript, record, session).and_then(|failure| failure.remedy);
    let remedy = known.map(|remedy| *remedy).unwrap_or_else(|| {
        let check =
            "check the network connection, ANTHROPIC_BASE_URL and https://status.claude.com".to_owned();
        let then = Box::new(again(record, session, Terms::default()));
        Remedy::TryLater { obstacle: Obstacle::Outage { check }, then }
    });
    let error = format!("{}; the API failed until then ({reason})", failure.error);
    Failure::new(failure.kind, error).remedy(remedy)
}

/// What the last error in the stream says, without a result.
fn in_the_stream(transcript: &Transcript, record: &Record, session: Option<&str>) -> Option<Failure> {
    if let Some((kind, text)) = &transcript.synthetic {
        let signals = Signals { text, kind: kind.as_deref(), status: None };
        return explain(signals, record, session);
    }
    let (kind, status) = transcript.retry.as_ref()?;
    let mut text = kind.clone().unwrap_or_default();
    if let Some(status) = status {
        text = format!("HTTP {status} {text}");
    }
    explain(Signals { text: &text, kind: kind.as_deref(), status: *status }, record, session)
}

/// A run that ended by itself without a result.
fn no_result(
    transcript: &Transcript,
    record: &Record,
    evidence: &Evidence<'_>,
    session: Option<&str>,
) -> Failure {
    let stderr = stderr::tail(evidence.folder);
    let unparsed = transcript.unparsed.join("\n");
    if evidence.ending != Some(Ending::Exited(0)) {
        for text in [&stderr, &unparsed] {
            if let Some(failure) = explain(Signals { text, ..Signals::default() }, record, session) {
                return failure;
            }
        }
        if let Some(failure) = in_the_stream(transcript, record, session) {
            return failure;
        }
    }
    let failure = match evidence.ending {
        Some(Ending::Signalled(signal)) => signalled(signal),
        // The CLI catches these signals and exits with 128 + the signal's number.
        Some(Ending::Exited(code @ (129 | 130 | 137 | 143))) => signalled(code - 128),
        Some(Ending::Exited(0)) => {
            let error = match &transcript.read_error {
                Some(reason) => format!("the agent's output {reason}"),
                None => "the agent exited with code 0, but its output ends without a result".to_owned(),
            };
            Failure::new(ErrorType::Incomplete, error)
        }
        Some(Ending::Exited(code)) => {
            let words = if stderr.is_empty() { &unparsed } else { &stderr };
            Failure::new(ErrorType::CliError, exited(code, words))
        }
        None => Failure::new(
            ErrorType::Incomplete,
            "the agent ended without a result, and its exit status is unknown",
        ),
    };
    if failure.remedy.is_some() { failure } else { failure.remedy(resume(record, session)) }
}

#[cfg(test)]
mod tests;
