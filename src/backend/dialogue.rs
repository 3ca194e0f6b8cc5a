//! A dialogue of two agents as the program of a job: what this program's own `dialogue --jsonl` writes, one line a turn,
//! and what it came to.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::{Failure, blank, signalled, stopped};
use super::interface::{Decoder, Farewell, Program};
use super::profile::LONGEST_TASK_BYTES;
use super::stderr::tail;
use super::{Ending, Event, EventKind, Evidence, Output};
use crate::model::JobId;
use crate::store::{ErrorType, JobResult, Outcome, Record, RecordedRemedy};
use crate::text::clip;

/// How long it has to stop its turn when it is to end: longer than the turn's agent has.
const GRACE: Duration = Duration::from_secs(6);

/// How much of an answer is shown in passing, in characters.
const PASSING_TEXT: usize = 2_000;

/// One line of the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DialogueLine {
    /// An agent has had its turn.
    Turn(DialogueTurn),
    /// All of it; the last line.
    Finished {
        /// What it came to.
        dialogue: Dialogue,
    },
}

/// What one agent said when it was its turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DialogueTurn {
    /// The agent.
    pub agent: String,
    /// The job that was its turn.
    pub job_id: JobId,
    /// What it said.
    pub result: String,
    /// What the turn cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// A dialogue that has finished. Absent fields are left out of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialogue {
    /// What it was about.
    pub topic: String,
    /// The agent that began.
    pub requester: String,
    /// The agent that answered.
    pub responder: String,
    /// What they said, in turns.
    pub turns: Vec<DialogueTurn>,
    /// Whether one of them said that it is settled.
    pub resolved: bool,
    /// How often both had a turn; the last time it may have been only one.
    pub rounds: u32,
    /// What it cost, in US dollars, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// What was said last.
    #[serde(rename = "final", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// What ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What kind of failure that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<ErrorType>,
    /// What to do about it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<RecordedRemedy>,
}

/// What such a job runs. It is no backend: no agent can have it.
pub(super) const DIALOGUE: &dyn Program = &Conductor;

/// This program, conducting a dialogue.
#[derive(Debug)]
struct Conductor;

impl Program for Conductor {
    fn decoder(&self, _limit: usize) -> Box<dyn Decoder> {
        Box::new(Turns)
    }

    fn farewell(&self) -> Farewell {
        Farewell { grace: GRACE, ..Farewell::default() }
    }

    fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        conclude(record, evidence)
    }
}

/// Each line is a turn.
#[derive(Debug)]
struct Turns;

impl Decoder for Turns {
    fn line(&mut self, line: Cow<'_, str>, deliver: &mut dyn FnMut(Event)) {
        deliver(event(&line));
    }
}

/// A line as what happens: a turn is what an agent says.
fn event(line: &str) -> Event {
    let kind = match serde_json::from_str(line) {
        Ok(DialogueLine::Turn(turn)) => {
            EventKind::Text { text: format!("{}: {}", turn.agent, clip(&turn.result, PASSING_TEXT)) }
        }
        Ok(DialogueLine::Finished { .. }) => EventKind::Other { name: "finished".to_owned() },
        Err(_) => EventKind::Unparsed { text: clip(line, PASSING_TEXT) },
    };
    kind.into()
}

/// What a dialogue that has finished came to: also one that was cut short, as far as it went.
fn conclude(record: &Record, evidence: &Evidence<'_>) -> JobResult {
    let mut result = blank(record, evidence);
    let (turns, finished) = match evidence.stdout {
        Output::File(file) => read(file),
        Output::Missing | Output::Unreadable(_) => (Vec::new(), None),
    };
    result.cost_usd = JobResult::total_usd(turns.iter().filter_map(|turn| turn.cost_usd));
    result.num_turns = Some(turns.len() as u64);
    let rows = turns.iter().map(|turn| {
        let mut row = json!({ "agent": turn.agent, "job_id": turn.job_id });
        if let Some(cost) = turn.cost_usd {
            row["cost_usd"] = cost.into();
        }
        row
    });
    let mut summary = json!({ "turns": rows.collect::<Vec<_>>() });
    if let Some(dialogue) = &finished {
        summary["resolved"] = dialogue.resolved.into();
        summary["rounds"] = dialogue.rounds.into();
        result.outcome = Some(if dialogue.resolved { Outcome::Done } else { Outcome::Partial });
    }
    result.parsed_result = Some(summary);
    // A turn that failed may have said nothing.
    let last = turns.into_iter().rfind(|turn| !turn.result.trim().is_empty());
    result.result = last.map(|turn| turn.result).unwrap_or_default();
    let failure = match (evidence.stop, finished, evidence.ending) {
        (Some(stop), ..) => stopped(stop, record, None),
        (None, Some(Dialogue { error: None, .. }), _) => return result,
        (None, Some(Dialogue { error: Some(error), error_type, hint, remedy, .. }), _) => {
            Failure::new(error_type.unwrap_or(ErrorType::CliError), error).tell(&mut result);
            (result.remedy, result.hint) = (remedy, hint);
            return result;
        }
        (None, None, Some(Ending::Signalled(signal))) => signalled(signal),
        (None, None, _) => {
            let error = format!("the dialogue ended before it had finished: {}", tail(evidence.folder));
            Failure::new(ErrorType::Incomplete, error)
        }
    };
    failure.tell(&mut result);
    result
}

fn read(file: &File) -> (Vec<DialogueTurn>, Option<Dialogue>) {
    let (mut turns, mut finished) = (Vec::new(), None);
    // The last line repeats the others.
    let mut reader = BufReader::new(file.take(16 * LONGEST_TASK_BYTES as u64));
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        match serde_json::from_slice(&line) {
            Ok(DialogueLine::Turn(turn)) => turns.push(turn),
            Ok(DialogueLine::Finished { dialogue }) => finished = Some(dialogue),
            Err(_) => {}
        }
        line.clear();
    }
    (turns, finished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Stop;
    use crate::backend::testing::Run;

    fn turn(agent: &str, result: &str) -> DialogueTurn {
        let result = result.to_owned();
        DialogueTurn { agent: agent.into(), job_id: JobId::generate(), result, cost_usd: Some(0.25) }
    }

    fn lines(turns: &[DialogueTurn], end: Option<(bool, Option<ErrorType>)>) -> String {
        let mut lines: Vec<DialogueLine> = turns.iter().cloned().map(DialogueLine::Turn).collect();
        lines.extend(end.map(|(resolved, error_type)| DialogueLine::Finished {
            dialogue: Dialogue {
                topic: "t".into(),
                requester: "a".into(),
                responder: "b".into(),
                turns: turns.to_vec(),
                resolved,
                rounds: 1,
                cost_usd: Some(0.5),
                last: None,
                error: error_type.map(|_| "b failed".into()),
                error_type,
                hint: error_type.map(|_| "log in".into()),
                remedy: None,
            },
        }));
        lines.iter().map(|line| format!("{}\n", serde_json::to_string(line).unwrap())).collect()
    }

    #[test]
    fn the_result_is_what_was_said_last_and_what_all_turns_cost() {
        let turns = [turn("a", "eins"), turn("b", "zwei")];
        let result = Run::new(DIALOGUE).stdout(&lines(&turns, Some((true, None)))).conclude();
        assert!(result.success);
        assert_eq!((result.result.as_str(), result.cost_usd), ("zwei", Some(0.5)));
        assert_eq!((result.num_turns, result.outcome), (Some(2), Some(Outcome::Done)));
        assert_eq!(result.parsed_result.unwrap()["turns"][1]["job_id"], json!(turns[1].job_id));
        let open = Run::new(DIALOGUE).stdout(&lines(&turns, Some((false, None)))).conclude();
        assert_eq!((open.success, open.outcome), (true, Some(Outcome::Partial)));
    }

    #[test]
    fn a_dialogue_that_was_cut_short_keeps_what_was_said_and_paid() {
        let turns = [turn("a", "eins")];
        let failed = lines(&turns, Some((false, Some(ErrorType::Auth))));
        let result = Run::new(DIALOGUE).stdout(&failed).exit(8).conclude();
        assert_eq!((result.success, result.error_type), (false, Some(ErrorType::Auth)));
        assert_eq!(result.hint.as_deref(), Some("log in"));
        let silent = lines(&[turn("a", "eins"), turn("b", "")], Some((false, Some(ErrorType::Auth))));
        assert_eq!(Run::new(DIALOGUE).stdout(&silent).exit(8).conclude().result, "eins");
        let stopped = Run::new(DIALOGUE).stdout(&lines(&turns, None)).stop(Stop::Cancelled).conclude();
        assert_eq!((stopped.error_type, stopped.cost_usd), (Some(ErrorType::Cancelled), Some(0.25)));
        assert_eq!(stopped.result, "eins");
        let dead = Run::new(DIALOGUE).stdout("").exit(1).conclude();
        assert_eq!(dead.error_type, Some(ErrorType::Incomplete));
    }
}
