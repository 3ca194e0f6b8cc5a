//! The command line of `claude -p`.
//!
//! Every option is one argument, `--flag=value`: several of claude's options take any number of values and would
//! swallow what follows them. The prompt is not here, it goes to standard input.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use super::profile::PROGRAM;
use crate::backend::{Assignment, CommandLine, RefusedArgument, Session, SessionId};
use crate::model::tool_pattern;

/// The system prompt's file in the job's folder.
const SYSTEM_PROMPT_FILE: &str = "system-prompt.md";

/// From this length on, in bytes, a system prompt goes by file: far below what the kernel takes, and it keeps
/// the process list readable.
const SYSTEM_PROMPT_INLINE_LIMIT: usize = 8 * 1024;

/// Builds the command line.
///
/// # Errors
///
/// [`RefusedArgument`] for a value that must not stand on a command line.
pub(super) fn command_line(assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
    let mut line = CommandLine::of(assignment.program);
    line.plain("-p");
    line.plain("--output-format=stream-json");
    // Without it stream-json is refused.
    line.plain("--verbose");
    match assignment.session {
        // Without an id it makes up one.
        Session::None | Session::New => {}
        Session::NewAs(id) => line.plain(&format!("--session-id={id}")),
        Session::Resume(id) => line.plain(&format!("--resume={id}")),
    }
    if let Some(model) = assignment.model {
        line.option("--model", "model", model)?;
    }
    if let Some(mode) = assignment.permission_mode {
        line.option("--permission-mode", "permission mode", mode)?;
    }
    // One option a tool, not one list: claude splits a value at commas and spaces outside parentheses, so a name
    // with an open parenthesis would swallow the names after it. Repeated options add up (2.1.330).
    for tool in assignment.allowed_tools {
        tool_option(&mut line, "--allowed-tools", "allowed tool", tool)?;
    }
    for tool in assignment.disallowed_tools {
        tool_option(&mut line, "--disallowed-tools", "disallowed tool", tool)?;
    }
    if let Some(usd) = assignment.max_budget_usd {
        if !(usd.is_finite() && usd > 0.0) {
            return Err(RefusedArgument::NotPositive { field: "spend cap", value: usd });
        }
        line.plain(&format!("--max-budget-usd={usd}"));
    }
    if let Some(schema) = assignment.response_schema {
        line.abbreviated("--json-schema", "response schema", &schema.to_string())?;
    }
    match assignment.system_prompt {
        None | Some("") => {}
        // A NUL cannot stand in an argument, but in a file it can.
        Some(text) if text.len() < SYSTEM_PROMPT_INLINE_LIMIT && !text.contains('\0') => {
            line.abbreviated("--append-system-prompt", "system prompt", text)?;
        }
        Some(text) => system_prompt_file(&mut line, assignment.job_directory, text),
    }
    Ok(line)
}

/// The options a task can need, by the names that `claude --help` lists. The file variant of the system prompt is
/// left out: help texts write it in ways of their own.
pub(super) fn options() -> Vec<String> {
    let tools = ["Read".to_owned()];
    let sessions = [Session::NewAs(SessionId::fresh()), Session::Resume(SessionId::fresh())];
    let lines = sessions.iter().filter_map(|session| {
        command_line(&Assignment {
            program: Path::new(PROGRAM),
            arguments: &[],
            system_prompt: Some("x"),
            session,
            model: Some("x"),
            permission_mode: Some("default"),
            allowed_tools: &tools,
            disallowed_tools: &tools,
            max_budget_usd: Some(1.0),
            response_schema: Some(&Value::Bool(true)),
            job_directory: Path::new("/"),
        })
        .ok()
    });
    let mut options: Vec<String> = lines
        .flat_map(|line| line.shown.into_iter().skip(1))
        .map(|argument| argument.split('=').next().unwrap_or_default().to_owned())
        .collect();
    options.sort();
    options.dedup();
    options
}

/// A pattern that names tools. One that is malformed would name none, and refuse nothing.
fn tool_option(
    line: &mut CommandLine,
    flag: &str,
    field: &'static str,
    value: &str,
) -> Result<(), RefusedArgument> {
    line.option(flag, field, value)?;
    tool_pattern(value).map_err(|problem| RefusedArgument::NotATool { field, problem })?;
    Ok(())
}

fn system_prompt_file(line: &mut CommandLine, directory: &Path, text: &str) {
    let mut argument = OsString::from("--append-system-prompt-file=");
    argument.push(directory.join(SYSTEM_PROMPT_FILE));
    line.shown.push(argument.to_string_lossy().into_owned());
    line.argv.push(argument);
    line.files.push((SYSTEM_PROMPT_FILE.to_owned(), text.to_owned()));
}

#[cfg(test)]
mod tests;
