use super::super::{Backend, EventReader};
use super::*;

#[test]
fn activity_is_the_newest_thing_that_happened() {
    let mut activity = Activity::default();
    let mut reader = EventReader::new(Backend::Claude, 0);
    let mut after = |line: &str| {
        reader.feed(format!("{line}\n").as_bytes(), &mut |event| activity.observe(&event));
        activity.clone()
    };
    assert_eq!(after("").line(), None);
    let started = after(r#"{"type":"system","subtype":"init","session_id":"s","model":"m"}"#);
    assert_eq!((started.session_id.as_deref(), started.model.as_deref()), (Some("s"), Some("m")));
    after(
        r#"{"type":"assistant","message":{"id":"1","content":[{"type":"text","text":"\n Looking.\nmore"}]}}"#,
    );
    let tool = after(
        r#"{"type":"assistant","message":{"id":"1","content":[{"type":"tool_use","name":"Bash","input":{"command":"ls -l"}}]}}"#,
    );
    assert_eq!(tool.line(), Some("Bash ls -l"));
    assert_eq!(tool.last_text.as_deref(), Some("Looking."));
    assert_eq!((tool.turns, tool.tool_calls), (1, 1));
    let nested = after(
        r#"{"type":"assistant","parent_tool_use_id":"t","message":{"id":"9","content":[{"type":"tool_use","name":"Read","input":{"file_path":"/x"}}]}}"#,
    );
    assert_eq!((nested.line(), nested.turns), (Some("subagent: Read /x"), 1));
    let retry = after(
        r#"{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"retry_delay_ms":1500,"error_status":529,"error":"overloaded"}"#,
    );
    assert_eq!(retry.line(), Some("the API failed (529 overloaded); attempt 2 of 10, next in 2s"));
    let done = after(r#"{"type":"result","is_error":false,"result":"x","total_cost_usd":0.25}"#);
    assert_eq!((done.spend.usd(), done.retries, done.retrying), (Some(0.25), 1, None));
}
