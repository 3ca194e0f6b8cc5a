use super::*;
use crate::store::{Finished, JobResult, State, Verdict};

fn everything() -> Authority {
    Authority { allow_configure: true, ..Authority::default() }
}

/// The text as a client with this authority is told it.
fn told(authority: &Authority, text: &str) -> String {
    Wording::new(authority, "--config a.yaml".into()).tell(text, |_| None)
}

/// A job that is over and has a session.
fn resumable() -> Record {
    let mut record = Record::pending(JobId::generate(), "api", "look", 1.0);
    let result = JobResult { session_id: Some("s-1".into()), ..JobResult::answer(record.id, "api", "") };
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: 2.0,
        verdict: Verdict::Failed,
        result: Some(result),
        error: None,
    }));
    record
}

#[test]
fn a_command_that_resumes_a_job_becomes_a_call() {
    let mut record = resumable();
    let tell = |record: &Record, text: &str| {
        Wording::new(&Authority::default(), String::new())
            .tell(text, |id| (id == record.id).then(|| record.clone()))
    };
    let resume = format!("`agent-dispatch resume {}", record.id);
    assert_eq!(
        tell(&record, &format!("resume it: {resume} --timeout 20s`, later")),
        "resume it: call dispatch for api with session_id s-1 and timeout_seconds 20, later"
    );
    assert_eq!(
        tell(&record, &format!("{resume} --timeout 2h30m`")),
        "call dispatch for api with session_id s-1 and timeout_seconds 9000"
    );
    record.launch.response_schema = Some(json!({}));
    assert_eq!(
        tell(&record, &format!("ask for it again: {resume} \"answer as JSON\"`")),
        "ask for it again: call dispatch for api with session_id s-1 and the same response_schema and task \
         \"answer as JSON\""
    );
}

#[test]
fn a_command_becomes_a_call_only_for_a_client_that_has_the_tool() {
    let read_only = Authority { read_only: true, ..Authority::default() };
    for (command, all, usual, looking) in [
        ("jobs", "dispatch_jobs", true, true),
        ("agents list", "list_agents", true, true),
        ("result 1", "dispatch_result with job_id 1", true, true),
        ("gc --older-than 7d", "dispatch_gc with max_age_days 7", true, false),
        ("run api TASK", "dispatch for api", true, false),
        (
            "agents update api --allowed-tools Bash,Write",
            "configure_agent with action update, name api and allowed_tools [\"Bash\",\"Write\"]",
            false,
            false,
        ),
        (
            "agents update api --model MODEL",
            "configure_agent with action update, name api and model MODEL",
            false,
            false,
        ),
        ("agents add NAME DIR", "configure_agent with action add, name NAME and directory DIR", false, false),
    ] {
        let hint = format!("do it with `agent-dispatch {command}`");
        let (call, shell) =
            (format!("do it with {all}"), format!("do it with `agent-dispatch --config a.yaml {command}`"));
        assert_eq!(told(&everything(), &hint), call);
        assert_eq!(told(&Authority::default(), &hint), if usual { &*call } else { &*shell });
        assert_eq!(told(&read_only, &hint), if looking { call } else { shell });
    }
}

#[test]
fn what_no_tool_can_do_stays_a_command_about_the_servers_config() {
    assert_eq!(
        told(&everything(), "change it: `agent-dispatch agents update api --command PROGRAM`"),
        "change it: `agent-dispatch --config a.yaml agents update api --command PROGRAM`"
    );
    assert_eq!(told(&everything(), "run `claude` and log in"), "run `claude` and log in");
    assert_eq!(told(&everything(), "or dispatch without `--session`"), "or dispatch without session_id");
}
