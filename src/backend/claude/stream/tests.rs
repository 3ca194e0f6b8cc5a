use serde_json::json;

use super::*;
use crate::backend::claude::causes::is_account_limit;
use crate::backend::claude::watch::Watch;
use crate::backend::{Activity, CLAUDE, EventReader, Task, TaskState, Watch as _};

/// The events of an output, as one who follows it sees them.
fn events(output: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut reader = EventReader::of(CLAUDE, 0);
    reader.feed(output.as_bytes(), &mut |event| events.push(event));
    reader.finish(&mut |event| events.push(event));
    events
}

fn kinds(output: &str) -> Vec<EventKind> {
    events(output).into_iter().map(|event| event.kind).collect()
}

fn result(output: &str) -> TurnResult {
    let found = kinds(output).into_iter().find_map(|kind| match kind {
        EventKind::Result(turn) => Some(*turn),
        _ => None,
    });
    found.expect(output)
}

/// A run with two tools, a subagent, a retry, and an answer; from 2.1.330, shortened.
const RUN: &str = include_str!("../fixtures/run.jsonl");

#[test]
fn a_whole_run_is_understood() {
    let events = events(RUN);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.clone()).collect();
    let EventKind::Started(started) = &kinds[0] else { panic!("{:?}", kinds[0]) };
    assert_eq!(started.session_id.as_deref(), Some("3abbf4ad-968f-47c9-bc85-8f73282df7b5"));
    assert_eq!(started.model.as_deref(), Some("claude-opus-5-5"));
    assert_eq!(started.permission_mode.as_deref(), Some("acceptEdits"));
    assert_eq!((started.tools, started.version.as_deref()), (5, Some("2.1.330")));
    let server = McpServer { name: "db".into(), status: "failed".into() };
    assert_eq!(started.mcp_servers, [server]);
    let call = |name: &str, summary: &str| EventKind::ToolCall { name: name.into(), summary: summary.into() };
    assert_eq!(
        kinds[1..10],
        [
            EventKind::Retry {
                attempt: 1,
                max: 10,
                status: Some(529),
                error: Some("overloaded".into()),
                delay_ms: 564
            },
            EventKind::Thinking,
            EventKind::Text { text: "I'll look at the tests first.".into() },
            call("Bash", "cargo test 2>&1 | tail -5"),
            EventKind::ToolResult { is_error: true, text: "error: no such file\nexit 101".into() },
            call("Task", "find the cause"),
            call("Grep", "fn main"),
            EventKind::ToolResult { is_error: false, text: "src/main.rs:1".into() },
            EventKind::Task(Task { id: "t1".into(), kind: None, what: None, state: TaskState::Ended }),
        ]
    );
    assert!(events[7].subagent && !events[6].subagent);
    assert_eq!(events[3].message_id.as_deref(), Some("msg_1"));
    assert_eq!(events[3].model.as_deref(), Some("claude-opus-5-5"));
    assert_eq!(kinds[10], EventKind::Text { text: "Fixed — zwei Dateien.\n\nSTATUS: done".into() });
    let turn = result(RUN);
    assert_eq!(turn.subtype.as_deref(), Some("success"));
    assert_eq!(turn.result.as_deref(), Some("Fixed — zwei Dateien.\n\nSTATUS: done"));
    assert_eq!((turn.total_cost_usd, turn.num_turns, turn.is_error), (Some(0.0421), Some(4), false));
    assert_eq!(turn.denied_tools, ["Write", "Write"]);
    assert_eq!(kinds.len(), 12);
}

#[test]
fn any_prefix_of_a_run_can_be_the_end_of_it_or_go_on() {
    let mut reader = EventReader::of(CLAUDE, 0);
    let mut seen = Vec::new();
    for byte in RUN.as_bytes().chunks(1) {
        reader.feed(byte, &mut |event| seen.push(event));
    }
    reader.finish(&mut |event| seen.push(event));
    assert_eq!(seen, events(RUN));
    assert_eq!(reader.position(), RUN.len() as u64);
    for end in (0..RUN.len()).step_by(61) {
        let mut reader = EventReader::of(CLAUDE, 0);
        reader.feed(&RUN.as_bytes()[..end], &mut |_| {});
        let mut ended = 0;
        reader.finish(&mut |_| ended += 1);
        assert!(ended <= 1, "at byte {end}");
    }
}

#[test]
fn half_an_emoji_does_not_lose_the_event() {
    let line = r#"{"type":"result","is_error":false,"result":"cut \ud83d","num_turns":1}"#;
    assert_eq!(result(line).result.as_deref(), Some("cut \u{fffd}"));
}

#[test]
fn no_bytes_whatever_make_the_reader_panic() {
    // A small generator of its own: the same bytes in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..300 {
        let mut bytes = RUN.as_bytes().to_vec();
        for _ in 0..20 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = u8::try_from(next() % 256).unwrap(),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"{}[]\"\\\n,:\0\xff"[next() % 11]),
            }
        }
        let mut reader = EventReader::of(CLAUDE, 0);
        let (mut activity, mut watch) = (Activity::default(), Watch::default());
        let mut observe = |event: Event| {
            activity.observe(&event);
            watch.observe(&event);
            serde_json::to_string(&event).unwrap();
        };
        reader.feed(&bytes, &mut observe);
        reader.finish(&mut observe);
    }
}

#[test]
fn the_whole_output_may_be_one_array_on_one_line_or_many() {
    let lines: Vec<Value> = RUN.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let array = Value::Array(lines.clone());
    let expected = events(RUN);
    assert_eq!(events(&array.to_string()), expected);
    assert_eq!(events(&format!("{array:#}\n")), expected);
    let one_a_line: Vec<_> = lines.iter().map(Value::to_string).collect();
    assert_eq!(events(&format!("[\n{}\n]\n", one_a_line.join(",\n"))), expected);
    let pretty = format!("{:#}\n{:#}", lines[0], lines[11]);
    assert_eq!(events(&pretty), [expected[0].clone(), expected[11].clone()]);
}

/// An answer that differs from every other.
fn answer(text: &str) -> String {
    json!({"type": "result", "subtype": "success", "is_error": false, "result": text, "num_turns": 1})
        .to_string()
}

fn answers(output: &str) -> Vec<String> {
    let answer = |kind| match kind {
        EventKind::Result(turn) => turn.result,
        _ => None,
    };
    kinds(output).into_iter().filter_map(answer).collect()
}

#[test]
fn what_stands_on_the_line_of_an_event_does_not_lose_it() {
    let event = answer("the answer");
    let limit = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"allowed"}}"#;
    for line in [
        format!("\x1b]0;p: ready\x07{event}"),
        format!("\x1b]0;a {{\"title\": 1}} with braces\x1b\\{event}"),
        format!("\x1bPq{{\"sixel\x1b\\{event}"),
        format!("\x1b[?2004l{event}"),
        format!("\x1b[?25h\x1b[1;32m{event}\x1b[0m"),
        format!("\x1b[{event}"),
        format!("\x1b{event}"),
        format!("\x1b(B{event}\x1b[K\x07"),
        format!("{event}{limit}"),
        format!("{limit}{event}"),
        format!("{limit} {event} {limit}"),
        format!("loading 10%\rloading 99%\r{event}"),
        format!("[12:30:01] [info] {{x}} hook ended: {event}"),
        format!("{{ {event}"),
        format!("{{\"half\": 1\r{event}"),
        format!("{{\"half\r{event}"),
        format!("npm says \"done\", and {event} so it goes"),
        format!("\u{feff}\0{event}\0"),
        format!("{{\n{event}"),
        format!("{{\n\n{event}"),
        format!("[\n{event}"),
        format!("[{{\n{event}"),
        format!("config = {{\n{event}"),
        format!("{{\n\"a\": 1,\n{event}"),
        format!("{{\n{}", format_args!("{:#}", serde_json::from_str::<Value>(&event).unwrap())),
        format!("\x1b[0m{:#}\x1b[0m", serde_json::from_str::<Value>(&event).unwrap()),
        format!("{{\"type\":\"system\",\"cut\":\"\\ud83d\"}}{event}"),
    ] {
        assert_eq!(answers(&line), ["the answer"], "{line:?}");
        assert_eq!(answers(&format!("{line}\n{limit}\n")), ["the answer"], "{line:?}");
    }
}

#[test]
fn nothing_inside_an_event_is_an_event() {
    let fake = json!({"type": "result", "is_error": false, "result": "fake"});
    let inside = [
        // What a tool printed, as a text: with line ends, quoted once more, after a terminal sequence.
        json!(format!("before\n{fake}\nafter")),
        json!(format!("{fake}")),
        json!(format!("\r{fake}\x1b[0m{fake}\x07")),
        json!(json!(fake.to_string()).to_string()),
        // What a model gave a tool, as data.
        fake.clone(),
        json!([fake, {"a": fake}]),
    ];
    for inside in &inside {
        let event = json!({"type": "assistant", "message": {"content": [
            {"type": "tool_use", "name": "x", "input": inside}, {"type": "tool_result", "content": inside}]}});
        let structured = json!({"type": "assistant", "structured_output": inside, "x": 1});
        for event in [event, structured] {
            let line = event.to_string();
            assert_eq!(answers(&line), [""; 0], "{line}");
            // Cut at every byte, from either end, in the middle, and with noise in it.
            for at in (0..line.len()).filter(|at| line.is_char_boundary(*at)) {
                let (head, tail) = line.split_at(at);
                for cut in [head.to_owned(), format!("{head}\n{tail}"), format!("{head}\x1b[0m{tail}")] {
                    assert_eq!(answers(&cut), [""; 0], "{cut:?}");
                }
                assert_eq!(answers(&format!("{tail}\n{}", answer("true"))), ["true"], "{tail:?}");
            }
            let pretty = format!("{event:#}");
            assert_eq!(answers(&pretty), [""; 0], "{pretty}");
            let lines: Vec<&str> = pretty.lines().collect();
            for at in 0..lines.len() {
                let (head, tail) = lines.split_at(at);
                let noisy = [head, &["noise"], tail].concat().join("\n");
                assert_eq!(answers(&noisy), [""; 0], "{noisy}");
                assert_eq!(answers(&tail.join("\n")), [""; 0], "{tail:?}");
            }
        }
    }
    assert_eq!(answers(&format!("\x1b]0;{fake}\x07")), [""; 0], "a window title");
}

#[test]
fn the_noise_is_kept_by_what_can_be_seen_of_it() {
    let line = format!("\x1b]0;title\x07\x1b[31mfailed to start the hook\x1b[0m\r{}\x1b[0m", answer("x"));
    let seen = kinds(&line);
    assert_eq!(seen[0], EventKind::Unparsed { text: "failed to start the hook".into() });
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[test]
fn a_long_line_costs_the_same_a_byte_whatever_is_on_it() {
    let pieces = [
        "{",
        "[",
        "[{",
        "{\"a\":",
        "{\"a\":\r",
        "{\"a\r",
        "\x1b[",
        "\x1b]",
        "{}",
        "{},",
        "{\"\\ud83d\"}x",
        "[[{\"a\":[1",
    ];
    for piece in pieces {
        let decode = |bytes: usize| {
            let line = piece.repeat(bytes / piece.len());
            let started = std::time::Instant::now();
            backend::Decoder::line(&mut Decoder::new(usize::MAX), line.into(), &mut |_| {});
            started.elapsed()
        };
        // Quadratic, this would take hours.
        let elapsed = decode(500_000);
        assert!(elapsed < std::time::Duration::from_secs(20), "{piece:?}: {elapsed:?}");
    }
}

#[test]
fn a_bracket_in_a_string_does_not_end_a_document() {
    let event = json!({"type": "result", "result": "a } ] \" \\ {", "is_error": false});
    assert_eq!(result(&format!("{event:#}")).result.as_deref(), Some("a } ] \" \\ {"));
}

#[test]
fn what_is_no_event_is_kept_by_its_beginning() {
    let long = "x".repeat(10_000);
    let seen = kinds(&format!("warning: {long}\n\n42\n{{\"no\":\"type\"}}\n[1,2]\n{{\"type\":\"resu"));
    assert_eq!(seen.len(), 5, "{seen:?}");
    for kind in &seen {
        let EventKind::Unparsed { text } = kind else { panic!("{kind:?}") };
        assert!(text.len() < 3_000);
    }
}

#[test]
fn missing_fields_and_wrong_types_are_tolerated() {
    for line in [
        r#"{"type":"system"}"#,
        r#"{"type":"system","subtype":"init","tools":"all","mcp_servers":[1,{"name":2}],"model":null}"#,
        r#"{"type":"system","subtype":"api_retry","attempt":"one","error_status":null}"#,
        r#"{"type":"assistant"}"#,
        r#"{"type":"assistant","message":"text"}"#,
        r#"{"type":"assistant","message":{"content":{}}}"#,
        r#"{"type":"assistant","message":{"content":[null,1,{},{"type":7},{"type":"text"},{"type":"tool_use"}]}}"#,
        r#"{"type":"user","message":{"content":"plain"}}"#,
        r#"{"type":"user","message":{"content":[{"type":"tool_result","content":[{"type":"image"},3]}]}}"#,
        r#"{"type":"result"}"#,
        r#"{"type":"result","result":7,"num_turns":-1,"total_cost_usd":"x","permission_denials":{},"errors":[{"a":1}]}"#,
        r#"{"type":"something_new","subtype":"entirely"}"#,
        r#"{"type":["result"]}"#,
    ] {
        for kind in kinds(line) {
            assert!(
                !matches!(kind, EventKind::Unparsed { .. }) || line.contains("[\"result\"]"),
                "{line}: {kind:?}"
            );
        }
    }
    assert_eq!(result(r#"{"type":"result","result":7,"num_turns":-1}"#).result.as_deref(), Some("7"));
    assert_eq!(result(r#"{"type":"result","num_turns":3.0}"#).num_turns, Some(3));
}

#[test]
fn is_error_decides_and_a_missing_mark_falls_back_to_the_subtype() {
    for (line, is_error) in [
        (r#"{"type":"result","subtype":"success","is_error":true}"#, true),
        (r#"{"subtype":"success","is_error":false,"type":"result"}"#, false),
        (r#"{"type":"result","subtype":"success"}"#, false),
        (r#"{"type":"result","subtype":"error_max_turns"}"#, true),
        (r#"{"type":"result","subtype":"error_max_turns","is_error":false}"#, true),
        (r#"{"type":"result","is_error":"true"}"#, true),
        (r#"{"type":"result"}"#, false),
    ] {
        assert_eq!(result(line).is_error, is_error, "{line}");
    }
}

#[test]
fn an_error_in_the_models_place_is_not_a_text_of_the_agent() {
    let line = json!({
        "type": "assistant", "error": "rate_limit", "parent_tool_use_id": null,
        "message": {"id": "x", "model": "<synthetic>", "content": [
            {"type": "text", "text": "You've hit your session limit · resets 6pm (Europe/Berlin)"}]},
    });
    let seen = events(&line.to_string());
    let EventKind::Synthetic { error, text } = &seen[0].kind else { panic!("{seen:?}") };
    assert_eq!(error.as_deref(), Some("rate_limit"));
    assert!(is_account_limit(text));
    assert_eq!(seen[0].model, None);
}

#[test]
fn a_tool_result_is_clipped_when_shown() {
    let line = json!({"type": "user", "message": {"content": [
        {"type": "tool_result", "content": "z".repeat(1_000_000)}]}});
    let EventKind::ToolResult { text, .. } = &kinds(&line.to_string())[0] else { panic!() };
    assert!(text.len() < 3_000);
}

#[test]
fn an_oversized_event_is_reported_by_its_length_to_those_who_follow() {
    let huge = json!({"type": "result", "is_error": false, "result": "x".repeat(100_000)}).to_string();
    let last = |mut reader: EventReader| {
        let mut last = None;
        reader.feed(huge.as_bytes(), &mut |_| {});
        reader.finish(&mut |event| last = Some(event.kind));
        last
    };
    let followed = last(EventReader::new(CLAUDE.decoder(10_000), 0, 10_000));
    assert_eq!(followed, Some(EventKind::Oversized { offset: 0, bytes: huge.len() as u64 }));
    let Some(EventKind::Result(turn)) = last(EventReader::of(CLAUDE, 0)) else {
        panic!("it is not oversized for this one")
    };
    assert_eq!(turn.result.map(|text| text.len()), Some(100_000));
}
