use super::*;
use crate::commands::doctor::finding::Level;

fn facts(version: &str, help: &str) -> Facts {
    let programs = vec!["/bin/claude".into()];
    Facts { programs, version: Ok(version.to_owned()), help: Ok(help.to_owned()) }
}

fn judged(facts: &Facts) -> Vec<(&'static str, Level)> {
    judge(facts).iter().map(|finding| (finding.id, finding.level)).collect()
}

#[test]
fn a_claude_that_knows_every_option_is_fine() {
    let help = claude_options().join(" <x>\n  ");
    let expected = [("claude-version", Level::Ok), ("claude-options", Level::Ok)];
    assert_eq!(judged(&facts("2.1.330 (Claude Code)\n", &help)), expected);
}

#[test]
fn an_option_that_only_begins_alike_is_missing() {
    let help = claude_options().join("\n").replace("--json-schema", "--json-schema-file");
    let found = judge(&facts("2.1.330 (Claude Code)", &help));
    assert_eq!(found[1].level, Level::Error);
    assert!(found[1].found.ends_with("it does not know --json-schema"), "{found:?}");
    assert_eq!(found[1].fix.as_deref(), Some("claude update"));
}

#[test]
fn another_program_of_that_name_and_a_second_claude_are_told() {
    let mut facts = facts("cowsay 3", &claude_options().join("\n"));
    facts.programs.push("/opt/claude".into());
    let expected =
        [("claude-version", Level::Warning), ("claude-others", Level::Note), ("claude-options", Level::Ok)];
    assert_eq!(judged(&facts), expected);
}

#[test]
fn a_key_beside_a_subscription_is_taken_away_only_where_that_works() {
    let login = |source: &str| {
        let source = source.to_owned();
        logged_in(&Login { source, bills: Bills::Api, passes_over_subscription: true })
    };
    assert_eq!(login("ANTHROPIC_API_KEY").fix.as_deref(), Some("unset ANTHROPIC_API_KEY"));
    assert_eq!(login("ANTHROPIC_API_KEY in /me/.claude/settings.json").fix, None);
}
