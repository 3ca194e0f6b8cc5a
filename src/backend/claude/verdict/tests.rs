use serde_json::{Value, json};

use super::*;
use crate::backend::testing::{Run, SESSION, record};
use crate::backend::{CLAUDE, Stop};
use crate::store::Outcome;
use crate::store::{Unfinished, UnfinishedState};

const RUN: &str = include_str!("../fixtures/run.jsonl");
const TIMEOUT: Stop = Stop::Timeout { limit_seconds: 90.0, usual: None };

fn init() -> Value {
    json!({"type": "system", "subtype": "init", "session_id": SESSION, "model": "claude-opus-5-5", "tools": []})
}

fn says(text: &str) -> Value {
    json!({"type": "assistant", "parent_tool_use_id": null, "message":
        {"id": "m", "model": "claude-opus-5-5", "content": [{"type": "text", "text": text}]}})
}

fn cli_says(kind: Option<&str>, text: &str) -> Value {
    json!({"type": "assistant", "error": kind, "message":
        {"id": "m", "model": "<synthetic>", "content": [{"type": "text", "text": text}]}})
}

/// A good result, changed by `with`.
#[expect(clippy::needless_pass_by_value, reason = "a literal reads better than a reference to one")]
fn result(with: Value) -> Value {
    let mut event = json!({"type": "result", "subtype": "success", "is_error": false, "num_turns": 1,
        "result": "hello", "stop_reason": "end_turn", "session_id": SESSION, "total_cost_usd": 0.25,
        "usage": {"output_tokens": 5}, "permission_denials": [], "terminal_reason": "completed"});
    for (key, value) in with.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn api_error(text: &str) -> Value {
    result(json!({"is_error": true, "result": text, "total_cost_usd": 0}))
}

fn aborted(how: &str) -> Value {
    let mut event =
        result(json!({"subtype": "error_during_execution", "is_error": true, "terminal_reason": how,
        "errors": ["Error: Request was aborted."]}));
    event.as_object_mut().unwrap().remove("result");
    event
}

fn run(events: &[Value]) -> Run {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Run::new(CLAUDE).stdout(&lines)
}

#[track_caller]
fn fails(run: &Run, kind: ErrorType, fragment: &str) -> JobResult {
    let result = run.conclude();
    let error = result.error.clone().unwrap_or_default();
    assert_eq!((result.error_type, result.success), (Some(kind), false), "{error}");
    assert!(error.contains(fragment), "{error:?} does not say {fragment:?}");
    result
}

#[test]
fn fine() {
    let result = Run::new(CLAUDE).stdout(RUN).conclude();
    assert!(result.success);
    assert_eq!(result.result, "Fixed — zwei Dateien.\n\nSTATUS: done");
    assert_eq!(result.outcome, Some(Outcome::Done));
    assert_eq!((result.cost_usd, result.num_turns, result.duration_ms), (Some(0.0421), Some(4), Some(1234)));
    assert_eq!(result.model.as_deref(), Some("claude-opus-5-5"));
    assert_eq!(result.usage, Some(json!({"input_tokens": 12, "output_tokens": 345})));
    assert_eq!(result.session_id.as_deref(), Some(SESSION));
    assert_eq!((result.error, result.error_type), (None, None));
}

#[test]
fn denied_tools_are_named_once_and_the_run_stays_a_success() {
    let result = Run::new(CLAUDE).stdout(RUN).conclude();
    assert_eq!(result.denied_tools, ["Write"]);
    let hint = result.hint.unwrap();
    assert!(hint.contains("agent-dispatch agents update api --allowed-tools Write"), "{hint}");
    assert!(!hint.contains("secret"));
}

#[test]
fn an_empty_reply_is_a_success_with_an_empty_answer() {
    let result = run(&[init(), result(json!({"result": ""}))]).conclude();
    assert!(result.success && result.result.is_empty() && result.outcome.is_none());
}

#[test]
fn turns_used_up_is_incomplete() {
    let ended = json!({"type": "result", "subtype": "error_max_turns", "is_error": true, "num_turns": 3,
        "terminal_reason": "max_turns", "errors": ["Reached maximum number of turns (2)"]});
    let result = fails(&run(&[init(), says("half done"), ended]).exit(1), ErrorType::Incomplete, "turns (2)");
    assert_eq!(result.result, "half done");
    assert!(result.hint.unwrap().contains(&format!("agent-dispatch resume {}", result.job_id)));
}

#[test]
fn a_budget_stop_recovers_the_last_text() {
    for reason in [Value::Null, json!("budget_exhausted")] {
        let ended = json!({"type": "result", "subtype": "error_max_budget_usd", "is_error": true,
            "total_cost_usd": 0.53, "terminal_reason": reason, "errors": ["Reached maximum budget ($0.5)"]});
        let mut capped = record();
        capped.launch.max_budget_usd = Some(0.5.into());
        let run = run(&[init(), says("The answer.\nSTATUS: done"), ended]).exit(1).record(capped);
        let result = fails(&run, ErrorType::Budget, "spend cap of $0.50; it spent $0.53");
        assert_eq!(result.result, "The answer.\nSTATUS: done");
        assert_eq!(result.outcome, Some(Outcome::Done));
        assert!(result.budget_exceeded);
        let hint = result.hint.unwrap();
        assert!(hint.contains(&format!("resume {} --max-budget-usd 1.00", result.job_id)), "{hint}");
    }
}

#[test]
fn a_success_beyond_the_budget_is_marked() {
    let mut capped = record();
    capped.launch.max_budget_usd = Some(0.2.into());
    let over = run(&[result(json!({}))]).record(capped.clone()).conclude();
    assert!(over.success && over.budget_exceeded);
    capped.launch.max_budget_usd = Some(0.25.into());
    assert!(!run(&[result(json!({}))]).record(capped).conclude().budget_exceeded);
}

/// The costs of a result of 2.1.330: since the last one, by model, and of the session.
fn spent(own: f64, session: f64) -> Value {
    result(json!({"total_cost_usd": session, "model_usage_since_last_result":
        {"claude-opus-5-5": {"costUSD": own / 2.0}, "claude-haiku-5": {"costUSD": own / 2.0}}}))
}

#[test]
fn a_resumed_run_costs_only_what_it_spent_itself() {
    let mut capped = record();
    capped.launch.resumed = true;
    capped.launch.max_budget_usd = Some(0.5.into());
    let once = run(&[init(), spent(0.25, 9.25)]).record(capped.clone()).conclude();
    assert_eq!((once.cost_usd, once.budget_exceeded), (Some(0.25), false));
    let twice = run(&[init(), spent(0.25, 9.25), init(), spent(0.5, 9.75)]).record(capped).conclude();
    assert_eq!((twice.cost_usd, twice.budget_exceeded), (Some(0.75), true));
}

#[test]
fn token_counts_that_nest_deeper_than_a_record_can_are_left_out_and_that_is_told() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    for (levels, kept) in [(100, true), (101, false), (125, false)] {
        let concluded = run(&[init(), result(json!({ "usage": nested(levels) }))]).conclude();
        assert!(concluded.success && concluded.result == "hello", "{concluded:?}");
        assert_eq!(concluded.usage.is_some(), kept, "{levels}");
        assert_eq!(concluded.hint.is_none_or(|hint| !hint.contains("token counts")), kept, "{levels}");
    }
}

#[test]
fn a_model_without_a_price_leaves_the_cost_to_the_totals() {
    let mut event = spent(0.5, 0.75);
    event["model_usage_since_last_result"]["claude-next"] = json!({"inputTokens": 10});
    assert_eq!(run(&[init(), event]).conclude().cost_usd, Some(0.75));
}

#[test]
fn schema_retries_used_up_is_incomplete() {
    let ended = json!({"type": "result", "subtype": "error_max_structured_output_retries", "is_error": true});
    fails(&run(&[init(), ended]).exit(1), ErrorType::Incomplete, "response schema");
}

#[test]
fn an_interruption_from_elsewhere_is_incomplete() {
    for (how, code) in [("aborted_streaming", 0), ("aborted_tools", 1)] {
        let run = run(&[init(), says("so far"), aborted(how)]).exit(code);
        let result = fails(&run, ErrorType::Incomplete, "interrupted");
        assert_eq!(result.result, "so far");
    }
}

#[test]
fn an_interruption_by_us_has_the_type_of_our_reason() {
    for (stop, kind) in [
        (TIMEOUT, ErrorType::Timeout),
        (Stop::Cancelled, ErrorType::Cancelled),
        (Stop::OwnerGone, ErrorType::Cancelled),
        (Stop::SupervisorStopped, ErrorType::Cancelled),
        (Stop::Lost, ErrorType::Lost),
    ] {
        for events in [vec![init(), says("so far"), aborted("aborted_tools")], vec![init(), says("so far")]] {
            let result = run(&events).stop(stop).conclude();
            assert_eq!((result.error_type, result.success), (Some(kind), false));
            assert_eq!(result.result, "so far");
            assert_eq!(result.session_id.as_deref(), Some(SESSION));
        }
    }
}

#[test]
fn a_timeout_says_how_to_go_on() {
    let result = fails(&run(&[init()]).stop(TIMEOUT), ErrorType::Timeout, "timed out after 90s");
    assert_eq!(
        result.hint.clone().unwrap(),
        format!(
            "resume it where it stopped, with more time: `agent-dispatch resume {} --timeout 3m`",
            result.job_id
        )
    );
    // A session that never started cannot be resumed.
    let nothing = run(&[]).stop(TIMEOUT).conclude();
    assert_eq!(nothing.session_id, None);
    assert!(!nothing.hint.unwrap().contains("agent-dispatch resume"));
    let mut resumed = record();
    resumed.launch.resumed = true;
    let resumed = run(&[]).stop(TIMEOUT).record(resumed).conclude();
    assert_eq!(resumed.session_id.as_deref(), Some(SESSION));
}

#[test]
fn a_timeout_in_repeating_a_request_names_the_api() {
    let retry = |status: Value, error: &str| {
        json!({"type": "system", "subtype": "api_retry", "attempt": 3, "max_retries": 10,
            "retry_delay_ms": 9, "error_status": status, "error": error})
    };
    for (status, kind, said) in [
        (json!(529), "overloaded", "(HTTP 529 overloaded)"),
        (Value::Null, "unknown", "(no answer)"),
        (Value::Null, "server_error", "(server_error)"),
    ] {
        let run = run(&[init(), retry(status, kind), aborted("aborted_streaming")]).stop(TIMEOUT);
        let result = fails(&run, ErrorType::Timeout, said);
        assert!(result.error.unwrap().starts_with("timed out after 90s; the API failed"));
        assert!(result.hint.unwrap().contains("https://status.claude.com"));
    }
    // The API answered after all.
    let recovered = run(&[init(), retry(json!(529), "overloaded"), says("so far")]).stop(TIMEOUT);
    let result = fails(&recovered, ErrorType::Timeout, "timed out after 90s");
    assert_eq!(result.error.as_deref(), Some("timed out after 90s"));
}

#[test]
fn a_complete_answer_outranks_the_stop_but_not_a_cancel() {
    for stop in [TIMEOUT, Stop::OwnerGone, Stop::Lost, Stop::SupervisorStopped] {
        for tail in [vec![], vec![init(), aborted("aborted_tools")], vec![init(), says("more")]] {
            let mut events = vec![init(), says("hello"), result(json!({}))];
            events.extend(tail);
            let result = run(&events).stop(stop).conclude();
            assert!(result.success, "{stop:?}: {:?}", result.error);
            assert_eq!(result.result, "hello");
        }
    }
    let cancelled =
        fails(&run(&[init(), result(json!({}))]).stop(Stop::Cancelled), ErrorType::Cancelled, "complete");
    assert_eq!(cancelled.result, "hello");
}

#[test]
fn a_failure_before_the_stop_keeps_its_own_type() {
    let events = [init(), api_error("Credit balance is too low")];
    fails(&run(&events).stop(TIMEOUT), ErrorType::Auth, "no credit");
    fails(&run(&events).stop(Stop::Cancelled), ErrorType::Cancelled, "cancelled");
}

#[test]
fn auth_errors_come_as_success_with_is_error() {
    for (text, hint) in [
        ("Not logged in · Please run /login", "`/login`"),
        ("Invalid API key · Fix external API key", "ANTHROPIC_API_KEY"),
        ("Failed to authenticate. API Error: 403 {}", "ANTHROPIC_API_KEY"),
        ("Credit balance is too low", "billing"),
    ] {
        let run = run(&[init(), cli_says(Some("authentication_failed"), text), api_error(text)]).exit(1);
        let result = fails(&run, ErrorType::Auth, text);
        assert!(result.hint.unwrap().contains(hint));
        assert_eq!(result.result, "", "an error message is not an answer");
    }
}

#[test]
fn limits_and_overload_are_told_apart() {
    for (text, kind) in [
        ("You've hit your session limit · resets 6pm (Area/City)", ErrorType::UsageLimit),
        ("API Error: Request rejected (429) · try later", ErrorType::UsageLimit),
        ("Repeated 529 Overloaded errors", ErrorType::Overloaded),
        ("API Error: 500 Internal server error", ErrorType::Overloaded),
        ("Unable to connect to API (ConnectionRefused)", ErrorType::Overloaded),
    ] {
        fails(&run(&[init(), api_error(text)]).exit(1), kind, text);
    }
}

#[test]
fn a_status_or_a_kind_is_enough_when_the_text_is_new() {
    let by_status = result(json!({"is_error": true, "api_error_status": 529, "result": "Ups"}));
    fails(&run(&[by_status]).exit(1), ErrorType::Overloaded, "Ups");
    let refused = "API Error: Verbindung abgelehnt";
    let by_kind = [cli_says(Some("server_error"), refused), api_error(refused)];
    fails(&run(&by_kind).exit(1), ErrorType::Overloaded, refused);
}

#[test]
fn an_error_message_in_the_answers_place_is_an_error_without_the_mark() {
    let text = "You've hit your session limit · resets 6pm";
    let unmarked = [init(), cli_says(Some("rate_limit"), text), result(json!({"result": text}))];
    fails(&run(&unmarked), ErrorType::UsageLimit, text);
}

#[test]
fn an_answer_about_errors_is_an_answer() {
    for text in ["Not logged in · Please run /login", "usage limit reached", "Unknown command: /x"] {
        let result = run(&[init(), says(text), result(json!({"result": text}))]).conclude();
        assert!(result.success, "{text}");
    }
}

#[test]
fn a_refusal_is_told() {
    let refused =
        result(json!({"is_error": true, "stop_reason": "refusal", "result": "I can't help with that."}));
    fails(&run(&[refused]).exit(1), ErrorType::CliError, "refused the task: I can't help");
}

#[test]
fn a_conversation_that_is_too_long_is_told() {
    let long = result(json!({"is_error": true, "terminal_reason": "prompt_too_long", "result": "Zu lang"}));
    let result = fails(&run(&[long]).exit(1), ErrorType::CliError, "too long");
    assert!(result.hint.unwrap().contains("without `--session`"));
}

#[test]
fn any_other_error_is_quoted_without_secrets() {
    let run = run(&[api_error("image was unreadable: sk-ant-api03-abc")]).exit(1);
    let result = fails(&run, ErrorType::CliError, "image was unreadable: sk-ant-…");
    assert!(!result.error.unwrap().contains("abc"));
}

#[test]
fn another_session_that_the_stream_names_is_ignored_and_told() {
    for other in ["../other/secret.jsonl", "0190163d-8694-439b-aea5-966c26f8ad91"] {
        let start = json!({"type": "system", "subtype": "init", "session_id": other, "tools": []});
        for (events, success) in [
            (vec![start.clone(), result(json!({"session_id": other}))], true),
            (vec![init(), result(json!({"session_id": other}))], true),
            (vec![init(), result(json!({"session_id": other, "is_error": true}))], false),
        ] {
            let result = run(&events).conclude();
            assert_eq!((result.success, result.session_id.as_deref()), (success, Some(SESSION)));
            assert!(result.hint.unwrap().contains(&format!("another session, '{other}', which was ignored")));
        }
    }
    assert_eq!(run(&[init(), result(json!({}))]).conclude().hint, None);
    // Nor is what a record says trusted for the next run.
    let mut edited = record();
    edited.launch.session_id = Some("../other/secret.jsonl".into());
    edited.launch.resumed = true;
    assert_eq!(run(&[]).record(edited).conclude().session_id, None);
}

#[test]
fn a_missing_session_is_not_found_whichever_way_it_is_told() {
    let text = format!("No conversation found with session ID: {SESSION}");
    let mut resumed = record();
    resumed.launch.resumed = true;
    let mut by_result = aborted("x");
    by_result["errors"] = json!([text]);
    by_result["num_turns"] = json!(0);
    for run in [run(&[by_result]).stderr(&text), run(&[]).stderr(&format!("{text}\n"))] {
        let result = fails(&run.exit(1).record(resumed.clone()), ErrorType::NotFound, "does not exist");
        assert_eq!(result.session_id, None, "it cannot be resumed");
        assert!(result.hint.unwrap().contains("without `--session`"));
    }
}

#[test]
fn stderr_speaks_when_there_is_no_result() {
    let only = |text: &str| run(&[]).stderr(text).exit(1);
    fails(&only("Error: Session ID 1 is already in use.\n"), ErrorType::CliError, "in use");
    let root = fails(
        &only("--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons"),
        ErrorType::Permission,
        "root user",
    );
    let hint = root.hint.unwrap();
    assert!(
        hint.contains("agent-dispatch agents update api --permission-mode") && !hint.contains("IS_SANDBOX")
    );
    fails(
        &only("error: unknown option '--frobnicate'\n"),
        ErrorType::CliError,
        "exited with code 1: error: unknown",
    );
    fails(&only(""), ErrorType::CliError, "exited with code 1 and no message");
    let plain = Run::new(CLAUDE).stdout("Not logged in · Please run /login\n").exit(1);
    fails(&plain, ErrorType::Auth, "not logged in");
    let other = Run::new(CLAUDE).stdout("Error: something new\n").exit(1);
    fails(&other, ErrorType::CliError, "something new");
}

#[test]
fn exit_0_without_a_result_is_incomplete() {
    for events in [vec![], vec![init(), says("The beginning")], vec![json!({"type": "result"})]] {
        let result = fails(&run(&events), ErrorType::Incomplete, "without a result");
        assert_eq!(result.result, if events.len() == 2 { "The beginning" } else { "" });
    }
    let torn = Run::new(CLAUDE).stdout(&RUN[..RUN.len() - 100]);
    let result = fails(&torn, ErrorType::Incomplete, "without a result");
    assert_eq!(result.result, "Fixed — zwei Dateien.\n\nSTATUS: done");
}

#[test]
fn a_kill_from_elsewhere_is_named() {
    let killed = run(&[init(), says("so far")]).signal(9);
    let result = fails(&killed, ErrorType::CliError, "was killed by signal 9 (SIGKILL)");
    assert!(result.hint.unwrap().contains("memory"));
    assert_eq!(result.result, "so far");
    let terminated = fails(&run(&[init()]).exit(143), ErrorType::CliError, "signal 15 (SIGTERM)");
    assert!(terminated.hint.unwrap().contains("agent-dispatch resume"));
}

#[test]
fn an_answer_stays_a_success_however_the_process_ended_after_it() {
    let killed = run(&[init(), result(json!({}))]).signal(9).conclude();
    assert!(killed.success && killed.hint.unwrap().contains("signal 9"));
    let failed = run(&[init(), result(json!({}))]).exit(1).conclude();
    assert!(failed.success && failed.hint.unwrap().contains("code 1"));
}

#[test]
fn the_last_of_several_results_counts_and_keeps_the_earlier_data() {
    let events = [
        init(),
        says("first"),
        result(
            json!({"result": "first", "num_turns": 2, "total_cost_usd": 0.1, "structured_output": {"n": 1},
            "permission_denials": [{"tool_name": "Write"}]}),
        ),
        init(),
        says("second"),
        result(json!({"result": "second", "num_turns": 3, "total_cost_usd": 0.4, "structured_output": null,
            "permission_denials": [{"tool_name": "Bash"}, {"tool_name": "Write"}]})),
        json!({"type": "system", "subtype": "task_updated"}),
    ];
    let mut wanted = record();
    wanted.launch.response_schema = Some(json!({"type": "object", "required": ["n"]}));
    let result = run(&events).record(wanted).conclude();
    assert!(result.success);
    assert_eq!(result.result, "second");
    assert_eq!((result.cost_usd, result.num_turns), (Some(0.4), Some(5)));
    assert_eq!(result.parsed_result, Some(json!({"n": 1})));
    assert_eq!(result.denied_tools, ["Write", "Bash"]);
}

#[test]
fn an_agent_that_was_stopped_makes_the_answer_incomplete_and_a_command_does_not() {
    let started = |kind: &str| {
        json!({"type": "system", "subtype": "task_started", "task_id": "t", "task_type": kind,
        "description": "look into it"})
    };
    let stopped =
        json!({"type": "system", "subtype": "task_notification", "task_id": "t", "status": "stopped"});
    let events = |kind: &str| [init(), started(kind), says("hello"), stopped.clone(), result(json!({}))];
    let failed =
        fails(&run(&events("local_agent")), ErrorType::Incomplete, "stopped before the work was done");
    assert_eq!(failed.result, "hello", "what there is of an answer is kept");
    assert!(failed.error.as_ref().unwrap().contains("'look into it'"));
    assert!(failed.hint.unwrap().contains("agent-dispatch resume"));
    let unfinished =
        |kind| vec![Unfinished { kind, what: "look into it".into(), state: UnfinishedState::Stopped }];
    assert_eq!(failed.unfinished, unfinished(WorkKind::Agent));
    let done = run(&events("local_bash")).conclude();
    assert!(done.success && done.result == "hello");
    assert_eq!(done.unfinished, unfinished(WorkKind::Command));
    // A caller that cancels gets it cancelled.
    let cancelled = run(&events("local_agent")).stop(Stop::Cancelled).conclude();
    assert_eq!(cancelled.error_type, Some(ErrorType::Cancelled));
    let over = [
        init(),
        started("local_agent"),
        says("hello"),
        result(json!({})),
        json!({"type": "system",
        "subtype": "task_updated", "task_id": "t", "patch": {"status": "completed"}}),
    ];
    let fine = run(&over).conclude();
    assert!(fine.success && fine.unfinished.is_empty());
}

#[test]
fn a_bad_last_result_counts_when_the_run_was_not_stopped() {
    let events =
        [init(), result(json!({"result": "first"})), init(), api_error("Repeated 529 Overloaded errors")];
    let result = fails(&run(&events).exit(1), ErrorType::Overloaded, "529");
    assert_eq!(result.result, "first", "what there was is kept");
}

#[test]
fn an_array_is_read_like_a_stream() {
    let array = Value::Array(vec![init(), says("hello"), result(json!({}))]);
    for text in [array.to_string(), format!("{array:#}\n")] {
        let result = Run::new(CLAUDE).stdout(&text).conclude();
        assert!(result.success && result.result == "hello");
    }
}

#[test]
fn a_prompt_taken_for_a_slash_command_is_a_failure() {
    let ignored = result(json!({"num_turns": 0, "total_cost_usd": 0, "result": "Unknown command: /fix"}));
    let result = fails(&run(&[init(), ignored]), ErrorType::CliError, "Unknown command: /fix");
    assert!(result.hint.unwrap().contains("'/'"));
}

#[test]
fn a_schema_needs_an_answer_that_satisfies_it() {
    let mut wanted = record();
    wanted.launch.response_schema = Some(json!({"type": "object", "properties": {"n": {"type": "integer"}},
        "required": ["n"]}));
    let with = |result: Value| run(&[init(), result]).record(wanted.clone());

    let structured = with(result(json!({"result": "", "structured_output": {"n": 1}}))).conclude();
    assert_eq!(structured.parsed_result, Some(json!({"n": 1})));
    assert_eq!(structured.result, "{\"n\":1}", "the data is the answer");
    let fenced = with(result(json!({"result": "Here:\n```json\n{\"n\": 2}\n```\nSTATUS: done"}))).conclude();
    assert_eq!((fenced.parsed_result, fenced.outcome), (Some(json!({"n": 2})), Some(Outcome::Done)));

    let prose = fails(&with(result(json!({"result": "It is two."}))), ErrorType::Incomplete, "not JSON");
    assert_eq!(prose.result, "It is two.");
    assert!(prose.hint.unwrap().contains("'answer as JSON, by the schema'`"));
    let wrong = with(result(json!({"structured_output": {"n": "two"}, "result": "x"})));
    fails(&wrong, ErrorType::Incomplete, "does not satisfy the response schema: at /n");
}

#[test]
fn a_hopeless_run_tells_what_the_stream_showed() {
    let retry = json!({"type": "system", "subtype": "api_retry", "attempt": 2, "max_retries": 10,
        "retry_delay_ms": 9, "error_status": 401, "error": "authentication_failed"});
    let auth = run(&[init(), retry]).stop(Stop::Unrecoverable(ErrorType::Auth));
    let result = fails(&auth, ErrorType::Auth, "HTTP 401 authentication_failed");
    assert!(result.hint.unwrap().contains("ANTHROPIC_API_KEY"));
    let text = "You've hit your session limit · resets 6pm";
    let limit = run(&[init(), cli_says(Some("rate_limit"), text), aborted("aborted_streaming")]);
    fails(&limit.stop(Stop::Unrecoverable(ErrorType::UsageLimit)), ErrorType::UsageLimit, text);
    fails(&run(&[]).stop(Stop::Unrecoverable(ErrorType::Auth)), ErrorType::Auth, "waiting");
}

#[test]
fn what_a_subagent_says_is_not_the_agents_answer() {
    let mut nested = says("from below");
    nested["parent_tool_use_id"] = json!("toolu_1");
    let result = run(&[init(), says("from the agent"), nested]).stop(TIMEOUT).conclude();
    assert_eq!(result.result, "from the agent");
}

#[test]
fn unreadable_output_is_told() {
    let run = Run::new(CLAUDE).stdout_is_a_directory();
    fails(&run, ErrorType::Incomplete, "could not be read");
}

#[test]
fn any_prefix_of_a_run_has_a_conclusion() {
    let lines: Vec<usize> = RUN.match_indices('\n').map(|(at, _)| at).collect();
    let last = lines[lines.len() - 2];
    for cut in 0..RUN.len() {
        // Only the result's own line is worth every cut; the others are tried near their ends.
        if cut < last && !lines.iter().any(|&end| cut.abs_diff(end) <= 2) {
            continue;
        }
        let mut run = Run::new(CLAUDE);
        run = run.stdout_bytes(&RUN.as_bytes()[..cut]);
        let result = run.conclude();
        assert_eq!(result.success, cut == RUN.len() - 1, "cut at {cut}");
    }
}
