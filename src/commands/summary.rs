//! A finished job in words and as JSON, for the commands that end with one.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::verdict::{Strictness, cut_off, denial, exit_of, overspending, shortcoming};
use super::{Context, Problem};
use crate::engine::{Jobs, PendingReason};
use crate::error::{Exit, Failure};
use crate::remedy::Commands;
use crate::store::{Answer, JobResult, Record, Status};
use crate::ui::{Cell, Style, Ui, human};

/// A status as a word in its colour.
pub(crate) fn status_word(ui: Ui, status: Status) -> String {
    ui.style(status.name(), status_style(status))
}

/// What a status means to a person.
pub(crate) fn status_style(status: Status) -> Style {
    match status {
        Status::Pending => Style::Faint,
        Status::Running => Style::Warning,
        Status::Done => Style::Good,
        Status::Failed | Status::Cancelled => Style::Bad,
    }
}

/// The result of a finished job, with its hint as it holds here; one is made up for records that lack it.
pub(crate) fn result_of(record: &Record, ui: Ui) -> JobResult {
    let result = record.conclusion();
    JobResult { hint: result.advice(|remedy| ui.commands().tell(remedy)), ..result }
}

/// How a run went, on one line: `done in 4.2 s, $0.0175, 3 turns`.
pub(crate) fn closing_line(record: &Record) -> String {
    let result = record.conclusion();
    let mut parts = vec![match record.status() {
        Status::Done => "done".to_owned(),
        Status::Cancelled => "cancelled".to_owned(),
        _ => format!("failed ({})", result.error_type.map_or("unknown", |kind| kind.name())),
    }];
    if let Some(millis) = result.duration_ms {
        parts[0] += &format!(" in {}", human::duration(Duration::from_millis(millis)));
    }
    parts.extend(result.cost_usd.map(human::dollars));
    parts.extend(result.num_turns.map(|turns| human::count(turns, "turn")));
    parts.join(", ")
}

/// The end of a job's id: the beginning is a time, and that of jobs of the same minute is the same.
pub(crate) fn tail(record: &Record) -> String {
    let id = record.id.to_string();
    id[id.len() - 4..].to_owned()
}

/// Says what is wrong with a finished job's result, if anything is: the error or, after a success, what the
/// caller should know about it.
pub(crate) fn report(context: &Context, record: &Record, strictness: Strictness) {
    let result = result_of(record, context.ui);
    if !result.success {
        let error = result.error.as_deref().unwrap_or("the agent failed without saying why");
        context.ui.failure(format_args!("{}: {error}", record.agent), result.hint.as_deref());
    } else {
        let remarks = [denial(&result), overspending(record, &result), cut_off(&result)];
        for remark in remarks.into_iter().flatten() {
            context.ui.warn(format_args!("{}: {remark}", record.agent));
        }
        if let Some(hint) = &result.hint {
            context.ui.hint(hint);
        }
    }
    if exit_of(record, strictness) == Exit::Unsatisfactory
        && let Some(shortcoming) = shortcoming(&result)
    {
        context.ui.failure(format_args!("{}: {shortcoming}", record.agent), None);
    }
}

/// The same about a successful run in a few words, without what to do about it.
pub(crate) fn remarks(record: &Record, result: &JobResult) -> Option<String> {
    let remarks = [denial(result), overspending(record, result), cut_off(result), shortcoming(result)];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// The data that a job was asked for instead of a text. What a dialogue has beside its answer is none.
pub(crate) fn data_of<'a>(record: &Record, result: &'a JobResult) -> Option<&'a Value> {
    result.parsed_result.as_ref().filter(|_| !record.is_dialogue())
}

/// Prints a finished job's answer, or its result as JSON.
pub(crate) fn print(
    context: &Context,
    jobs: &dyn Jobs,
    record: &Record,
    as_json: bool,
) -> Result<(), Problem> {
    let result = result_of(record, context.ui);
    let answer = jobs.answer(&result)?;
    if as_json {
        return Ok(context.ui.json(&WholeResult { result: &result, answer: &answer })?);
    }
    match data_of(record, &result) {
        Some(data) => Ok(context.ui.json(data)?),
        None => Ok(context.ui.pieces(|print| answer.for_each_piece(print))?),
    }
}

/// A result with its answer in it, however long that is: it is written as it is read.
pub(crate) struct WholeResult<'a> {
    pub(crate) result: &'a JobResult,
    pub(crate) answer: &'a Answer<'a>,
}

impl Serialize for WholeResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if matches!(self.answer, Answer::Text(_)) {
            return self.result.serialize(serializer);
        }
        let short = JobResult { answer_file: None, ..self.result.clone() };
        let Value::Object(fields) = serde_json::to_value(short).map_err(serde::ser::Error::custom)? else {
            return Err(serde::ser::Error::custom("a result is an object"));
        };
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            if name == "result" {
                map.serialize_entry(&name, &InPieces(self.answer))?;
            } else {
                map.serialize_entry(&name, &value)?;
            }
        }
        map.end()
    }
}

/// An answer as a JSON string.
struct InPieces<'a>(&'a Answer<'a>);

impl Serialize for InPieces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Unlike `serialize_str`, this takes a text piece by piece.
        serializer.collect_str(self)
    }
}

impl fmt::Display for InPieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Result<(), std::io::Error> =
            self.0.for_each_piece(|piece| f.write_str(piece).map_err(std::io::Error::other));
        written.map_err(|_| fmt::Error)
    }
}

/// A job that has not finished, and whose end only the version that started it would see.
pub(crate) fn foreign(record: &Record) -> Failure {
    let (id, author) = (record.id, record.author());
    Failure::new(Exit::Failure, format_args!("job {id} belongs to {author} and cannot be waited for"))
}

/// That a job waits to be started, in the place of what its agent does.
pub(crate) fn waiting(delay: PendingReason, commands: Commands) -> String {
    let comma =
        if matches!(delay, PendingReason::Turn { .. } | PendingReason::Suspended { .. }) { "," } else { "" };
    format!("waiting{comma} {}", what_for(delay, commands))
}

/// What a job waits for before it is started.
pub(crate) fn what_for(delay: PendingReason, commands: Commands) -> String {
    match delay {
        PendingReason::Turn { place, waiting } => format!("number {place} of {waiting}"),
        PendingReason::Suspended { place, next, supervisor } => format!(
            "number {place}, behind job {next}, whose supervisor is stopped or frozen: `kill -CONT {supervisor}` lets it \
             go on, {} ends it",
            commands.quoted(["cancel", &next.to_string()])
        ),
        PendingReason::Jobs(count) => format!("for {}", human::count(count, "job")),
        PendingReason::Start => "to be started".to_owned(),
        PendingReason::InUse => "until its session or its agent's directory is free".to_owned(),
    }
}

/// A job as JSON for those who look at it: its record, without what only this tool needs.
pub(crate) fn to_json(record: &Record, ui: Ui) -> Value {
    let mut document: Value =
        serde_json::from_slice(&record.to_json()).unwrap_or_else(|_| json!({ "id": record.id }));
    let remedy = record.finished().and_then(|finished| finished.result.as_ref()?.remedy.as_ref());
    if remedy.is_some() {
        document["result"]["hint"] = json!(result_of(record, ui).hint);
    }
    document
}

/// A job's status, with its place among those that wait for a slot.
pub(super) fn status_cell(record: &Record, place: Option<usize>) -> Cell {
    let status = record.status();
    let word = match place {
        Some(place) => format!("{} ({place})", status.name()),
        None => status.name().to_owned(),
    };
    Cell::styled(word, status_style(status))
}
