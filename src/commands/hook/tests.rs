use super::*;
use serde_json::json;

/// What Claude Code 2.1.330 writes.
fn payload(tool: &str, response: &Value) -> Vec<u8> {
    json!({
        "session_id": "fb26d7b5-d6d8-42fd-b878-910818367800", "transcript_path": "/x.jsonl", "cwd": "/x",
        "permission_mode": "default", "hook_event_name": "PostToolUse", "tool_name": tool,
        "tool_input": {"agent": "infra", "task": "x"}, "tool_response": response,
        "tool_use_id": "toolu_1", "duration_ms": 25,
        "mcp_server": {"name": "agent-dispatch", "source": "user"},
    })
    .to_string()
    .into_bytes()
}

fn job(id: JobId, status: &str) -> Value {
    json!({"job_id": id, "agent": "infra", "status": status})
}

#[test]
fn the_unfinished_jobs_of_our_tools_are_found_in_every_form_of_a_result() {
    let [a, b, c] = [(); 3].map(|()| JobId::generate());
    let aggregated = json!({"jobs": [job(a, "running")], "aggregate": job(b, "pending")});
    let several = json!({"jobs": [job(a, "running"), job(b, "done"), job(c, "pending"), job(a, "running")]});
    for (tool, response, expected) in [
        ("mcp__agent-dispatch__dispatch", json!(job(a, "running").to_string()), vec![a]),
        ("mcp__agent-dispatch__dispatch", job(a, "pending"), vec![a]),
        (
            "mcp__agent-dispatch__dispatch",
            json!({"content": [], "structuredContent": job(a, "running")}),
            vec![a],
        ),
        ("mcp__x__y__dispatch_dialogue", json!(job(a, "running").to_string()), vec![a]),
        ("mcp__agent-dispatch__dispatch_parallel", json!(several.to_string()), vec![a, c]),
        ("mcp__agent-dispatch__dispatch_parallel", json!(aggregated.to_string()), vec![a, b]),
        (
            "mcp__agent-dispatch__dispatch",
            json!([{"type": "text", "text": job(a, "running").to_string()}]),
            vec![a],
        ),
    ] {
        assert_eq!(jobs_started(&payload(tool, &response)), expected, "{tool} {response}");
    }
}

#[test]
fn nothing_is_waited_for_when_the_jobs_are_over_or_it_is_no_call_of_ours() {
    let running = json!(job(JobId::generate(), "running").to_string());
    let ours = "mcp__agent-dispatch__dispatch";
    for status in ["done", "failed", "cancelled", "", "RUNNING"] {
        let over = json!(job(JobId::generate(), status).to_string());
        assert_eq!(jobs_started(&payload(ours, &over)), [], "{status}");
    }
    for tool in [
        "",
        "Bash",
        "dispatch",
        "mcp__dispatch",
        "mcp____dispatch",
        "mcp__agent-dispatch__dispatch_result",
        "mcp__agent-dispatch__dispatch_jobs",
        "mcp__agent-dispatch__dispatcher",
    ] {
        assert_eq!(jobs_started(&payload(tool, &running)), [], "{tool}");
    }
    for response in [
        json!(null),
        json!(7),
        json!("the agent works on it"),
        json!("{\"job_id\":"),
        json!([{"type": "image"}, 3, null, "x"]),
        json!({"job_id": "../../etc/passwd", "status": "running"}),
        json!({"job_id": 7, "status": "running"}),
        json!({"jobs": "none", "aggregate": "none"}),
    ] {
        assert_eq!(jobs_started(&payload(ours, &response)), [], "{response}");
    }
}

#[test]
fn what_is_no_payload_is_nothing() {
    let before = String::from_utf8(payload("mcp__agent-dispatch__dispatch", &json!("{}"))).unwrap();
    let before = before.replace("PostToolUse", "PreToolUse");
    let deep = "[".repeat(1_000_000);
    for text in ["", "{", "null", "[]", "{}", "\u{0}", &before, &deep] {
        assert_eq!(jobs_started(text.as_bytes()), []);
    }
}

#[test]
fn the_line_names_every_job_its_agent_its_outcome_and_what_to_call() {
    let record = |agent: &str, status: &str| {
        let id = JobId::generate();
        let record = json!({
            "format": 2, "id": id, "agent": agent, "task": "x", "status": status, "created_at": 1.0,
            "started_at": 2.0, "completed_at": 3.0,
        });
        (id, Record::from_json(record.to_string().as_bytes()).unwrap())
    };
    let (a, done) = record("infra", "done");
    let (b, cancelled) = record("web", "cancelled");
    assert_eq!(
        line(std::slice::from_ref(&done)),
        format!(
            "A job you dispatched is over. infra (job {a}): done. Call dispatch_result with this job_id to read the answer."
        )
    );
    assert_eq!(
        line(std::slice::from_ref(&cancelled)),
        format!("A job you dispatched is over. web (job {b}): cancelled. There is no answer to wait for.")
    );
    assert_eq!(
        line(&[done, cancelled]),
        format!(
            "The jobs you dispatched are over. infra (job {a}): done; web (job {b}): cancelled. Call dispatch_result \
                 with each job_id to read the answer."
        )
    );
}
