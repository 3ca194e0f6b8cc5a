use super::*;
use crate::backend::invocation::ARGUMENT_LIMIT;
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
    let session = Session::NewAs(SessionId::uuid("0190163d-8694-739b-aea5-966c26f8ad91").unwrap());
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
    let id = SessionId::fresh();
    let session = Session::Resume(id.clone());
    let line = command_line(&Assignment { model: Some("opus"), ..assignment(&session) }).unwrap();
    assert!(arguments(&line).contains(&&*format!("--resume={id}")));
    assert!(!arguments(&line).iter().any(|argument| argument.starts_with("--session-id")));
    assert!(arguments(&line).contains(&"--model=opus"));
}

#[test]
fn values_that_look_like_options_are_refused() {
    let fine = Session::NewAs(SessionId::fresh());
    for value in ["-p", "--dangerously-skip-permissions", " --x", "-"] {
        let tools = [value.to_owned()];
        for (field, refused) in [
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
    let session = Session::NewAs(SessionId::fresh());
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
    let session = Session::NewAs(SessionId::fresh());
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
    let session = Session::NewAs(SessionId::fresh());
    for text in ["x".repeat(SYSTEM_PROMPT_INLINE_LIMIT), "nul \0 inside".to_owned()] {
        let line = command_line(&Assignment { system_prompt: Some(&text), ..assignment(&session) }).unwrap();
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
    let session = Session::NewAs(SessionId::fresh());
    let schema = |length| json!({"description": "x".repeat(length)});
    let overhead = schema(0).to_string().len() + "--json-schema=".len();
    let fits = schema(ARGUMENT_LIMIT - overhead);
    let line = command_line(&Assignment { response_schema: Some(&fits), ..assignment(&session) }).unwrap();
    assert_eq!(line.argv.last().map(|argument| argument.len()), Some(ARGUMENT_LIMIT));
    let large = schema(ARGUMENT_LIMIT - overhead + 1);
    let error = command_line(&Assignment { response_schema: Some(&large), ..assignment(&session) });
    assert!(matches!(error, Err(RefusedArgument::TooLong { field: "response schema", .. })), "{error:?}");
}
