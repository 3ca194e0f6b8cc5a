use clap::CommandFactory;

use super::*;
use crate::cli::Cli;

fn found(line: &str) -> Option<String> {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    find(&Cli::command(), &words).map(|error| error.to_string())
}

#[test]
fn a_slip_of_the_finger_is_no_task() {
    for (line, wrong, right) in [
        ("ad run api --modle opus x", "--modle", "--model"),
        ("ad run api --strit", "--strit", "--strict"),
        ("ad submit api --timeuot=5m x", "--timeuot", "--timeout"),
        ("ad dialogue api web --max-round 2 topic", "--max-round", "--max-rounds"),
        ("ad resume latest --timeuot 5m", "--timeuot", "--timeout"),
        ("ad --jobs-dir run run api --confg x", "--confg", "--config"),
        ("ad -q run api --modle", "--modle", "--model"),
    ] {
        let error = found(line).unwrap_or_else(|| panic!("{line}"));
        assert!(error.contains(&format!("unexpected argument '{wrong}' found")), "{line}: {error}");
        assert!(error.contains(&format!("a similar argument exists: '{right}'")), "{line}: {error}");
        assert!(error.contains(&format!("use '-- {wrong}")), "{line}: {error}");
        assert!(error.contains("Usage: agent-dispatch "), "{line}: {error}");
    }
}

#[test]
fn texts_and_values_may_begin_with_hyphens() {
    for line in [
        "ad run api --model opus x",
        "ad run api -",
        "ad run api -- --modle",
        "ad run api --goal --modle x",
        "ad run api --goal=--modle x",
        "ad run api --",
        "ad run api -- -x",
        "ad run api --help",
        "ad --version",
        "ad jobs --stauts running",
    ] {
        assert_eq!(found(line), None, "{line}");
    }
    for text in ["--modle is what I typed", "- a list", "-x is a flag"] {
        let words = ["ad", "run", "api", text].map(OsString::from);
        assert!(find(&Cli::command(), &words).is_none(), "{text}");
    }
    for word in ["-x", "--42", "-5"] {
        let error = found(&format!("ad run api {word}")).unwrap();
        assert!(error.contains(&format!("unexpected argument '{word}' found")), "{error}");
    }
}
