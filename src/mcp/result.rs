//! What a call answers: a job in words for the model and as an object for programs, both saying the same.

use std::fmt::Write;
use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use super::refused::Refused;
use super::remedy::Advisor;
use super::tool::Name;
use super::window::{Part, Window};
use crate::engine::{Activity, Jobs, JobsError, Notice, Reading};
use crate::store::{ErrorType, JobResult, Record, Status, StoreError};
use crate::text::redact;
use crate::ui::human;

/// A result in the making.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    /// All of it, in words.
    pub(super) text: String,
    /// All of it, for programs.
    pub(super) fields: Map<String, Value>,
    /// Whether it is a failure.
    pub(super) is_error: bool,
}

impl Reply {
    /// A reply whose text is the object itself.
    pub(super) fn of_fields(fields: Value) -> Self {
        let text = fields.to_string();
        let Value::Object(fields) = fields else { return Self { text, fields: Map::new(), is_error: false } };
        Self { text, fields, is_error: false }
    }

    /// The same with notices about the dispatch, if there are any.
    pub(super) fn with_notices(mut self, notices: &[Notice]) -> Self {
        if notices.is_empty() {
            return self;
        }
        let warnings: Vec<String> = notices.iter().map(|notice| redact(&notice.to_string())).collect();
        for warning in &warnings {
            let _ = write!(self.text, "\n\n[warning: {warning}]");
        }
        self.fields.insert("warnings".to_owned(), json!(warnings));
        self
    }
}

impl From<Reply> for CallToolResult {
    fn from(reply: Reply) -> Self {
        let content = vec![ContentBlock::text(reply.text)];
        let mut result = if reply.is_error { Self::error(content) } else { Self::success(content) };
        result.structured_content = Some(Value::Object(reply.fields));
        result
    }
}

/// A job that has finished, with the wanted part of its answer.
pub(super) fn over(
    jobs: &dyn Jobs,
    advisor: &Advisor,
    record: &Record,
    window: Window,
) -> Result<Reply, Refused> {
    let result = record.conclusion();
    // What a schema was asked for is the answer. Other data says only once more what the text says.
    let data = result.parsed_result.as_ref().filter(|_| record.launch.response_schema.is_some());
    let parsed = data.map(Value::to_string).filter(|_| window.offset == 0);
    let inline = parsed.filter(|text| text.len() <= window.max_chars);
    let part = match &inline {
        Some(text) => Window { offset: 0, max_chars: usize::MAX }.cut_text(text),
        None => read_part(jobs, record, &result, window)?,
    };
    let hint = hint(jobs, advisor, record, &result);
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("job_id", Some(json!(record.id)));
    put("agent", Some(json!(record.agent)));
    put("status", Some(json!(record.status())));
    put("success", Some(json!(result.success)));
    if inline.is_some() {
        put("parsed_result", result.parsed_result.clone());
    } else {
        put("result", Some(json!(part.text)));
    }
    if part.next_offset.is_some() || window.offset > 0 {
        put("total_chars", (!part.is_cut_short).then(|| json!(part.total_chars)));
        put("next_offset", part.next_offset.map(Value::from));
    }
    if let Some((resolved, rounds)) = settled(record, &result) {
        put("resolved", Some(json!(resolved)));
        put("rounds", Some(json!(rounds)));
    }
    put("outcome", result.outcome.map(|outcome| json!(outcome)));
    put("error", result.error.as_ref().map(|error| json!(error)));
    put("error_type", result.error_type.map(|kind| json!(kind)));
    put("hint", hint.as_ref().map(|hint| json!(hint)));
    put("session_id", result.session_id.as_ref().map(|session| json!(session)));
    put("cost_usd", result.cost_usd.map(Value::from));
    put("duration_ms", result.duration_ms.map(Value::from));
    put("num_turns", result.num_turns.map(Value::from));
    put("model", result.model.as_ref().map(|model| json!(model)));
    put("denied_tools", (!result.denied_tools.is_empty()).then(|| json!(result.denied_tools)));
    put("unfinished", (!result.unfinished.is_empty()).then(|| json!(result.unfinished)));
    put("budget_exceeded", result.budget_exceeded.then(|| json!(true)));
    let text = told(record, &result, &part, window, hint.as_deref());
    Ok(Reply { text, fields, is_error: !result.success })
}

fn read_part(jobs: &dyn Jobs, record: &Record, result: &JobResult, window: Window) -> Result<Part, Refused> {
    let failed = |error: std::io::Error| {
        Refused::new(format_args!("failed to read the answer of job {}: {error}", record.id))
    };
    let part = window.cut_within(&jobs.answer(result)?, ANSWER_TIME).map_err(failed)?;
    if part.is_cut_short && part.text.is_empty() && window.max_chars > 0 {
        return Err(Refused::with_advice(
            format_args!(
                "it takes more than {} s to read the answer of job {} as far as offset {}",
                ANSWER_TIME.as_secs(),
                record.id,
                window.offset
            ),
            format_args!("Give an offset up to {}", part.total_chars),
        ));
    }
    Ok(part)
}

/// How long an answer is read for a part of it, and to count its characters.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A job that has finished, in words.
fn told(record: &Record, result: &JobResult, part: &Part, window: Window, hint: Option<&str>) -> String {
    let mut text = String::new();
    if !result.success {
        let kind = result.error_type.map_or("cli_error", ErrorType::name);
        let error = result.error.as_deref().unwrap_or("the agent failed without saying why");
        text = format!("{} {} ({kind}): {error}", record.agent, record.status().name());
        if let Some(hint) = hint {
            let _ = write!(text, ". {hint}");
        }
        if !part.text.is_empty() {
            text.push_str("\n\nWhat it had answered by then:\n");
        }
    }
    text.push_str(&part.text);
    if let Some(total) = part.missed(window) {
        let _ = write!(
            text,
            "(nothing: offset {} is past the end, the answer has {total} characters)",
            window.offset
        );
    }
    if let Some(next) = part.next_offset {
        let _ = write!(
            text,
            "\n\n[{next} of {}{} characters; for the next part call dispatch_result with job_id {} and offset {next}]",
            if part.is_cut_short { "more than " } else { "" },
            part.total_chars,
            record.id
        );
    }
    if result.success
        && let Some(hint) = hint
    {
        let _ = write!(text, "\n\n[note: {hint}]");
    }
    let mut facts =
        vec![format!("job {}", record.id), record.agent.clone(), record.status().name().to_owned()];
    facts.extend(result.outcome.map(|outcome| format!("outcome {}", outcome.name())));
    facts.extend(settled(record, result).map(|(resolved, rounds)| {
        format!(
            "{} after {}",
            if resolved { "resolved" } else { "not resolved" },
            human::count(rounds, "round")
        )
    }));
    facts.extend(result.duration_ms.map(|millis| human::duration(Duration::from_millis(millis))));
    facts.extend(result.cost_usd.map(human::dollars));
    facts.extend(result.session_id.as_ref().map(|session| format!("session_id {session}")));
    if !result.denied_tools.is_empty() {
        facts.push(format!("denied tools {}", result.denied_tools.join(", ")));
    }
    if !result.unfinished.is_empty() {
        let names: Vec<&str> = result.unfinished.iter().map(|task| task.what.as_str()).collect();
        facts.push(format!("unfinished {}", names.join(", ")));
    }
    let _ = write!(text, "\n\n[{}]", facts.join(" · "));
    text
}

/// What to do after the job, in terms of the client's tools.
fn hint(jobs: &dyn Jobs, advisor: &Advisor, record: &Record, result: &JobResult) -> Option<String> {
    let find = |id| if id == record.id { Some(record.clone()) } else { jobs.glance(id) };
    let advice = result.advice(|remedy| advisor.tell(remedy, &find));
    advice.or_else(|| unresolved(jobs, advisor, record, result))
}

/// Whether the agents of a dialogue have settled the matter, and after how many rounds.
fn settled(record: &Record, result: &JobResult) -> Option<(bool, u64)> {
    let summary = result.parsed_result.as_ref().filter(|_| record.is_dialogue())?;
    Some((summary["resolved"].as_bool()?, summary["rounds"].as_u64()?))
}

/// How to go on with a dialogue that came to its end before the matter was settled.
fn unresolved(jobs: &dyn Jobs, advisor: &Advisor, record: &Record, result: &JobResult) -> Option<String> {
    let (false, rounds) = settled(record, result)? else { return None };
    if !result.success || !advisor.has(Name::DispatchDialogue) {
        return None;
    }
    let turns = result.parsed_result.as_ref().and_then(|summary| summary["turns"].as_array())?;
    let mut ways = Vec::new();
    // Each agent's session is that of its last turn.
    for turn in &turns[turns.len().saturating_sub(2)..] {
        let session = turn["job_id"].as_str().and_then(|id| jobs.glance(id.parse().ok()?));
        if let (Some(agent), Some(session)) =
            (turn["agent"].as_str(), session.and_then(|turn| turn.conclusion().session_id))
        {
            ways.push(format!("dispatch for {agent} with session_id {session}"));
        }
    }
    ways.push(format!("dispatch_dialogue again with max_rounds above {rounds}"));
    Some(format!("They have not resolved it. To go on: {}", ways.join(", or ")))
}

/// A job that has not finished: what it does now, and the call that waits for it.
pub(super) fn unfinished(jobs: &dyn Jobs, record: &Record) -> Result<Reply, Refused> {
    let mut fields = Map::new();
    fields.insert("job_id".to_owned(), json!(record.id));
    fields.insert("agent".to_owned(), json!(record.agent));
    fields.insert("status".to_owned(), json!(record.status()));
    let doing = match jobs.place_in_queue(record)? {
        Some((place, _)) => {
            fields.insert("queue_position".to_owned(), json!(place));
            Some(format!("number {place} in the queue for a free slot"))
        }
        None => progress(jobs, record)?,
    };
    let next = format!("dispatch_result with job_id {} waits for the answer", record.id);
    let doing_text = doing.as_deref().map(|doing| format!(": {doing}")).unwrap_or_default();
    let text = format!(
        "job {} of {} is {}{doing_text}. Next: {next}",
        record.id,
        record.agent,
        record.status().name()
    );
    if let Some(doing) = doing {
        fields.insert("progress".to_owned(), json!(doing));
    }
    if let Some(session) = &record.launch.session_id {
        fields.insert("session_id".to_owned(), json!(session));
    }
    fields.insert("next".to_owned(), json!(next));
    Ok(Reply { text, fields, is_error: false })
}

/// How long the agent's output is read for that.
const PROGRESS_TIME: Duration = Duration::from_secs(1);

/// What the agent of a running job does now, on one line.
fn progress(jobs: &dyn Jobs, record: &Record) -> Result<Option<String>, Refused> {
    if record.status() != Status::Running {
        return Ok(None);
    }
    if record.is_foreign() {
        return Ok(record.progress.clone());
    }
    let mut activity = Activity::default();
    match Reading::new(record).catch_up_within(jobs, PROGRESS_TIME, &mut |event| activity.observe(&event)) {
        Ok(_) => Ok(activity.line().map(str::to_owned)),
        Err(JobsError::Store(StoreError::NoSuchJob(id))) => Err(StoreError::NoSuchJob(id).into()),
        // It is only news of what goes on.
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_counts_characters_and_knows_what_comes_next() {
        let cut = |offset, max_chars| Window { offset, max_chars }.cut_text("äöü€x");
        assert_eq!(
            cut(0, 3),
            Part { text: "äöü".into(), total_chars: 5, next_offset: Some(3), ..Part::default() }
        );
        assert_eq!(cut(3, 3), Part { text: "€x".into(), total_chars: 5, ..Part::default() });
        assert_eq!(cut(9, 3), Part { text: String::new(), total_chars: 5, ..Part::default() });
        assert_eq!(cut(0, 0).next_offset, Some(0));
    }

    #[test]
    fn a_part_may_begin_and_end_in_any_piece() {
        let pieces = ["ab", "", "cd", "ef"];
        let part = Window { offset: 1, max_chars: 3 }.cut::<()>(|take| {
            pieces.iter().for_each(|piece| take(piece));
            Ok(())
        });
        assert_eq!(
            part,
            Ok(Part { text: "bcd".into(), total_chars: 6, next_offset: Some(4), ..Part::default() })
        );
    }
}
