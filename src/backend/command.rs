//! Any program as an agent: the prompt on its standard input, the answer on its standard output, exit code 0 when
//! it is done.

use std::borrow::Cow;

use super::answer::{STATUS_WINDOW, outcome};
use super::events::{Event, EventKind};
use super::failure::{Failure, blank, last_message, signalled, stopped};
use super::interface::{Backend, Decoder, Program};
use super::profile::Profile;
use super::stderr::{end_of, tail};
use super::{Assignment, CommandLine, Ending, Evidence, Output, RefusedArgument, schema};
use crate::store::{AnswerFile, ErrorType, INLINE_ANSWER_BYTES, JobResult, Record};

/// The backend.
pub const COMMAND: &dyn Backend = &PlainProgram;

/// A program that the agent's `command` names.
#[derive(Debug)]
struct PlainProgram;

const PROFILE: Profile = Profile::plain(
    "command",
    "a plain program",
    "Any program: task on standard input, answer on standard output",
);

impl Program for PlainProgram {
    fn decoder(&self, _limit: usize) -> Box<dyn Decoder> {
        Box::new(Lines)
    }

    fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        conclude(record, evidence)
    }
}

impl Backend for PlainProgram {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    /// The program and the arguments of the agent's configuration, as they are.
    fn command_line(&self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
        command_line(assignment)
    }
}

/// Each line is what it says.
#[derive(Debug)]
struct Lines;

impl Decoder for Lines {
    fn line(&mut self, line: Cow<'_, str>, deliver: &mut dyn FnMut(Event)) {
        deliver(EventKind::Text { text: line.into_owned() }.into());
    }
}

fn command_line(assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
    let mut line = CommandLine::of(assignment.program);
    for argument in assignment.arguments {
        if argument.contains('\0') {
            return Err(RefusedArgument::ContainsNul { field: "command" });
        }
        line.plain(argument);
    }
    Ok(line)
}

fn conclude(record: &Record, evidence: &Evidence<'_>) -> JobResult {
    let mut result = blank(record, evidence);
    let read_error = read_answer(record, evidence.stdout, &mut result).err();
    let verdict = match (evidence.stop, evidence.ending, read_error) {
        // A program says only by its end that its answer is complete, and a stop takes that from it.
        (Some(stop), _, _) => Err(stopped(stop, record, None)),
        (None, Some(Ending::Exited(0)), Some(error)) => {
            Err(Failure::new(ErrorType::Incomplete, format!("the agent's output could not be read: {error}")))
        }
        (None, Some(Ending::Exited(0)), None) => match &record.launch.response_schema {
            None => Ok(None),
            Some(schema) => schema::parsed(schema, None, &result.result)
                .map(Some)
                .map_err(|reason| Failure::new(ErrorType::Incomplete, reason)),
        },
        (None, Some(Ending::Exited(code)), _) => {
            Err(Failure::new(ErrorType::CliError, exited(code, &tail(evidence.folder))))
        }
        (None, Some(Ending::Signalled(signal)), _) => Err(signalled(signal)),
        (None, None, _) => {
            Err(Failure::new(ErrorType::Incomplete, "the agent ended, and its exit status is unknown"))
        }
    };
    match verdict {
        Ok(parsed) => result.parsed_result = parsed,
        Err(failure) => failure.tell(&mut result),
    }
    result
}

/// A program that ended with a failure, and its last words.
pub(super) fn exited(code: i32, stderr: &str) -> String {
    if stderr.is_empty() {
        format!("the agent exited with code {code} and no message")
    } else {
        format!("the agent exited with code {code}: {}", last_message(stderr))
    }
}

/// Reads the whole output as a text, without one line end at its end. There may be none: that is an empty answer.
/// A long one stays where it is.
fn read_answer(record: &Record, output: Output<'_>, result: &mut JobResult) -> Result<(), String> {
    let file = match output {
        Output::File(file) => file,
        Output::Missing => return Ok(()),
        Output::Unreadable(reason) => return Err(reason.to_owned()),
    };
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let is_long = length > INLINE_ANSWER_BYTES;
    if is_long && record.launch.response_schema.is_some() {
        result.answer_file = Some(AnswerFile::Stdout);
        return Err(format!(
            "it has {length} bytes, and {INLINE_ANSWER_BYTES} are the most that is checked by a schema"
        ));
    }
    let bytes = if is_long { end_of(file, STATUS_WINDOW) } else { end_of(file, length) };
    let mut text = match String::from_utf8(bytes.map_err(|error| error.to_string())?) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    result.outcome = outcome(&text);
    if is_long {
        result.answer_file = Some(AnswerFile::Stdout);
        return Ok(());
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    result.result = text;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::super::testing::{Run, record};
    use super::super::{Session, Stop};
    use super::*;
    use crate::model::Remedy;

    fn run(stdout: &str) -> Run {
        Run::new(COMMAND).stdout(stdout)
    }

    #[test]
    fn the_command_line_is_the_configured_one() {
        let program = PathBuf::from("/opt/agent");
        let arguments = ["--key".to_owned(), "sk-ant-api03-x".to_owned(), "a b".to_owned()];
        let session = Session::NewAs(crate::backend::SessionId::fresh());
        let assignment = Assignment {
            program: &program,
            arguments: &arguments,
            system_prompt: Some("ignored"),
            session: &session,
            model: Some("ignored"),
            permission_mode: None,
            allowed_tools: &[],
            disallowed_tools: &[],
            max_budget_usd: None,
            response_schema: None,
            job_directory: &program,
        };
        let line = COMMAND.command_line(&assignment).unwrap();
        assert_eq!(line.argv, ["/opt/agent", "--key", "sk-ant-api03-x", "a b"]);
        assert_eq!(line.shown, ["/opt/agent", "--key", "sk-ant-api03-x", "a b"]);
        let nul = ["a\0b".to_owned()];
        let refused = COMMAND.command_line(&Assignment { arguments: &nul, ..assignment });
        assert_eq!(refused, Err(RefusedArgument::ContainsNul { field: "command" }));
    }

    #[test]
    fn the_answer_is_the_output_without_one_line_end() {
        for (output, answer) in [("hi\n", "hi"), ("hi\r\n", "hi"), ("hi\n\n", "hi\n"), ("hi", "hi"), ("", "")]
        {
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
        assert!(result.error.as_ref().unwrap().contains("signal 9 (SIGKILL)"));
        assert_eq!(result.known_remedy(), Some(&Remedy::RunFewerAgents {}));
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
            let resumes = matches!(result.known_remedy(), Some(Remedy::Resume { .. }));
            assert!(!resumes, "a command has no session");
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
        let missing = Run::new(COMMAND).conclude();
        assert!(missing.success && missing.result.is_empty());
        let unreadable = Run::new(COMMAND).stdout_is_a_directory().conclude();
        assert_eq!(unreadable.error_type, Some(ErrorType::Incomplete));
    }
}
