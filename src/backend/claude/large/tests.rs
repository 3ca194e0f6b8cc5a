use serde_json::json;

use crate::backend::testing::Run;
use crate::backend::{Backend, Stop};
use crate::store::{ErrorType, Outcome};

fn text() -> String {
    format!("{}\n\"quoted\" \u{1f980} end\nSTATUS: partial", "0123456789".repeat(1_000_000))
}

fn stream(text: &str, is_error: bool) -> String {
    let said = json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}});
    let result = json!({
        "type": "result", "subtype": "success", "is_error": is_error, "result": text, "num_turns": 1,
        "total_cost_usd": 0.5, "session_id": "s",
    });
    format!("{said}\n{result}\n")
}

#[test]
fn an_answer_of_many_megabytes_goes_into_a_file() {
    let run = Run::new(Backend::Claude).stdout(&stream(&text(), false));
    let result = run.conclude();
    assert!(result.success && result.result.is_empty());
    assert_eq!((result.outcome, result.cost_usd), (Some(Outcome::Partial), Some(0.5)));
    assert!(run.long_answer(&result) == text());
    let left = std::fs::read_dir(run.folder().path()).unwrap().count();
    assert_eq!(left, 2, "the output and the answer, and no draft");
}

#[test]
fn a_long_text_is_salvaged_when_there_is_no_result() {
    let said = stream(&text(), false);
    let only_said = said.lines().next().unwrap();
    let run =
        Run::new(Backend::Claude).stdout(only_said).stop(Stop::Timeout { limit_seconds: 1.0, usual: None });
    let result = run.conclude();
    assert_eq!(result.error_type, Some(ErrorType::Timeout));
    assert!(run.long_answer(&result) == text());
}

#[test]
fn a_long_line_that_is_cut_is_no_answer() {
    let whole = stream(&text(), false);
    let run = Run::new(Backend::Claude).stdout(&whole[..whole.len() - 100]);
    let result = run.conclude();
    assert_eq!(result.error_type, Some(ErrorType::Incomplete));
    // What was said before it is salvaged.
    assert!(run.long_answer(&result) == text());
}

#[test]
fn a_plain_programs_long_output_stays_where_it_is() {
    let run = Run::new(Backend::Command).stdout(&text());
    let result = run.conclude();
    assert_eq!(result.outcome, Some(Outcome::Partial));
    assert!(run.long_answer(&result) == text());
    assert_eq!(std::fs::read_dir(run.folder().path()).unwrap().count(), 1);
}
