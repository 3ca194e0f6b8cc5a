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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::interface::{Decoder, Program};
    use super::super::testing::{Run, SESSION, record};
    use super::super::{Assignment, CommandLine};
    use super::super::{CLAUDE, Profile, RefusedArgument};
    use super::*;

    /// A backend whose output has Claude Code's form, and whose conclusion is that of any.
    #[derive(Debug)]
    struct Plain;

    impl Program for Plain {
        fn decoder(&self, limit: usize) -> Box<dyn Decoder> {
            CLAUDE.decoder(limit)
        }

        fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
            conclude_by_events(self, record, evidence)
        }
    }

    impl Backend for Plain {
        fn profile(&self) -> &'static Profile {
            CLAUDE.profile()
        }

        fn command_line(&self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
            CLAUDE.command_line(assignment)
        }
    }

    const ANSWER: &str =
        r#"{"type":"result","is_error":false,"result":"hello","total_cost_usd":0.5,"num_turns":2}"#;

    fn run(lines: &[&str]) -> Run {
        Run::new(&Plain).stdout(&lines.join("\n"))
    }

    fn started(session: &str) -> String {
        json!({"type": "system", "subtype": "init", "session_id": session, "model": "m"}).to_string()
    }

    #[test]
    fn the_last_result_is_the_answer_whatever_the_program_does_then() {
        let result = run(&[&started("ses_1"), ANSWER]).exit(3).conclude();
        assert!(result.success, "{result:?}");
        assert_eq!(
            (result.result.as_str(), result.cost_usd, result.num_turns),
            ("hello", Some(0.5), Some(2))
        );
        assert_eq!(result.model.as_deref(), Some("m"));
        let late = run(&[ANSWER]).stop(Stop::Timeout { limit_seconds: 1.0, usual: None }).conclude();
        assert!(late.success, "a complete answer outranks a stop");
        let cancelled = run(&[ANSWER]).stop(Stop::Cancelled).conclude();
        assert_eq!((cancelled.error_type, cancelled.result.as_str()), (Some(ErrorType::Cancelled), "hello"));
    }

    #[test]
    fn without_an_answer_exit_code_0_is_incomplete_and_what_was_said_is_kept() {
        let said = r#"{"type":"assistant","message":{"id":"1","content":[{"type":"text","text":"half"}]}}"#;
        let result = run(&[said]).conclude();
        assert_eq!((result.error_type, result.result.as_str()), (Some(ErrorType::Incomplete), "half"));
        let failed = run(&[r#"{"type":"result","is_error":true,"result":"no model"}"#]).exit(1).conclude();
        assert_eq!(failed.error.as_deref(), Some("the agent failed: no model"));
        let exited = run(&[]).stderr("boom\n").exit(7).conclude();
        assert_eq!(exited.error.as_deref(), Some("the agent exited with code 7: boom"));
        assert_eq!(Run::new(&Plain).conclude().error_type, Some(ErrorType::Incomplete));
        let unreadable = Run::new(&Plain).stdout_is_a_directory().conclude();
        assert!(unreadable.error.expect("an error").contains("could not be read"));
    }

    #[test]
    fn a_session_is_the_one_that_was_chosen_or_else_one_that_can_be_an_id() {
        assert_eq!(run(&[&started("ses_1"), ANSWER]).conclude().session_id.as_deref(), Some(SESSION));
        let mut unnamed = record();
        unnamed.launch.session_id = None;
        let of =
            |session: &str| run(&[&started(session), ANSWER]).record(unnamed.clone()).conclude().session_id;
        assert_eq!(of("ses_1").as_deref(), Some("ses_1"));
        assert_eq!(of("--yolo"), None);
        assert_eq!(of("../other/secret"), None);
    }

    #[test]
    fn a_schema_is_checked_and_a_long_answer_lies_beside_the_record() {
        let mut wanted = record();
        wanted.launch.response_schema = Some(json!({"type": "object", "required": ["n"]}));
        let refused = run(&[ANSWER]).record(wanted.clone()).conclude();
        assert_eq!(refused.error_type, Some(ErrorType::Incomplete));
        let data = r#"{"type":"result","is_error":false,"result":"{\"n\": 1}"}"#;
        assert_eq!(run(&[data]).record(wanted).conclude().parsed_result, Some(json!({"n": 1})));
        let long = "x".repeat(INLINE_ANSWER_BYTES as usize + 1);
        let line = json!({"type": "result", "is_error": false, "result": long}).to_string();
        let run = run(&[&line]);
        let result = run.conclude();
        assert!(result.success && result.result.is_empty());
        assert_eq!(run.long_answer(&result).len(), long.len());
    }
}
