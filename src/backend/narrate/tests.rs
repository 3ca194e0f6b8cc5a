use super::*;

fn told(kind: EventKind, subagent: bool) -> Option<String> {
    Event { kind, subagent, message_id: None, model: None }.narrate()
}

#[test]
fn tools_are_told_with_what_they_were_used_for_and_what_came_of_it() {
    let call = EventKind::ToolCall { name: "Read".into(), summary: "a.txt".into() };
    assert_eq!(told(call, true).as_deref(), Some("  → Read a.txt"));
    let result = EventKind::ToolResult { is_error: true, text: "no\nsuch file".into() };
    assert_eq!(told(result, false).as_deref(), Some("✗ no such file"));
    assert_eq!(told(EventKind::Thinking, false), None);
}
