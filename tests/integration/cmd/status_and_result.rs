//! `status` and `result`: looking at one job and fetching its answer.

use serde_json::json;

use test_support::dispatch::{self, AGENT, submit, submit_and_finish, submit_endless, with_agent};

#[test]
fn the_status_of_a_running_job_says_what_it_does() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let output = environment.command(["status", &id]).run().expect_code(0);
    assert_eq!(output.stderr, "");
    let value = |name: &str| {
        let line = output.stdout.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.map(|line| line[name.len()..].trim_start().to_owned())
    };
    assert_eq!(value("job").as_deref(), Some(id.as_str()));
    assert_eq!(value("agent").as_deref(), Some(AGENT));
    assert_eq!(value("status").as_deref(), Some("running"));
    assert_eq!(value("doing").as_deref(), Some("working"));
    assert_eq!(value("directory"), Some(dispatch::project(&environment).display().to_string()));
    assert!(value("running for").is_some() && value("session").is_some(), "{}", output.stdout);

    let document = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
    assert_eq!((&document["status"], &document["progress"]), (&json!("running"), &json!("working")));
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn the_status_of_a_finished_job_says_how_it_ended() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer all\\nwell\nfake: status done");
    let output = environment.command(["status", &id]).run().expect_code(0);
    for line in ["status      done", "agent says  done", "answer      all well STATUS: done"] {
        assert!(output.stdout.lines().any(|found| found == line), "{line}: {}", output.stdout);
    }
    let document = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
    assert_eq!(document, environment.record(&id));

    let id = submit_and_finish(&environment, "fake: budget");
    let output = environment.command(["status", &id]).run().expect_code(0);
    assert!(output.stdout.contains("failed (budget)"), "{}", output.stdout);
    assert!(output.stdout.contains("\nhint "), "{}", output.stdout);
}

#[test]
fn a_long_answer_is_read_in_pages_of_characters() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer äöü🦀 and the rest");
    let page = |options: &[&str]| environment.command(["result", &id]).args(options).run().expect_code(0);
    let first = page(&["--max-chars", "4"]);
    assert_eq!(first.stdout, "äöü🦀\n");
    assert_eq!(
        first.stderr,
        format!("13 of 17 characters left: agent-dispatch result {id} --offset 4 --max-chars 4\n")
    );
    let rest = page(&["--offset", "4"]);
    assert_eq!((rest.stdout.as_str(), rest.stderr.as_str()), (" and the rest\n", ""));
    assert_eq!(page(&["--offset", "5", "--max-chars", "3"]).stdout, "and\n");
    assert_eq!(page(&["--max-chars", "4", "--json"]).json()["result"], "äöü🦀");
    let beyond = page(&["--offset", "100"]);
    assert_eq!((beyond.stdout.as_str(), beyond.stderr.as_str()), ("", ""));
    assert_eq!(page(&["--offset", "18446744073709551615", "--max-chars", "18446744073709551615"]).stdout, "");
}

#[test]
fn a_running_job_has_no_result_yet() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let output = environment.command(["result", &id]).run().expect_code(1);
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        format!(
            "error: job {id} has no answer yet: it is running\n\
             hint: wait for it with `agent-dispatch result {id} --wait`\n"
        )
    );
    let waiting = environment.command(["result", &id, "--wait"]).spawn();
    environment.command(["cancel", &id]).run().expect_code(0);
    assert_eq!(waiting.wait().expect_code(130).stdout, "working\n", "what there was of an answer");
}

#[test]
fn result_can_wait() {
    let environment = with_agent();
    let id = submit(&environment, "fake: sleep 300ms\nfake: answer at last");
    assert_eq!(environment.command(["result", &id, "--wait"]).run().expect_code(0).stdout, "at last\n");
}

#[test]
fn the_result_of_a_failed_job_is_its_error() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: is-error 401 Invalid API key");
    let output = environment.command(["result", &id]).run().expect_code(8);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.starts_with("error: infra: the API refused the credentials: Invalid API key\nhint: "),
        "{}",
        output.stderr
    );
    let document = environment.command(["result", &id, "--json"]).run().expect_code(8).json();
    assert_eq!(document, environment.record(&id)["result"]);
}

#[test]
fn a_job_lost_with_its_supervisor_is_told_as_lost() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let kill = format!("pkill -KILL -f '__supervise .*{id}'");
    environment.program("/bin/sh".as_ref(), ["-c", &kill]).run();
    let output = environment.command(["result", &id, "--wait", "--json"]).run().expect_code(1);
    let result = output.json();
    assert_eq!((&result["error_type"], &result["result"]), (&json!("lost"), &json!("working")));
    assert_eq!(environment.record(&id)["status"], "failed");
    environment.assert_nothing_running();
}

#[test]
fn an_answer_given_before_its_supervisor_died_is_kept() {
    let environment = with_agent();
    let id = submit(&environment, "fake: answer paid for\nfake: result-then-hang");
    let output = || environment.command(["logs", &id, "--raw"]).run().stdout;
    test_support::wait_until(test_support::PATIENCE, "the answer is out", || {
        output().contains("\"type\":\"result\"")
    });
    let kill = format!("pkill -KILL -f '__supervise .*{id}'");
    environment.program("/bin/sh".as_ref(), ["-c", &kill]).run();
    let result = environment.command(["result", &id, "--wait"]).run().expect_code(0);
    assert_eq!(result.stdout, "paid for\n");
}

#[test]
fn status_tells_what_was_asked_and_under_which_conditions() {
    let environment = with_agent();
    environment.configure("groups: {shop: {members: [infra]}}\n");
    let asked = ["submit", AGENT, "fake: answer x", "--context", "it broke", "--goal", "a release"];
    let conditions = ["--caller", "ci", "--group", "shop", "--idle-timeout", "90s"];
    let id = environment.command(asked).args(conditions).run().expect_code(0).stdout;
    environment.command(["wait", id.trim_end()]).run().expect_code(0);
    let told = environment.command(["status", id.trim_end()]).run().expect_code(0).stdout;
    for line in [
        "context    it broke",
        "goal       a release",
        "caller     ci",
        "group      shop",
        "1m 30s of silence",
    ] {
        assert!(told.contains(line), "{line}:\n{told}");
    }
}
