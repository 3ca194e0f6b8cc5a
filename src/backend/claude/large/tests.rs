use serde_json::json;

use crate::backend::testing::Run;
use crate::backend::{Backend, Stop};
use crate::store::{ErrorType, Outcome};

fn text() -> String {
    format!("{}\n\"quoted\" \u{1f980} end\nSTATUS: partial", "0123456789".repeat(120_000))
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
fn noise_on_the_line_of_a_long_answer_does_not_lose_it() {
    let stream = stream(&text(), false);
    let (said, result) = stream.trim_end().split_once('\n').unwrap();
    let limit = r#"{"type":"rate_limit_event"}"#;
    for line in [
        format!("\x1b]0;{{\"type\"\x07 loading\r{limit}{result}{limit}\x1b[0m"),
        format!("{}\n{result}", &said[..said.len() - 3]),
    ] {
        let run = Run::new(Backend::Claude).stdout(&line);
        let result = run.conclude();
        assert!(result.success, "{:?}", result.error);
        assert!(run.long_answer(&result) == text());
    }
}

#[test]
fn an_answer_inside_a_long_event_is_none() {
    let fake = json!({"type": "result", "is_error": false, "result": "fake"});
    let event = json!({"type": "assistant", "message": {"content": [
        {"type": "tool_use", "input": fake, "text": text()}, {"type": "tool_use", "input": fake}]}});
    let line = event.to_string();
    for part in [&line[3..], &line[..line.len() - 3]] {
        let result = Run::new(Backend::Claude).stdout(part).conclude();
        assert_eq!((result.success, result.result.as_str()), (false, ""));
    }
}

#[test]
fn an_event_of_many_short_texts_is_not_held_in_memory() {
    let many = format!("{{\"type\":\"x\",\"many\":[0{}]}}", ",0".repeat(4_300_000));
    let result = Run::new(Backend::Claude).stdout(&format!("{many}\n{}", stream("short", false))).conclude();
    assert_eq!((result.success, result.result.as_str()), (true, "short"));
    let result = Run::new(Backend::Claude).stdout(&many).conclude();
    assert!(result.error.unwrap().contains("larger than 64 MiB"));
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
    let run = Run::new(Backend::Command).stdout(&text().repeat(8));
    let result = run.conclude();
    assert_eq!(result.outcome, Some(Outcome::Partial));
    assert!(run.long_answer(&result) == text().repeat(8));
    assert_eq!(std::fs::read_dir(run.folder().path()).unwrap().count(), 1);
}
