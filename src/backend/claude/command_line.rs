//! The command line of `claude -p`.
//!
//! Every option is one argument, `--flag=value`: several of claude's options take any number of values and would
//! swallow what follows them. The prompt is not here, it goes to standard input.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use crate::backend::{Assignment, CommandLine, RefusedArgument, Session};

/// The system prompt's file in the job's folder.
const SYSTEM_PROMPT_FILE: &str = "system-prompt.md";

/// From this length on, in bytes, a system prompt goes by file: far below what the kernel takes, and it keeps
/// the process list readable.
const SYSTEM_PROMPT_INLINE_LIMIT: usize = 8 * 1024;

/// The longest argument Linux takes, in bytes: 32 pages, with the terminating NUL.
const ARGUMENT_LIMIT: usize = 131_071;

/// Builds the command line.
///
/// # Errors
///
/// [`RefusedArgument`] for a value that must not stand on a command line.
pub(in crate::backend) fn command_line(assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
    let mut line = Builder::new(assignment);
    line.plain("-p");
    line.plain("--output-format=stream-json");
    // Without it stream-json is refused.
    line.plain("--verbose");
    match assignment.session {
        Session::New(id) => line.structured("--session-id", "session id", id)?,
        Session::Resume(id) => line.structured("--resume", "session id", id)?,
    }
    if let Some(model) = assignment.model {
        line.structured("--model", "model", model)?;
    }
    if let Some(mode) = assignment.permission_mode {
        line.structured("--permission-mode", "permission mode", mode)?;
    }
    // One option a tool, not one list: claude splits a value at commas and spaces outside parentheses, so a name
    // with an open parenthesis would swallow the names after it. Repeated options add up (2.1.330).
    for tool in assignment.allowed_tools {
        line.structured("--allowed-tools", "allowed tool", tool)?;
    }
    for tool in assignment.disallowed_tools {
        line.structured("--disallowed-tools", "disallowed tool", tool)?;
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
        Some(text) => line.system_prompt_file(text),
    }
    Ok(line.finished)
}

/// The options a task can need, by the names that `claude --help` lists. The file variant of the system prompt is
/// left out: help texts write it in ways of their own.
pub fn options() -> Vec<String> {
    let tools = ["Read".to_owned()];
    let sessions = [Session::New("1".to_owned()), Session::Resume("1".to_owned())];
    let lines = sessions.iter().filter_map(|session| {
        command_line(&Assignment {
            program: Path::new("claude"),
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

struct Builder<'a> {
    assignment: &'a Assignment<'a>,
    finished: CommandLine,
}

impl<'a> Builder<'a> {
    fn new(assignment: &'a Assignment<'a>) -> Self {
        let argv = vec![assignment.program.as_os_str().to_owned()];
        let shown = vec![assignment.program.display().to_string()];
        Self { assignment, finished: CommandLine { argv, shown, files: Vec::new() } }
    }

    fn plain(&mut self, argument: &str) {
        self.finished.argv.push(argument.into());
        self.finished.shown.push(argument.to_owned());
    }

    /// A value that names something. It must not look like an option, whichever way the CLI parses it.
    fn structured(&mut self, flag: &str, field: &'static str, value: &str) -> Result<(), RefusedArgument> {
        if value.trim().is_empty() {
            return Err(RefusedArgument::Empty { field });
        }
        // The CLI trims values: a blank before the dash hides nothing.
        if value.trim_start().starts_with('-') {
            return Err(RefusedArgument::FlagLike { field, value: value.to_owned() });
        }
        let argument = checked(flag, field, value)?;
        self.plain(&argument);
        Ok(())
    }

    /// A free text, which the record shows by its length only.
    fn abbreviated(&mut self, flag: &str, field: &'static str, value: &str) -> Result<(), RefusedArgument> {
        self.finished.argv.push(checked(flag, field, value)?.into());
        self.finished.shown.push(format!("{flag}=<{} bytes>", value.len()));
        Ok(())
    }

    fn system_prompt_file(&mut self, text: &str) {
        let path = self.assignment.job_directory.join(SYSTEM_PROMPT_FILE);
        let mut argument = OsString::from("--append-system-prompt-file=");
        argument.push(&path);
        self.finished.shown.push(argument.to_string_lossy().into_owned());
        self.finished.argv.push(argument);
        self.finished.files.push((SYSTEM_PROMPT_FILE.to_owned(), text.to_owned()));
    }
}

fn checked(flag: &str, field: &'static str, value: &str) -> Result<String, RefusedArgument> {
    if value.contains('\0') {
        return Err(RefusedArgument::ContainsNul { field });
    }
    let argument = format!("{flag}={value}");
    if argument.len() > ARGUMENT_LIMIT {
        return Err(RefusedArgument::TooLong {
            field,
            bytes: value.len(),
            limit: ARGUMENT_LIMIT - flag.len() - 1,
        });
    }
    Ok(argument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn assignment(session: &Session) -> Assignment<'_> {
        Assignment {
            program: Path::new("/usr/bin/claude"),
            arguments: &[],
            system_prompt: None,
            session,
            model: None,
            permission_mode: None,
            allowed_tools: &[],
            disallowed_tools: &[],
            max_budget_usd: None,
            response_schema: None,
            job_directory: Path::new("/jobs/1"),
        }
    }

    fn arguments(line: &CommandLine) -> Vec<&str> {
        line.argv.iter().map(|argument| argument.to_str().unwrap()).collect()
    }

    #[test]
    fn every_option_is_one_argument() {
        let session = Session::New("0190163d-8694-739b-aea5-966c26f8ad91".into());
        let tools = ["Bash(git log *, -n 1)".to_owned(), "Read".to_owned()];
        let denied = ["WebFetch".to_owned()];
        let line = command_line(&Assignment {
            model: Some("opus"),
            permission_mode: Some("acceptEdits"),
            allowed_tools: &tools,
            disallowed_tools: &denied,
            max_budget_usd: Some(0.5),
            ..assignment(&session)
        })
        .unwrap();
        let expected = [
            "/usr/bin/claude",
            "-p",
            "--output-format=stream-json",
            "--verbose",
            "--session-id=0190163d-8694-739b-aea5-966c26f8ad91",
            "--model=opus",
            "--permission-mode=acceptEdits",
            "--allowed-tools=Bash(git log *, -n 1)",
            "--allowed-tools=Read",
            "--disallowed-tools=WebFetch",
            "--max-budget-usd=0.5",
        ];
        assert_eq!(arguments(&line), expected);
        assert_eq!(line.shown, expected);
        assert!(line.files.is_empty());
    }

    #[test]
    fn the_options_are_those_of_every_command_line() {
        let options = options();
        for option in ["-p", "--session-id", "--resume", "--max-budget-usd", "--json-schema", "--verbose"] {
            assert!(options.iter().any(|known| known == option), "{option}: {options:?}");
        }
        assert_eq!(options.len(), 12, "{options:?}");
    }

    #[test]
    fn a_resumed_session_is_told_everything_but_its_id_again() {
        let session = Session::Resume("abc".into());
        let line = command_line(&Assignment { model: Some("opus"), ..assignment(&session) }).unwrap();
        assert!(arguments(&line).contains(&"--resume=abc"));
        assert!(!arguments(&line).iter().any(|argument| argument.starts_with("--session-id")));
        assert!(arguments(&line).contains(&"--model=opus"));
    }

    #[test]
    fn values_that_look_like_options_are_refused() {
        let fine = Session::New("1".into());
        for value in ["-p", "--dangerously-skip-permissions", " --x", "-"] {
            let tools = [value.to_owned()];
            let new = Session::New(value.into());
            let resumed = Session::Resume(value.into());
            for (field, refused) in [
                ("session id", Assignment { session: &new, ..assignment(&fine) }),
                ("session id", Assignment { session: &resumed, ..assignment(&fine) }),
                ("model", Assignment { model: Some(value), ..assignment(&fine) }),
                ("permission mode", Assignment { permission_mode: Some(value), ..assignment(&fine) }),
                ("allowed tool", Assignment { allowed_tools: &tools, ..assignment(&fine) }),
                ("disallowed tool", Assignment { disallowed_tools: &tools, ..assignment(&fine) }),
            ] {
                let expected = RefusedArgument::FlagLike { field, value: value.to_owned() };
                assert_eq!(command_line(&refused), Err(expected));
            }
        }
    }

    #[test]
    fn empty_values_nul_and_senseless_caps_are_refused() {
        let session = Session::New("1".into());
        assert_eq!(
            command_line(&Assignment { model: Some(" "), ..assignment(&session) }),
            Err(RefusedArgument::Empty { field: "model" })
        );
        assert_eq!(
            command_line(&Assignment { model: Some("o\0"), ..assignment(&session) }),
            Err(RefusedArgument::ContainsNul { field: "model" })
        );
        for usd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(command_line(&Assignment { max_budget_usd: Some(usd), ..assignment(&session) }).is_err());
        }
    }

    #[test]
    fn the_record_shows_no_prompt_and_no_schema() {
        let session = Session::New("1".into());
        let schema = json!({"type": "object", "title": "secret"});
        let line = command_line(&Assignment {
            system_prompt: Some("-be secret"),
            response_schema: Some(&schema),
            ..assignment(&session)
        })
        .unwrap();
        assert!(arguments(&line).contains(&"--append-system-prompt=-be secret"));
        assert!(arguments(&line).contains(&"--json-schema={\"type\":\"object\",\"title\":\"secret\"}"));
        assert!(!line.shown.join(" ").contains("secret"), "{:?}", line.shown);
        assert!(line.shown.contains(&"--append-system-prompt=<10 bytes>".to_owned()));
        assert!(line.shown.contains(&"--json-schema=<34 bytes>".to_owned()));
    }

    #[test]
    fn a_long_system_prompt_goes_by_file() {
        let session = Session::New("1".into());
        for text in ["x".repeat(SYSTEM_PROMPT_INLINE_LIMIT), "nul \0 inside".to_owned()] {
            let line =
                command_line(&Assignment { system_prompt: Some(&text), ..assignment(&session) }).unwrap();
            let argument = "--append-system-prompt-file=/jobs/1/system-prompt.md";
            assert_eq!(arguments(&line).last(), Some(&argument));
            assert_eq!(line.files, [("system-prompt.md".to_owned(), text)]);
        }
        let short = "x".repeat(SYSTEM_PROMPT_INLINE_LIMIT - 1);
        let line = command_line(&Assignment { system_prompt: Some(&short), ..assignment(&session) }).unwrap();
        assert!(line.files.is_empty());
    }

    #[test]
    fn a_schema_no_argument_can_hold_is_refused() {
        let session = Session::New("1".into());
        let schema = |length| json!({"description": "x".repeat(length)});
        let overhead = schema(0).to_string().len() + "--json-schema=".len();
        let fits = schema(ARGUMENT_LIMIT - overhead);
        let line =
            command_line(&Assignment { response_schema: Some(&fits), ..assignment(&session) }).unwrap();
        assert_eq!(line.argv.last().map(|argument| argument.len()), Some(ARGUMENT_LIMIT));
        let large = schema(ARGUMENT_LIMIT - overhead + 1);
        let error = command_line(&Assignment { response_schema: Some(&large), ..assignment(&session) });
        assert!(matches!(error, Err(RefusedArgument::TooLong { field: "response schema", .. })), "{error:?}");
    }
}
