use super::*;
use crate::backend::testing::Run;
use crate::backend::{Backend, Stop};

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
        },
    }));
    lines.iter().map(|line| format!("{}\n", serde_json::to_string(line).unwrap())).collect()
}

#[test]
fn the_result_is_what_was_said_last_and_what_all_turns_cost() {
    let turns = [turn("a", "eins"), turn("b", "zwei")];
    let result = Run::new(Backend::Dialogue).stdout(&lines(&turns, Some((true, None)))).conclude();
    assert!(result.success);
    assert_eq!((result.result.as_str(), result.cost_usd), ("zwei", Some(0.5)));
    assert_eq!((result.num_turns, result.outcome), (Some(2), Some(Outcome::Done)));
    assert_eq!(result.parsed_result.unwrap()["turns"][1]["job_id"], json!(turns[1].job_id));
    let open = Run::new(Backend::Dialogue).stdout(&lines(&turns, Some((false, None)))).conclude();
    assert_eq!((open.success, open.outcome), (true, Some(Outcome::Partial)));
}

#[test]
fn a_dialogue_that_was_cut_short_keeps_what_was_said_and_paid() {
    let turns = [turn("a", "eins")];
    let failed = lines(&turns, Some((false, Some(ErrorType::Auth))));
    let result = Run::new(Backend::Dialogue).stdout(&failed).exit(8).conclude();
    assert_eq!((result.success, result.error_type), (false, Some(ErrorType::Auth)));
    assert_eq!(result.hint.as_deref(), Some("log in"));
    let silent = lines(&[turn("a", "eins"), turn("b", "")], Some((false, Some(ErrorType::Auth))));
    assert_eq!(Run::new(Backend::Dialogue).stdout(&silent).exit(8).conclude().result, "eins");
    let stopped = Run::new(Backend::Dialogue).stdout(&lines(&turns, None)).stop(Stop::Cancelled).conclude();
    assert_eq!((stopped.error_type, stopped.cost_usd), (Some(ErrorType::Cancelled), Some(0.25)));
    assert_eq!(stopped.result, "eins");
    let dead = Run::new(Backend::Dialogue).stdout("").exit(1).conclude();
    assert_eq!(dead.error_type, Some(ErrorType::Incomplete));
}
