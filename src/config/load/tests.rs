use super::*;
use crate::config::AgentName;

fn load_text(bytes: &[u8]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    std::fs::write(&path, bytes).unwrap();
    load(&path)
}

#[test]
fn the_config_is_where_the_flag_the_environment_or_xdg_say() {
    let set = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    };
    let all: &[_] = &[("AGENT_DISPATCH_CONFIG", "/env.yaml"), ("XDG_CONFIG_HOME", "/xdg"), ("HOME", "/me")];
    let find = |flag: Option<&str>, pairs| config_path(flag.map(Into::into), set(pairs)).unwrap();
    assert_eq!(find(Some("/flag.yaml"), all), Path::new("/flag.yaml"));
    assert_eq!(find(None, all), Path::new("/env.yaml"));
    assert_eq!(find(None, &all[1..]), Path::new("/xdg/agent-dispatch/agents.yaml"));
    assert_eq!(find(None, &all[2..]), Path::new("/me/.config/agent-dispatch/agents.yaml"));
    let odd: &[_] = &[("AGENT_DISPATCH_CONFIG", ""), ("XDG_CONFIG_HOME", "relative"), ("HOME", "/me")];
    assert_eq!(find(None, odd), Path::new("/me/.config/agent-dispatch/agents.yaml"));
    // Without `HOME`, the user database knows; in a container it may not.
    if let Ok(path) = config_path(None, |_| None) {
        assert!(path.ends_with(".config/agent-dispatch/agents.yaml"), "{}", path.display());
    }
}

#[test]
fn a_missing_file_is_an_empty_config_that_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let config = load(&directory.path().join("none.yaml")).unwrap();
    assert!(config.is_missing);
    assert!(config.agents.is_empty());
}

#[test]
fn empty_files_and_byte_order_marks_are_fine() {
    for text in ["", "# nothing yet\n", "---\n", "\u{feff}agents: {}\r\n", "agents:\nsettings:\ngroups:\n"] {
        let config = load_text(text.as_bytes()).unwrap();
        assert!(!config.is_missing && config.agents.is_empty(), "{text:?}");
    }
}

#[test]
fn an_error_is_one_sentence_with_file_line_column_and_key() {
    let error = load_text(b"agents:\n  infra:\n    directory: /x\n    timeout: -5\n").unwrap_err();
    let shown = error.to_string();
    let tail = "agents.yaml:4:14: agents.infra.timeout: '-5' is not a time limit: it must be above zero";
    assert!(shown.ends_with(tail), "{shown}");
    assert!(error.hint().unwrap().contains("line 4"));
}

#[test]
fn what_is_no_config_is_refused_with_its_place() {
    for (bytes, line, column) in [
        (&b"agents:\n  a: \xff\n"[..], 2, 6),
        (b"agents:\n\ta: 1\n", 2, 1),
        (b"agents: {}\n---\nagents: {}\n", 2, 1),
        (b"- a\n", 1, 1),
        (b"a: 'x", 1, 4),
    ] {
        let error = load_text(bytes).unwrap_err();
        let ConfigError::Invalid { line: l, column: c, .. } = &error else { panic!("{error}") };
        assert_eq!(*l, line, "{error}");
        assert!(c.abs_diff(column) <= 1, "{error}");
    }
}

#[test]
fn a_directory_or_an_unreadable_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = load(directory.path()).unwrap_err();
    assert!(matches!(error, ConfigError::IsADirectory { .. }), "{error}");
    let error = load(&directory.path().join("\0")).unwrap_err();
    assert!(error.to_string().contains("failed to read"), "{error}");
}

#[test]
fn a_slip_in_a_name_finds_the_agent_that_was_meant() {
    let config = load_text(b"agents: {infra: {directory: /x}, web-frontend: {directory: /y}}").unwrap();
    let nearest = |text| config.nearest(text).map(AgentName::as_str);
    assert_eq!(nearest("infa"), Some("infra"));
    assert_eq!(nearest("INFRA"), Some("infra"));
    assert_eq!(nearest("frontend"), Some("web-frontend"));
    assert_eq!(nearest("zzz"), None);
    assert_eq!(nearest(""), None);
}
