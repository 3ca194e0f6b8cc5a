//! Any program as an agent: the prompt on its standard input, the answer on its standard output, exit code 0 when
//! it is done.

use super::answer::{STATUS_WINDOW, outcome};
use super::failure::{Failure, blank, last_message, signalled, stopped};
use super::stderr::{end_of, tail};
use super::{Assignment, CommandLine, Ending, Evidence, Output, RefusedArgument, schema};
use crate::store::{AnswerFile, ErrorType, INLINE_ANSWER_BYTES, JobResult, Record};

/// The program and the arguments of the agent's configuration, as they are.
///
/// # Errors
///
/// [`RefusedArgument`] for an argument with a NUL character.
pub(super) fn command_line(assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
    let mut argv = vec![assignment.program.as_os_str().to_owned()];
    let mut shown = vec![assignment.program.display().to_string()];
    for argument in assignment.arguments {
        if argument.contains('\0') {
            return Err(RefusedArgument::ContainsNul { field: "command" });
        }
        argv.push(argument.into());
        shown.push(argument.clone());
    }
    Ok(CommandLine { argv, shown, files: Vec::new() })
}

/// What a run that is over came to.
pub(super) fn conclude(record: &Record, evidence: &Evidence<'_>) -> JobResult {
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
        (None, None, _) => Err(Failure::new(ErrorType::Incomplete, "the agent ended, but nobody saw how")),
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
mod tests;
