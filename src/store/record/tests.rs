use super::*;
use crate::store::ErrorType;
use serde_json::json;

fn full() -> Record {
    let id = JobId::generate();
    let mut record = Record::pending(id, "infra", "look", 1_700_000_000.25);
    record.context = Some("c".into());
    record.launch = Launch {
        parent: Some(JobId::generate()),
        root: Some(JobId::generate()),
        depth: Some(2),
        group: Some("shop".into()),
        directory: Some("/srv/infra".into()),
        backend: Some("claude".into()),
        session_id: Some("s".into()),
        resumed: true,
        timeout_seconds: Some(90.5.into()),
        idle_timeout_seconds: Some(20.0.into()),
        model: Some("opus".into()),
        max_budget_usd: Some(0.5.into()),
        response_schema: Some(json!({"type": "object"})),
        after: vec![JobId::generate()],
        on_done: vec!["notify".into()],
        command: vec!["claude".into(), "-p".into()],
    };
    record
}

#[test]
fn a_record_comes_back_as_it_was_written() {
    let mut record = full();
    assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
    record.state = State::Running { started_at: 1_700_000_001.0 };
    assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: 1_700_000_002.0,
        verdict: Verdict::Failed,
        result: Some(JobResult::failure(record.id, "infra", ErrorType::Lost, "gone")),
        error: Some("gone".into()),
    }));
    assert_eq!(Record::from_json(&record.to_json()).unwrap(), record);
}

#[test]
fn every_launch_field_is_known_by_name() {
    let Value::Object(fields) = serde_json::to_value(full().launch).unwrap() else { panic!() };
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(names, LAUNCH_FIELDS);
}

#[test]
fn unknown_fields_survive_a_rewrite() {
    let mut record = full();
    let mut stored: Value = serde_json::from_slice(&record.to_json()).unwrap();
    stored["later"] = json!({"a": [1]});
    record = Record::from_json(stored.to_string().as_bytes()).unwrap();
    let again: Value = serde_json::from_slice(&record.to_json()).unwrap();
    assert_eq!(again["later"], json!({"a": [1]}));
}

#[test]
fn a_record_of_the_python_original_is_read() {
    let stored = json!({
        "id": "5f0c9d0e7a3b4c1d8e2f00112233aabb", "agent": "infra", "task": "t", "context": "",
        "caller": null, "goal": "", "status": "done", "created_at": 1.5, "started_at": 2.5,
        "completed_at": 3.5, "error": null, "progress": "Read a.txt", "progress_updated_at": 3.0,
        "result": {"agent": "infra", "success": true, "result": "hi", "session_id": null,
                   "cost_usd": 0.02, "num_turns": 2, "denied_tools": null, "error_type": "something_new"},
    });
    let record = Record::from_json(stored.to_string().as_bytes()).unwrap();
    assert_eq!(record.status(), Status::Done);
    assert!(record.is_foreign());
    let result = record.finished().unwrap().result.as_ref().unwrap();
    assert_eq!((result.result.as_str(), result.cost_usd), ("hi", Some(0.02)));
    assert_eq!(result.error_type, Some(ErrorType::CliError));
    assert_eq!(record.context, None);
}
