//! What a run came to, by the events in its output: for agent CLIs whose events say all that matters.
//!
//! The last result counts. An answer that was complete outranks whatever ended the run after it, except that a cancelled
//! job stays cancelled. Exit code 0 proves nothing: without an answer the run is incomplete.

use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use super::answer::outcome;
use super::command::exited;
use super::event_reader::EventReader;
use super::events::{Event, EventKind, TurnResult};
use super::evidence::{Ending, Evidence, Output, Stop};
use super::failure::{Failure, blank, message, signalled, stopped};
use super::interface::Backend;
use super::lines::Look;
use super::schema;
use super::spend::Spend;
use super::stderr::tail;
use crate::store::{AnswerFile, ErrorType, INLINE_ANSWER_BYTES, JobFolder, JobResult, Record};

/// How long an output is read: more than a long answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Classifies a finished run by the events that the backend's decoder finds in its output.
pub fn conclude_by_events(backend: &dyn Backend, record: &Record, evidence: &Evidence<'_>) -> JobResult {
    let mut told = Told::default();
    let read = told.read(backend, evidence.stdout);
    let mut result = blank(record, evidence);
    // One that a caller chose, or went on with, stays the one whatever the output says.
    let own = record.launch.session_id.clone().filter(|_| told.session.is_some() || record.launch.resumed);
    let named = || told.session.take().filter(|id| backend.session_id(id).is_ok());
    result.session_id = own.or_else(named);
    result.cost_usd = told.spend.usd();
    result.num_turns = told.turns;
    result.model = told.model.take();
    result.denied_tools = std::mem::take(&mut told.denied_tools);
    result.usage = told.last.as_mut().and_then(|turn| turn.usage.take());
    let session = result.session_id.clone();
    let failure = match told.answer() {
        Some(answer) => {
            result.result = answer;
            match evidence.stop {
                Some(Stop::Cancelled) => Some(stopped(Stop::Cancelled, record, session.as_deref())),
                _ => check(record, &mut told, &mut result).err(),
            }
        }
        None => {
            result.result = told.last_text.take().unwrap_or_default();
            Some(told.failure(read, record, evidence, session.as_deref()))
        }
    };
    if let Some(failure) = failure {
        failure.tell(&mut result);
    }
    result.outcome = outcome(&result.result);
    if let Err(failure) = keep_long(&mut result, evidence.folder) {
        failure.tell(&mut result);
    }
    result
}

/// Checks an answer by the schema that was asked for.
fn check(record: &Record, told: &mut Told, result: &mut JobResult) -> Result<(), Failure> {
    if let Some(wanted) = &record.launch.response_schema {
        let structured = told.last.as_mut().and_then(|turn| turn.structured_output.take());
        let data = schema::parsed(wanted, structured, &result.result);
        result.parsed_result = Some(data.map_err(|reason| Failure::new(ErrorType::Incomplete, reason))?);
    }
    Ok(())
}

/// Puts an answer that is too long for the record beside it.
fn keep_long(result: &mut JobResult, folder: &JobFolder) -> Result<(), Failure> {
    if result.result.len() as u64 <= INLINE_ANSWER_BYTES {
        return Ok(());
    }
    let answer = std::mem::take(&mut result.result);
    let kept = folder.draft_answer().map_err(std::io::Error::other).and_then(|mut draft| {
        draft.file.write_all(answer.as_bytes())?;
        folder.keep_answer(&draft).map_err(std::io::Error::other)
    });
    kept.map_err(|error| {
        Failure::new(
            ErrorType::Incomplete,
            format!("the answer could not be kept beside the record: {error}"),
        )
    })?;
    result.answer_file = Some(AnswerFile::Answer);
    Ok(())
}

/// What the events of a run told.
#[derive(Debug, Default)]
struct Told {
    session: Option<String>,
    model: Option<String>,
    /// The last result.
    last: Option<TurnResult>,
    /// What the agent said last.
    last_text: Option<String>,
    denied_tools: Vec<String>,
    spend: Spend,
    turns: Option<u64>,
}

impl Told {
    fn read(&mut self, backend: &dyn Backend, output: Output<'_>) -> Result<(), String> {
        let mut file = match output {
            Output::Missing => return Ok(()),
            Output::Unreadable(reason) => return Err(reason.to_owned()),
            Output::File(file) => file,
        };
        file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
        let mut reader = EventReader::of(backend, 0);
        let deadline = Instant::now() + PATIENCE;
        let mut observe = |event| self.observe(event);
        while reader.read_from(&mut file, &mut observe).map_err(|error| error.to_string())? == Look::Behind {
            if Instant::now() >= deadline {
                return Err("it is too long to be read whole".to_owned());
            }
        }
        reader.finish(&mut observe);
        Ok(())
    }

    fn observe(&mut self, event: Event) {
        if event.subagent {
            return;
        }
        match event.kind {
            EventKind::Started(started) => {
                self.session = started.session_id.or(self.session.take());
                self.model = started.model.or(self.model.take());
            }
            EventKind::Text { text } => self.last_text = Some(text),
            EventKind::Result(turn) => {
                self.spend.observe(&turn);
                self.session = turn.session_id.clone().or(self.session.take());
                self.turns = turn.num_turns.map(|turns| turns + self.turns.unwrap_or(0)).or(self.turns);
                for tool in &turn.denied_tools {
                    if !self.denied_tools.contains(tool) {
                        self.denied_tools.push(tool.clone());
                    }
                }
                self.last = Some(*turn);
            }
            _ => {}
        }
    }

    /// The complete answer, if there is one: the last result's own text, or else what was said before it.
    fn answer(&mut self) -> Option<String> {
        let turn = self.last.as_mut().filter(|turn| !turn.is_error)?;
        turn.result.take().or_else(|| self.last_text.take())
    }

    /// Why there is no answer.
    fn failure(
        &self,
        read: Result<(), String>,
        record: &Record,
        evidence: &Evidence<'_>,
        session: Option<&str>,
    ) -> Failure {
        let said = self.last.as_ref().filter(|turn| turn.is_error).map(|turn| {
            let said = turn.result.clone().unwrap_or_else(|| turn.errors.join("; "));
            message(&said)
        });
        match (evidence.stop, said, read, evidence.ending) {
            (Some(stop), ..) => stopped(stop, record, session),
            (None, Some(said), ..) => Failure::new(ErrorType::CliError, format!("the agent failed: {said}")),
            (None, None, Err(error), _) => {
                Failure::new(ErrorType::Incomplete, format!("the agent's output could not be read: {error}"))
            }
            (None, None, Ok(()), Some(Ending::Exited(code))) if code != 0 => {
                Failure::new(ErrorType::CliError, exited(code, &tail(evidence.folder)))
            }
            (None, None, Ok(()), Some(Ending::Signalled(signal))) => signalled(signal),
            (None, None, Ok(()), _) => {
                Failure::new(ErrorType::Incomplete, "the agent ended without an answer")
            }
        }
    }
}
