use super::*;

const SHELL: &str = "/bin/sh";

fn shell(script: &str, limit: Duration) -> Result<String, ProbeError> {
    output(Path::new(SHELL), &["-c", script], limit)
}

#[test]
fn a_program_that_answers_is_heard_and_one_that_fails_is_quoted() {
    let patient = Duration::from_secs(30);
    assert_eq!(shell("echo 1.2.3", patient).unwrap(), "1.2.3\n");
    let error = shell("echo first >&2; echo no such thing >&2; exit 3", patient).unwrap_err();
    assert!(error.to_string().ends_with("exit status: 3: no such thing"), "{error}");
    assert!(matches!(output(Path::new("/missing"), &[], patient), Err(ProbeError::Io(_))));
}

#[test]
fn a_program_that_hangs_is_killed_with_what_it_started() {
    let start = Instant::now();
    let error = shell("sleep 60 & wait", Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, ProbeError::Silent(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_introduces_itself_or_says_why_not() {
    let limit = Duration::from_secs(30);
    let serve = |script: &str| {
        let mut server = Command::new(SHELL);
        server.args(["-c", script]);
        introduce(server, limit)
    };
    let answer = r#"read r; echo '{"method": "x"}'; echo '{"id": 1, "result": {"serverInfo": {"name": "a", "version": "1"}}}'; read r"#;
    assert_eq!(serve(answer).unwrap(), ServerInfo { name: "a".into(), version: "1".into() });
    let error = serve("echo broken >&2; exit 1").unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
    assert!(matches!(serve("echo hello; read r"), Err(ProbeError::Garbled(_))));
}
