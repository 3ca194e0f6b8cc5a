use super::*;

#[test]
fn what_claude_code_understands_is_taken() {
    for good in [
        "Bash",
        "Bash(rm *)",
        "Bash(git:*)",
        "Bash(git add, git rm)",
        "Read, Edit",
        "Bash(git *) Edit",
        "Edit(src/**),Read",
        "mcp__github__*",
        "mcp__x__y-z",
        "WebFetch(domain:example.org)",
        "Bash(python -c \"print(1)\")",
        "*",
    ] {
        assert_eq!(tool_pattern(good).as_deref(), Ok(good));
    }
}

#[test]
fn what_would_be_taken_for_the_name_of_a_tool_is_refused() {
    for bad in [
        "Bash(rm *",
        "Bash(",
        "Bash rm *)",
        "Bash)",
        "Bash()",
        "Bash( )",
        "(rm *)",
        "Bash(rm *)x",
        "Bash(rm *) )",
        // The space after the first closing parenthesis splits it.
        "Bash(f(a) b)",
        "Bash(rm \\)",
        "Read,Bash(rm *",
        "Bash(rm *),Edit(",
        "-x",
        "",
        "Bash(a\nb)",
    ] {
        assert!(tool_pattern(bad).is_err(), "{bad:?} was taken");
    }
    let message = tool_pattern("Bash(rm *").unwrap_err().to_string();
    assert!(message.contains("'Bash(rm *'") && message.contains("not closed"), "{message}");
}
