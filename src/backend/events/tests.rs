use super::*;

#[test]
fn a_clip_never_cuts_a_character() {
    assert_eq!(clip("äöü", 2), "äö…");
    assert_eq!(clip("äöü", 3), "äöü");
}

#[test]
fn each_line_of_a_command_is_a_text() {
    let mut reader = EventReader::new(Backend::Command, 0);
    let mut texts = Vec::new();
    let mut deliver = |event: Event| match event.kind {
        EventKind::Text { text } => texts.push(text),
        other => panic!("{other:?}"),
    };
    reader.feed(b"{\"type\":\"result\"}\nhalf", &mut deliver);
    reader.finish(&mut deliver);
    assert_eq!(texts, ["{\"type\":\"result\"}", "half"]);
}

#[test]
fn events_have_a_flat_json_form() {
    let event =
        Event { subagent: true, ..EventKind::ToolCall { name: "Bash".into(), summary: "ls".into() }.into() };
    assert_eq!(
        serde_json::to_value(event).unwrap(),
        serde_json::json!({"event": "tool_call", "name": "Bash", "summary": "ls", "subagent": true})
    );
    let result = Event::from(EventKind::Result(Box::default()));
    assert_eq!(serde_json::to_value(result).unwrap()["event"], "result");
}
