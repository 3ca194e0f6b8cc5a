use super::*;

fn added() -> Change {
    let tools = vec![Node::text("Read"), Node::text("Bash(git:*)")];
    Change::Add(vec![
        ("directory", Node::text("/srv/new")),
        ("description", Node::text("yes: # hm, 'quoted'")),
        ("timeout", Node::plain("90")),
        ("allowed_tools", Node::new(Kind::Sequence(tools))),
        ("disallowed_tools", Node::new(Kind::Sequence(Vec::new()))),
    ])
}

fn patch(text: &str, name: &str, change: Change) -> Option<String> {
    let root = syntax::parse(text).unwrap();
    apply(text, &root, &Patch { section: "agents", name, change })
}

/// Adds, then updates, then removes an agent; fails if any step is refused.
fn round_trip(text: &str) -> [String; 3] {
    let first = patch(text, "new", added()).unwrap_or_else(|| panic!("add refused: {text:?}"));
    let update = Change::Update(vec![
        ("description", Some(Node::text("changed"))),
        ("timeout", None),
        ("model", Some(Node::text("opus"))),
        ("allowed_tools", Some(Node::new(Kind::Sequence(Vec::new())))),
    ]);
    let second = patch(&first, "new", update).unwrap_or_else(|| panic!("update refused: {first:?}"));
    let third = patch(&second, "new", Change::Remove).unwrap_or_else(|| panic!("remove refused: {second:?}"));
    [first, second, third]
}

const COMMENTED: &str = "# head
agents:
  # first
  a:
    directory: /x  # here
    model: null
    # why
    zzz: 1

  # second
  'b':
    directory: /y

# settings below
settings:
  max_concurrency: 3
";

#[test]
fn every_shape_of_file_can_be_edited() {
    for text in [
        "",
        "\n",
        "# mine\n# two\n",
        "---\n",
        "agents:\n",
        "agents:",
        "agents:   # all of them\n# tail\n",
        "agents: null\nsettings: {}\n",
        "agents: ~\n",
        "agents: {}\n",
        "agents: {}   # none\nsettings:\n  max_concurrency: 3\n",
        "agents: {a: {directory: /x, model: null}}\nsettings: {}\n",
        "{agents: {a: {directory: /x}}}\n",
        "settings:\n  max_concurrency: 3",
        "\"agents\":\n  \"a\": {directory: /x}\n",
        "agents:\n    a:\n        directory: /x\n        zzz: [1, 2]\n\nsettings:\n    max_concurrency: 3\n",
        "agents:\r\n  a:\r\n    directory: /x\r\nsettings:\r\n  max_concurrency: 3\r\n",
        "\u{feff}agents:\r\n",
        "\u{feff}# c\nagents:\n  a:\n    directory: /x\n",
        "x-base: &b\n  model: m\nagents:\n  a: &a\n    <<: *b\n    directory: /x\n  c: *a\n",
        "agents:\n  a:\n    directory: /x\n    instructions: |\n      # not a comment\n      text\n\n      more\n",
        "# license\n---\nagents:\n  a:\n    directory: /x\n",
        "agents:\n  a:\n    directory: /x",
        COMMENTED,
    ] {
        let [first, second, third] = round_trip(text);
        let same = |c: char| text.starts_with(c) == first.starts_with(c);
        assert!(same('\u{feff}'), "{text:?} lost its mark");
        for new in [&first, &second, &third] {
            for line in text.lines().filter(|line| line.trim_start().starts_with('#')) {
                assert!(new.contains(line), "{text:?} lost {line:?}: {new:?}");
            }
            let crlf = text.contains("\r\n");
            assert_eq!(new.contains("\r\n"), crlf, "{text:?}: {new:?}");
            assert!(!crlf || !new.replace("\r\n", "").contains('\n'), "{text:?}: {new:?}");
        }
    }
}

#[test]
fn additions_go_to_the_end_of_the_section_in_block_style() {
    let new = patch(COMMENTED, "new", added()).unwrap();
    let block = "  new:
    directory: /srv/new
    description: 'yes: # hm, ''quoted'''
    timeout: 90
    allowed_tools:
      - Read
      - 'Bash(git:*)'
    disallowed_tools: []
";
    assert!(new.contains(block), "{new}");
    assert!(patch("agents: {} # none\n", "new", added()).unwrap().starts_with("agents: # none\n  new:\n"));
    assert_eq!(new.replace(block, ""), COMMENTED);
    let text = "agents:\n    a:\n        directory: /x\n        # of a\n\n# next\nsettings: {}\n";
    let new = patch(text, "new", Change::Add(vec![("directory", Node::text("/y"))])).unwrap();
    let lines = "        # of a\n    new:\n        directory: /y\n\n# next\n";
    assert!(new.contains(lines), "{new}");
}

#[test]
fn an_update_touches_nothing_else() {
    let change = Change::Update(vec![("model", Some(Node::text("opus")))]);
    let new = patch(COMMENTED, "a", change).unwrap();
    assert_eq!(new, COMMENTED.replace("model: null", "model: opus"));
    let change = Change::Update(vec![("model", None)]);
    let new = patch(COMMENTED, "a", change).unwrap();
    assert_eq!(new, COMMENTED.replace("    model: null\n", ""));
}

#[test]
fn a_merged_field_is_overruled_instead_of_removed() {
    let text = "x-base: &b {model: m}\nagents:\n  a:\n    <<: *b\n    directory: /x\n";
    let new = patch(text, "a", Change::Update(vec![("model", None)])).unwrap();
    let root = syntax::parse(&new).unwrap();
    assert!(root.get("agents").unwrap().get("a").unwrap().get("model").unwrap().is_null(), "{new}");
    assert!(new.starts_with("x-base: &b {model: m}\n"), "{new}");
}

#[test]
fn an_edit_that_would_reach_another_agent_is_refused() {
    let text = "agents:\n  a: &a\n    directory: /x\n  c: *a\n";
    for name in ["a", "c"] {
        let change = Change::Update(vec![("model", Some(Node::text("opus")))]);
        if let Some(new) = patch(text, name, change) {
            let root = syntax::parse(&new).unwrap();
            let other = if name == "a" { "c" } else { "a" };
            assert!(root.get("agents").unwrap().get(other).unwrap().get("model").is_none(), "{new}");
        }
    }
}

#[test]
fn texts_of_any_kind_come_back_as_they_were() {
    for value in [
        "",
        " ",
        "yes",
        "null",
        "~",
        "1.5",
        "0x1f",
        "- a",
        "a: b",
        "a #b",
        "#",
        "'",
        "\"",
        "\\",
        "a\nb\n",
        "\t",
        "\u{1b}[1m",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "é, ü",
        "*a",
        "&a",
        "!x",
        "%",
        "@",
        "`",
        "[",
        "{",
        "a,b",
        "2026-01-01",
        "=",
        "<<",
        "trailing ",
        "---",
        "...",
        "🦀",
    ] {
        let change = Change::Add(vec![("directory", Node::text("/x")), ("description", Node::text(value))]);
        for text in [COMMENTED, "", "agents: {a: {directory: /x}}\n"] {
            let change = match &change {
                Change::Add(fields) => Change::Add(fields.clone()),
                _ => unreachable!(),
            };
            assert!(patch(text, "new", change).is_some(), "{value:?} into {text:?}");
        }
    }
}
