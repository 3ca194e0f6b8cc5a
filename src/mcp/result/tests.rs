use super::*;
use crate::store::{Finished, JobId, State, Verdict};

#[test]
fn a_part_counts_characters_and_knows_what_comes_next() {
    let cut = |offset, max_chars| Window { offset, max_chars }.cut_text("äöü€x");
    assert_eq!(cut(0, 3), Part { text: "äöü".into(), total_chars: 5, next_offset: Some(3) });
    assert_eq!(cut(3, 3), Part { text: "€x".into(), total_chars: 5, next_offset: None });
    assert_eq!(cut(9, 3), Part { text: String::new(), total_chars: 5, next_offset: None });
    assert_eq!(cut(0, 0).next_offset, Some(0));
}

#[test]
fn a_command_that_resumes_a_job_becomes_a_call() {
    let mut record = Record::pending(JobId::generate(), "api", "look", 1.0);
    let result = JobResult { session_id: Some("s-1".into()), ..JobResult::answer(record.id, "api", "") };
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: 2.0,
        verdict: Verdict::Failed,
        result: Some(result),
        error: None,
    }));
    let told = |hint: &str| in_terms_of_tools(hint, &record);
    let resume = format!("`agent-dispatch resume {}", record.id);
    assert_eq!(
        told(&format!("resume it: {resume} --timeout 20s`, later")),
        "resume it: call dispatch for api with session_id s-1 and timeout_seconds 20, later"
    );
    assert_eq!(
        told(&format!("{resume} --timeout 2h30m`")),
        "call dispatch for api with session_id s-1 and timeout_seconds 9000"
    );
    assert_eq!(told(&format!("{resume} \"more\"`")), "call dispatch for api with session_id s-1");
    assert_eq!(told("start anew: `agent-dispatch run api TASK`"), "start anew: call dispatch for api");
    assert_eq!(told("run `claude` and log in"), "run `claude` and log in");
}

#[test]
fn a_part_may_begin_and_end_in_any_piece() {
    let pieces = ["ab", "", "cd", "ef"];
    let part = Window { offset: 1, max_chars: 3 }.cut::<()>(|take| {
        pieces.iter().for_each(|piece| take(piece));
        Ok(())
    });
    assert_eq!(part, Ok(Part { text: "bcd".into(), total_chars: 6, next_offset: Some(4) }));
}
