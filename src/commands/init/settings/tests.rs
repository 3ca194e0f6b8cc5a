use super::*;

const OLD: &str = "/old/agent-dispatch hook claude-code";
const NEW: &str = "'/new dir/agent-dispatch' --config /c.yaml hook claude-code";

#[track_caller]
fn installed(text: &str) -> String {
    let (new, installation) = with_hook(text, NEW).unwrap();
    assert_eq!(installation, Installation::Installed);
    let value: Value = serde_json::from_str(&new).unwrap();
    let groups = value["hooks"][EVENT].as_array().unwrap();
    assert_eq!(groups.last(), Some(&group(NEW)));
    assert_eq!(with_hook(&new, NEW).unwrap(), (new.clone(), Installation::Unchanged));
    new
}

#[test]
fn the_hook_is_added_and_nothing_else_changes() {
    assert!(installed("").ends_with("}\n"));
    installed("{}");
    installed("{\"hooks\":{}}");
    installed("{\"hooks\": {\"PostToolUse\": []}}");
    // Neither numbers nor escapes nor the order of keys survive a parser and a printer.
    let odd = "{\n    \"z\": 1.50e+2,  \"a\": \"\\u00e9\\/\",\n    \"permissions\": {\"allow\" : []}\n}\n";
    let new = installed(odd);
    assert!(new.starts_with(odd.trim_end().strip_suffix("\n}").unwrap()), "{new}");
    assert!(new.ends_with("]\n    }\n}\n"), "{new}");
    let other = "{\n  \"hooks\": {\n    \"Stop\": [{\"hooks\": []}],\n    \"PostToolUse\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"x\"}, 7]}, \"odd\"\n    ]\n  },\n  \"model\": \"opus\"\n}";
    let new = installed(other);
    let (before, after) = other.split_at(other.find("\n    ]\n  },").unwrap());
    assert!(new.starts_with(before) && new.ends_with(after), "{new}");
}

#[test]
fn a_hook_with_another_command_gets_the_new_one_and_keeps_the_rest() {
    let (old, _) = with_hook("{\"a\": 1}", OLD).unwrap();
    let old = old.replace("86400", "60");
    let (new, installation) = with_hook(&old, NEW).unwrap();
    assert_eq!(installation, Installation::Replaced);
    assert_eq!(new, old.replace(OLD, NEW));
    // The second of two groups, the second of two hooks.
    let nested = format!(
        "{{\"hooks\":{{\"PostToolUse\":[{{}},{{\"hooks\":[{{\"command\":\"hook claude-codex\"}},{{\"command\":\"{OLD}\"}}]}}]}}}}"
    );
    assert_eq!(with_hook(&nested, NEW).unwrap(), (nested.replace(OLD, NEW), Installation::Replaced));
}

#[test]
fn what_cannot_be_changed_safely_is_refused() {
    for (text, why) in [
        ("{", "it is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{\"a\": 1} // mine", "it is not JSON: trailing characters at line 1 column 10"),
        ("[]", "it is no JSON object"),
        ("{\"hooks\": null}", "\"hooks\" is no object"),
        ("{\"hooks\": {\"PostToolUse\": {}}}", "\"hooks.PostToolUse\" is no array"),
    ] {
        assert_eq!(with_hook(text, NEW).unwrap_err(), why);
    }
}

#[test]
fn a_link_that_leads_nowhere_and_what_is_no_file_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    std::os::unix::fs::symlink("nothing", at("dangling")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("binary"), [0xff]).unwrap();
    for name in ["loop", "dangling", "directory", "binary"] {
        let failure = install(&at(name), NEW).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains(&at(name).display().to_string()), "{}", failure.message);
    }
    fs::write(at("file"), "{}").unwrap();
    std::os::unix::fs::symlink("file", at("link")).unwrap();
    assert_eq!(install(&at("link"), NEW).unwrap(), Installation::Installed);
    assert!(at("link").is_symlink() && fs::read_to_string(at("file")).unwrap().contains("hook claude-code"));
}
