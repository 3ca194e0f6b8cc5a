use std::path::PathBuf;

use serde_json::json;

use super::super::testing::{Run, record};
use super::super::{Backend, Session, Stop};
use super::*;

fn run(stdout: &str) -> Run {
    Run::new(Backend::Command).stdout(stdout)
}

#[test]
fn the_command_line_is_the_configured_one() {
    let program = PathBuf::from("/opt/agent");
    let arguments = ["--key".to_owned(), "sk-ant-api03-x".to_owned(), "a b".to_owned()];
    let session = Session::New(crate::backend::SessionId::fresh());
    let assignment = Assignment {
        program: &program,
        arguments: &arguments,
        system_prompt: Some("ignored"),
        session,
        model: Some("ignored"),
        permission_mode: None,
        allowed_tools: &[],
        disallowed_tools: &[],
        max_budget_usd: None,
        response_schema: None,
        job_directory: &program,
    };
    let line = Backend::Command.command_line(&assignment).unwrap();
    assert_eq!(line.argv, ["/opt/agent", "--key", "sk-ant-api03-x", "a b"]);
    assert_eq!(line.shown, ["/opt/agent", "--key", "sk-ant-api03-x", "a b"]);
    let nul = ["a\0b".to_owned()];
    let refused = Backend::Command.command_line(&Assignment { arguments: &nul, ..assignment });
    assert_eq!(refused, Err(RefusedArgument::ContainsNul { field: "command" }));
}

#[test]
fn the_answer_is_the_output_without_one_line_end() {
    for (output, answer) in [("hi\n", "hi"), ("hi\r\n", "hi"), ("hi\n\n", "hi\n"), ("hi", "hi"), ("", "")] {
        let result = run(output).conclude();
        assert!(result.success, "{result:?}");
        assert_eq!(result.result, answer);
    }
    let result = run("").stdout_bytes(b"a\xffb\nSTATUS: partial\n").conclude();
    assert_eq!(result.result, "a\u{fffd}b\nSTATUS: partial");
    assert_eq!(result.outcome, Some(crate::store::Outcome::Partial));
}

#[test]
fn another_exit_code_is_a_failure_with_the_last_words() {
    let result = run("half").stderr("warming up\nboom: sk-ant-api03-x\n").exit(3).conclude();
    assert_eq!(result.error_type, Some(ErrorType::CliError));
    assert_eq!(result.error.as_deref(), Some("the agent exited with code 3: warming up\nboom: sk-ant-…"));
    assert_eq!(result.result, "half");
    assert!(!result.success);
}

#[test]
fn the_last_words_are_the_last_ones() {
    let stderr: String = (0..20).map(|n| format!("{n} {}\n", "noise ".repeat(40))).collect();
    let result = run("").stderr(&format!("{stderr}the reason\n")).exit(1).conclude();
    let error = result.error.unwrap();
    assert!(error.ends_with("the reason") && error.len() < 700, "{error}");
}

#[test]
fn a_signal_is_named() {
    let result = run("").signal(9).conclude();
    assert_eq!(result.error_type, Some(ErrorType::CliError));
    assert!(result.error.unwrap().contains("signal 9 (SIGKILL)"));
    assert!(result.hint.unwrap().contains("memory"));
}

#[test]
fn a_stop_decides_and_what_there_is_of_the_answer_is_kept() {
    for (stop, kind) in [
        (Stop::Timeout { limit_seconds: 90.0, usual: None }, ErrorType::Timeout),
        (Stop::Cancelled, ErrorType::Cancelled),
        (Stop::OwnerGone, ErrorType::Cancelled),
        (Stop::SupervisorStopped, ErrorType::Cancelled),
        (Stop::Lost, ErrorType::Lost),
    ] {
        let result = run("so far").stop(stop).signal(15).conclude();
        assert_eq!((result.error_type, result.success), (Some(kind), false));
        assert_eq!(result.result, "so far");
        assert!(!result.hint.unwrap_or_default().contains("--session"), "a command has no session");
    }
}

#[test]
fn a_schema_applies_to_the_text() {
    let mut wanted = record();
    wanted.launch.response_schema = Some(json!({"type": "object", "required": ["n"]}));
    let good = run("```json\n{\"n\": 1}\n```\n").record(wanted.clone()).conclude();
    assert_eq!(good.parsed_result, Some(json!({"n": 1})));
    let bad = run("no idea\n").record(wanted).conclude();
    assert_eq!((bad.success, bad.error_type), (false, Some(ErrorType::Incomplete)));
    assert_eq!(bad.result, "no idea");
}

#[test]
fn missing_output_is_an_empty_answer_and_unreadable_output_is_none() {
    let missing = Run::new(Backend::Command).conclude();
    assert!(missing.success && missing.result.is_empty());
    let unreadable = Run::new(Backend::Command).stdout_is_a_directory().conclude();
    assert_eq!(unreadable.error_type, Some(ErrorType::Incomplete));
}
