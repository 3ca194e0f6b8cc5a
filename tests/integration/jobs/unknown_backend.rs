//! Jobs of a backend that this program does not have: a newer version, or one with more backends, started them.

use std::fs;

use serde_json::Value;

use test_support::TestEnvironment;

/// Makes an answered job one of a backend that there is not, and of this status.
fn foreign_job(environment: &TestEnvironment, status: &str) -> String {
    environment.project("infra");
    environment.command(["run", "infra", "fake: answer hello"]).run().expect_code(0);
    let mut record = environment.only_record();
    let id = record["id"].as_str().expect("an id").to_owned();
    record["backend"] = "codex".into();
    record["status"] = status.into();
    if status != "done" {
        let fields = record.as_object_mut().expect("an object");
        fields.retain(|name, _| !["completed_at", "result"].contains(&name.as_str()));
    }
    let path = environment.jobs_directory().join(format!("{id}.json"));
    fs::write(path, record.to_string()).expect("the record");
    id
}

#[test]
fn a_finished_job_of_an_unknown_backend_is_shown_and_collected_and_neither_read_nor_repeated() {
    let environment = TestEnvironment::new();
    let id = foreign_job(&environment, "done");
    environment.command(["jobs"]).run().expect_code(0);
    environment.command(["status", &id]).run().expect_code(0);
    environment.command(["wait", &id]).run().expect_code(0);
    environment.command(["cancel", &id]).run();
    assert_eq!(environment.command(["result", &id]).run().expect_code(0).stdout, "hello\n");
    for refused in [&["logs", &id][..], &["retry", &id], &["resume", &id]] {
        let stderr = environment.command(refused).run().stderr;
        assert!(
            stderr.contains("'codex' is not a backend") && stderr.contains("claude, command"),
            "{stderr}"
        );
        assert!(stderr.contains("a newer version"), "{stderr}");
    }
    environment.command(["logs", &id]).run().expect_code(1);
    assert!(environment.command(["logs", &id, "--raw"]).run().expect_code(0).stdout.contains("hello"));
    assert_eq!(environment.job_ids(), [id.as_str()], "nothing was dispatched");
    environment.command(["gc", "--all"]).run().expect_code(0);
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn the_end_of_a_lost_job_of_an_unknown_backend_is_recorded_without_its_answer() {
    let environment = TestEnvironment::new();
    let id = foreign_job(&environment, "running");
    let status = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
    assert_eq!((&status["status"], &status["backend"]), (&Value::from("failed"), &Value::from("codex")));
    let result = &environment.only_record()["result"];
    assert_eq!(result["error_type"], "lost", "{result}");
    // Claude's decoder would have found the answer.
    assert_eq!(result["result"], "", "{result}");
    let error = result["error"].as_str().expect("an error");
    assert!(error.contains("'codex' is not a backend of this agent-dispatch"), "{error}");
}

#[test]
fn a_pending_job_of_an_unknown_backend_that_was_called_off_is_cancelled() {
    let environment = TestEnvironment::new();
    let id = foreign_job(&environment, "running");
    let folder = environment.jobs_directory().join(&id);
    fs::write(folder.join("cancel"), "").expect("the request");
    environment.command(["jobs"]).run().expect_code(0);
    assert_eq!(environment.only_record()["status"], "cancelled");
}

#[test]
fn an_unknown_backend_in_the_config_is_an_error_that_names_those_there_are() {
    let environment = TestEnvironment::new();
    environment.project_with("infra", "backend: codex");
    let stderr = environment.command(["run", "infra", "look"]).run().expect_code(2).stderr;
    assert!(stderr.contains("agents.infra.backend: 'codex' is not a backend"), "{stderr}");
    assert!(stderr.contains("claude, command") && stderr.contains("a newer version"), "{stderr}");
}
