use super::*;

#[test]
fn a_prompt_never_begins_with_a_slash() {
    for prompt in [
        "/fix the bug",
        "/",
        " /clear",
        "\n\t/clear",
        "\u{feff}/clear",
        "\u{a0}/x",
        "\0/x",
        "\u{200b}/x",
        "\u{2060}\u{ad} /x",
        "\u{202e}/x",
        "\u{3164}/x",
        "\u{e0020}/x",
        "\u{fe0f}/x",
    ] {
        let safe = safe_prompt(prompt);
        assert!(safe.starts_with("Task:"), "{safe:?}");
        assert!(safe.ends_with(prompt), "{safe:?} altered the prompt");
    }
}

#[test]
fn any_other_prompt_stays_as_it_is() {
    for prompt in ["", "fix /this", "# Task", "!important", "@README.md", "-p", "über /"] {
        assert_eq!(safe_prompt(prompt), prompt);
    }
}
