use super::*;

#[test]
fn the_last_line_tells_the_outcome_however_it_is_dressed() {
    for (answer, expected) in [
        ("Fixed.\n\nSTATUS: done", Outcome::Done),
        ("status: Partial", Outcome::Partial),
        ("x\r\nSTATUS: blocked\r\n\r\n", Outcome::Blocked),
        ("**STATUS: done**", Outcome::Done),
        ("**Status:** Done. All tests pass.", Outcome::Done),
        ("> `STATUS: partial` — two of three", Outcome::Partial),
        ("- STATUS: blocked (no network)", Outcome::Blocked),
        ("```\nSTATUS: done\n```", Outcome::Done),
        ("STATUS:done", Outcome::Done),
        ("## STATUS : **blocked**", Outcome::Blocked),
    ] {
        assert_eq!(outcome(answer), Some(expected), "{answer:?}");
    }
}

#[test]
fn anything_else_is_no_verdict() {
    for answer in [
        "",
        "\n \n",
        "done",
        "STATUS: done\nOne more thing.",
        "STATUS: finished",
        "STATUS: doneish",
        "STATUS",
        "STATUS: ",
        "The status: done",
        "STATUS: done|partial|blocked",
    ] {
        assert_eq!(outcome(answer), None, "{answer:?}");
    }
}
