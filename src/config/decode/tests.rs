use super::*;
use crate::config::fields::Problem;
use crate::config::syntax;

fn decode(text: &str) -> Decoded<Config> {
    let places = Places { base: Path::new("/etc/x"), home: Some(Path::new("/home/me")) };
    config(&syntax::parse(text).unwrap(), places)
}

/// The complaint about an agent `a` with these lines.
fn refused(lines: &str) -> Problem {
    decode(&format!("agents:\n  a:\n    directory: /x\n    {lines}\n")).expect_err(lines)
}

fn warnings(text: &str) -> Vec<String> {
    decode(text).unwrap().warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn every_known_key_is_read_and_no_other() {
    let agent: Vec<&str> = AGENT_KEYS[1..].iter().map(|row| row.name).collect();
    let settings: Vec<&str> = SETTINGS_KEYS.iter().map(|row| row.name).collect();
    for (before, keys, after) in [
        ("agents: {a: {directory: /x, ", &agent[..], ": null}}"),
        ("groups: {g: {", &GROUP_KEYS[..], ": null}}"),
        ("settings: {", &settings, ": null}"),
        ("settings: {cache: {", &CACHE_KEYS[..], ": null}}"),
        ("", &ROOT_KEYS[..], ": null"),
    ] {
        for key in keys {
            assert_eq!(warnings(&format!("{before}{key}{after}")), [""; 0], "{key}");
        }
        assert_eq!(warnings(&format!("{before}zzz{after}")).len(), 1, "{before}");
    }
}

#[test]
fn a_tool_list_is_absent_empty_or_given() {
    let config = decode(
        "settings: {default_allowed_tools: [Read], default_disallowed_tools: [Write]}
agents:
  inherits: {directory: /x, allowed_tools: null}
  none: {directory: /x, allowed_tools: [], disallowed_tools: []}
  own: {directory: /x, allowed_tools: [Edit]}
",
    )
    .unwrap();
    let tools = |name: &str| {
        let effective = config.effective(&name.parse().unwrap()).unwrap();
        (effective.allowed_tools.join(","), effective.disallowed_tools.join(","))
    };
    assert_eq!(tools("inherits"), ("Read".into(), "Write".into()));
    assert_eq!(tools("none"), (String::new(), String::new()));
    assert_eq!(tools("own"), ("Edit".into(), "Write".into()));
}

#[test]
fn paths_are_absolute() {
    for (text, path) in [
        ("/a/b/", "/a/b"),
        ("~/a", "/home/me/a"),
        ("~", "/home/me"),
        ("a/./b", "/etc/x/a/b"),
        ("../y", "/etc/x/../y"),
    ] {
        let config = decode(&format!("agents: {{a: {{directory: '{text}'}}}}")).unwrap();
        assert_eq!(config.agents["a"].directory, Path::new(path));
    }
    assert!(decode("agents: {a: {directory: ~bob/x}}").is_err());
    assert!(decode("agents: {a: {directory: ''}}").is_err());
}

#[test]
fn a_bad_value_is_named_with_key_line_and_column() {
    let problem = refused("timeout: -5");
    assert_eq!((problem.at.line, problem.at.column), (4, 14));
    assert_eq!(problem.key, "agents.a.timeout");
    assert_eq!(problem.message, "'-5' is not a time limit: it must be above zero");
    let problem = refused("allowed_tools: [Read, --yolo]");
    assert_eq!((problem.at.column, problem.key.as_str()), (27, "agents.a.allowed_tools[1]"));
    for bad in [
        "timeout: 0",
        "timeout: .inf",
        "timeout: soon",
        "timeout: [1]",
        "max_budget_usd: -1",
        "max_budget_usd: .nan",
        "model: ''",
        "model: -p",
        "permission_mode: --x",
        "allowed_tools: Read",
        "disallowed_tools: [null]",
        "exclusive: maybe",
        "backend: other",
        "command: [x]",
        "capabilities: {a: b}",
        "description: [a]",
    ] {
        let problem = refused(bad);
        assert_eq!(problem.at.line, 4, "{bad}: {problem:?}");
    }
}

#[test]
fn structural_mistakes_point_at_their_place() {
    for (text, line, key) in [
        ("[a]", 1, ""),
        ("just text", 1, ""),
        ("agents: [a]", 1, "agents"),
        ("agents:\n  a/b: {directory: /x}", 2, "agents.a/b"),
        ("agents:\n  a:\nsettings:", 2, "agents.a"),
        ("agents:\n  a: /x", 2, "agents.a"),
        ("agents:\n  a:\n    directory: /x\n    backend: command", 3, "agents.a.command"),
        ("agents:\n  a:\n    model: x", 3, "agents.a"),
        ("settings:\n  max_concurrency: 0", 2, "settings.max_concurrency"),
        ("settings:\n  cache:\n    ttl: -1", 3, "settings.cache.ttl"),
        ("groups:\n  g:\n    members:\n    - a\n    - {use_for: x}", 5, "groups.g.members[1]"),
    ] {
        let problem = decode(text).expect_err(text);
        assert_eq!((problem.at.line, problem.key.as_str()), (line, key), "{text:?}: {problem:?}");
    }
}

#[test]
fn what_looks_wrong_is_a_warning_with_a_suggestion() {
    let text = "agents:\n  infra:\n    directory: /x\n    timeot: 5\n    permission_mode: bypassPermission\n\
                    groups:\n  g:\n    members:\n    - agent: infa\n    - infra\nx-mine: 1\n";
    assert_eq!(
        warnings(text),
        [
            "line 4: agents.infra.timeot is not a known key; did you mean timeout?",
            "line 5: agents.infra.permission_mode has the unknown mode 'bypassPermission'; \
                 did you mean bypassPermissions?",
            "line 9: groups.g.members[0] names 'infa', which is not an agent; did you mean infra?",
        ]
    );
}

#[test]
fn a_file_of_the_python_original_is_read_in_full() {
    let text = "agents:
  infra:
    directory: ~/infra
    description: Terraform, yes
    timeout: 600
    max_budget_usd: 2
    model: null
    permission_mode: acceptEdits
    allowed_tools: [Read, 'Bash(terraform plan:*)']
    disallowed_tools: null
    capabilities: [terraform]
    risky_capabilities: [apply]
    instructions: |
      Be careful.
groups:
  all:
    description: everything
    shared_context: We use AWS.
    members:
    - {agent: infra, use_for: cloud}
settings:
  default_timeout: 120.5
  max_dispatch_depth: 2
  cache: {enabled: no, ttl: 0, max_size: 10}
  job_retention_days: 7
  dispatch_protocol: off
  usage_log: ~/u.jsonl
";
    let config = decode(text).unwrap();
    assert_eq!(config.warnings, []);
    let infra = &config.agents["infra"];
    assert_eq!(infra.timeout, Some("10m".parse().unwrap()));
    assert_eq!(infra.model, None);
    assert_eq!(infra.instructions.as_deref(), Some("Be careful.\n"));
    assert_eq!(infra.disallowed_tools, None);
    assert_eq!(config.groups["all"].members[0].use_for, "cloud");
    assert_eq!(config.settings.default_timeout.seconds(), 120.5);
    assert_eq!(config.settings.cache, Cache { enabled: false, ttl: Duration::ZERO, max_size: 10 });
    assert!(!config.settings.dispatch_protocol);
    assert_eq!(config.settings.usage_log, UsageLog::At("/home/me/u.jsonl".into()));
}

#[test]
fn other_programs_can_be_agents() {
    let config = decode(
        "agents: {a: {directory: /x, backend: command, command: [my-agent, --fast], exclusive: true}}",
    );
    let agent = &config.unwrap().agents["a"];
    assert_eq!(agent.backend.name(), "command");
    assert_eq!(agent.command, ["my-agent", "--fast"]);
    assert!(agent.exclusive);
}
