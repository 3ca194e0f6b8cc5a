use super::*;
use crate::commands::doctor::finding::Level;
use crate::config::Settings;

#[test]
fn an_agent_nobody_grants_anything_is_read_only() {
    let directory = tempfile::tempdir().unwrap();
    let home = ClaudeHome::default();
    let settings = Settings::default();
    let agent = Agent { directory: directory.path().to_owned(), ..Agent::default() };
    let is = |agent: &Agent| is_read_only(agent, &agent.effective(&settings), &home);
    assert!(is(&agent));
    assert!(!is(&Agent { permission_mode: Some("plan".to_owned()), ..agent.clone() }));
    assert!(!is(&Agent { allowed_tools: Some(vec!["Bash".to_owned()]), ..agent.clone() }));
    std::fs::create_dir(directory.path().join(".claude")).unwrap();
    let rules = r#"{"permissions": {"allow": ["Bash(ls *)"]}}"#;
    std::fs::write(directory.path().join(".claude/settings.json"), rules).unwrap();
    assert!(is(&agent), "without trust the rule does not hold");
    std::fs::write(directory.path().join(".claude/settings.local.json"), rules).unwrap();
    assert!(!is(&agent));
}

fn judged(agent: &Agent, may_bypass: bool) -> Vec<(&'static str, Level)> {
    let settings = Settings::default();
    let findings = permissions("a", &agent.effective(&settings), may_bypass);
    findings.iter().map(|finding| (finding.id, finding.level)).collect()
}

#[test]
fn everything_may_be_allowed_to_root_only_in_a_sandbox() {
    let agent = Agent { permission_mode: Some(BYPASS.to_owned()), ..Agent::default() };
    assert_eq!(judged(&agent, false), [("agent-permission-mode", Level::Error)]);
    assert_eq!(judged(&agent, true), []);
    assert!(may_bypass(|name| (name == "IS_SANDBOX").then(|| "1".into())));
}

#[test]
fn a_tool_that_is_both_allowed_and_refused_is_told() {
    let tools = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    let agent = Agent {
        allowed_tools: tools(&["Read", "Bash"]),
        disallowed_tools: tools(&["Bash"]),
        ..Agent::default()
    };
    assert_eq!(judged(&agent, true), [("agent-tools", Level::Warning)]);
    let findings = permissions("a", &agent.effective(&Settings::default()), true);
    assert_eq!(findings[0].fix.as_deref(), Some("agent-dispatch agents update a --allowed-tools Read"));
    assert_eq!(judged(&Agent { disallowed_tools: None, ..agent }, true), []);
}
