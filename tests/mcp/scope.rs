//! `--agents`: nothing that a client is told names an agent, a directory, a group, a session or a job outside its scope.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{self, ENDLESS};
use test_support::mcp::McpClient;
use test_support::{TestEnvironment, programs, quoted};

/// Two agents of which clients see one, `alpha`; the other one, `gamma`, shares a group with it and has one of its own.
fn two_agents() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for name in ["alpha", "gamma"] {
        environment.project(name);
    }
    environment.configure(
        "groups:\n  both:\n    members:\n      - agent: alpha\n        use_for: openly\n      - agent: gamma\n        \
         use_for: secretly\n  hidden:\n    description: undisclosed\n    members:\n      - agent: gamma\n        \
         use_for: secretly\n",
    );
    environment
}

fn run(environment: &TestEnvironment, arguments: &[&str]) -> Value {
    let output = environment.command(arguments).run();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Who is not to be named, and what belongs to it.
struct Secrets(Vec<String>);

impl Secrets {
    fn new(environment: &TestEnvironment, more: &[&str]) -> Self {
        let directory = environment.root().join("projects/gamma").display().to_string();
        let mut secrets: Vec<String> =
            ["gamma", "secretly", "hidden", "undisclosed"].into_iter().map(str::to_owned).collect();
        secrets.push(directory);
        secrets.extend(more.iter().map(|secret| (*secret).to_owned()));
        Self(secrets)
    }

    /// Panics if the text has a secret that was not part of the question.
    #[track_caller]
    fn assert_kept(&self, question: &Value, answer: &Value) {
        let (question, answer) = (question.to_string(), answer.to_string());
        for secret in self.0.iter().filter(|secret| !question.contains(*secret)) {
            assert!(!answer.contains(secret), "{secret} is told.\nasked: {question}\nanswered: {answer}");
        }
    }
}

/// A client that can do everything within its scope, tasks included.
fn scoped(environment: &TestEnvironment, secrets: &Secrets) -> McpClient {
    let mut client = McpClient::spawn(environment, ["--agents", "alpha", "--allow-configure"]);
    let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let about = client.initialize("2025-11-25", "test", tasks);
    secrets.assert_kept(&Value::Null, &about);
    client
}

#[track_caller]
fn ask(client: &mut McpClient, secrets: &Secrets, tool: &str, arguments: &Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    let id = client.request("tools/call", params.clone());
    let reply = client.reply(id);
    secrets.assert_kept(&params, &reply);
    reply["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"))
}

#[test]
fn no_answer_names_what_is_outside_the_scope() {
    let environment = two_agents();
    let session = run(&environment, &["run", "gamma", "fake: answer classified", "--json"])["session_id"]
        .as_str()
        .expect("a session")
        .to_owned();
    let foreign = environment.command(["submit", "gamma", ENDLESS]).run().expect_code(0).stdout;
    let foreign = foreign.trim();
    scene::wait_for_status(&environment, foreign, "running");
    let secrets = Secrets::new(&environment, &[&session, foreign, "classified"]);
    let mut client = scoped(&environment, &secrets);
    for (tool, arguments) in [
        ("list_agents", json!({})),
        ("list_agents", json!({"name": "alpha"})),
        ("list_agents", json!({"name": "gamma"})),
        ("list_agents", json!({"name": "gamm"})),
        ("list_agents", json!({"group": "both"})),
        ("list_agents", json!({"group": "hidden"})),
        ("list_agents", json!({"group": "hidde"})),
        ("dispatch", json!({"agent": "gamma", "task": "x"})),
        ("dispatch", json!({"agent": "gamm", "task": "x"})),
        ("dispatch", json!({"agent": "alpha", "task": "x", "group": "hidden"})),
        ("dispatch", json!({"agent": "alpha", "task": "x", "group": "hidde"})),
        ("dispatch", json!({"agent": "alpha", "task": "x", "session_id": session})),
        ("dispatch", json!({"agent": "alpha", "task": "fake: answer x", "group": "both"})),
        (
            "dispatch_parallel",
            json!({"dispatches": [{"agent": "gamma", "task": "x"}, {"agent": "gamm", "task": "x"}]}),
        ),
        ("dispatch_parallel", json!({"dispatches": [{"agent": "alpha", "task": "x", "group": "hidde"}]})),
        (
            "dispatch_parallel",
            json!({"dispatches": [{"agent": "alpha", "task": "x", "session_id": session}]}),
        ),
        ("dispatch_parallel", json!({"dispatches": [{"agent": "alpha", "task": "x"}], "aggregate": "gamm"})),
        ("dispatch_dialogue", json!({"requester": "alpha", "responder": "gamm", "topic": "x"})),
        ("dispatch_dialogue", json!({"requester": "gamma", "responder": "alpha", "topic": "x"})),
        ("dispatch_jobs", json!({})),
        ("dispatch_jobs", json!({"agent": "gamma"})),
        ("dispatch_jobs", json!({"agent": "gamm"})),
        ("dispatch_jobs", json!({"status": "running"})),
        ("configure_agent", json!({"action": "update", "name": "gamma", "model": "x"})),
        ("configure_agent", json!({"action": "remove", "name": "gamm"})),
        ("configure_agent", json!({"action": "add", "name": "gamma", "directory": environment.root()})),
    ] {
        ask(&mut client, &secrets, tool, &arguments);
    }
    // Its own agent's part in the group it shares is told.
    let group = ask(&mut client, &secrets, "list_agents", &json!({"group": "both"}));
    assert!(text(&group).contains("openly"), "{group}");
    let refused = ask(
        &mut client,
        &secrets,
        "dispatch",
        &json!({"agent": "alpha", "task": "x", "session_id": session}),
    );
    let expected = "session ID is none that a job of the agents there are has had. Leave session_id out";
    assert!(text(&refused).replace(&session, "ID").starts_with(expected), "{refused}");
    // One that nobody knows, or that the user has begun somewhere, is refused in the same words.
    let unknown = "6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb";
    let same = ask(
        &mut client,
        &secrets,
        "dispatch",
        &json!({"agent": "alpha", "task": "x", "session_id": unknown}),
    );
    assert_eq!(text(&refused).replace(&session, "ID"), text(&same).replace(unknown, "ID"));
    // Its own goes on.
    let own = ask(&mut client, &secrets, "dispatch", &json!({"agent": "alpha", "task": "fake: answer x"}));
    let own = &own["structuredContent"]["session_id"];
    let more = json!({"agent": "alpha", "task": "fake: answer y", "session_id": own});
    let on = ask(&mut client, &secrets, "dispatch", &more);
    assert_eq!(
        (&on["structuredContent"]["result"], &on["structuredContent"]["session_id"]),
        (&json!("y"), own)
    );
    assert_eq!(environment.job_ids().len(), 5, "{:?}", environment.job_ids());
    scene::cancel(&environment, foreign);
}

#[test]
fn a_job_outside_the_scope_does_not_exist_whoever_knows_its_id() {
    let environment = two_agents();
    let foreign = environment.command(["submit", "gamma", ENDLESS]).run().expect_code(0).stdout;
    let foreign = foreign.trim();
    scene::wait_for_status(&environment, foreign, "running");
    let unknown = format!("0190{}", "0".repeat(28));
    let secrets = Secrets::new(&environment, &[]);
    let mut client = scoped(&environment, &secrets);
    for (tool, more) in [
        ("dispatch_result", json!({"wait_seconds": 0})),
        ("dispatch_result", json!({"part": "log"})),
        ("dispatch_result", json!({"part": "stderr"})),
        ("dispatch_cancel", json!({})),
    ] {
        let told = [unknown.as_str(), foreign].map(|id| {
            let mut arguments = more.clone();
            arguments["job_id"] = id.into();
            let result = ask(&mut client, &secrets, tool, &arguments);
            assert_eq!(result["isError"], true, "{result}");
            text(&result).replace(id, "ID")
        });
        assert!(told[0].starts_with("there is no job ID"), "{told:?}");
        assert_eq!(told[0], told[1], "{tool} {more}");
    }
    for method in ["tasks/get", "tasks/cancel"] {
        let told = [unknown.as_str(), foreign].map(|id| {
            let (code, message) = client.ask_in_vain(method, json!({"taskId": id}));
            (code, message.replace(id, "ID"))
        });
        assert_eq!(told[0], told[1], "{method}");
    }
    assert_eq!(environment.record(foreign)["status"], "running");
    scene::cancel(&environment, foreign);
}

#[test]
fn damaged_records_and_a_damaged_config_are_told_without_what_they_are_about() {
    let environment = two_agents();
    let foreign = environment.command(["submit", "gamma", "fake: answer x"]).run().expect_code(0).stdout;
    let foreign = foreign.trim().to_owned();
    scene::wait_for_status(&environment, &foreign, "done");
    let record = environment.jobs_directory().join(format!("{foreign}.json"));
    fs::write(&record, "{\"agent\": \"gamma\"").expect("a damaged record");
    let secrets = Secrets::new(&environment, &[&foreign]);
    let mut client = scoped(&environment, &secrets);
    // A client that looks it up by its id leaves it where it is.
    ask(&mut client, &secrets, "dispatch_result", &json!({"job_id": foreign}));
    assert!(record.exists());
    let listed = ask(&mut client, &secrets, "dispatch_jobs", &json!({}));
    assert_eq!(listed["structuredContent"], json!({"jobs": []}));
    assert!(record.exists(), "nor does one that lists jobs");
    // Somebody who may know is told, once.
    let told = McpClient::connect(&environment).call("dispatch_jobs", json!({})).expect_success();
    assert!(told.text.contains(&foreign), "{told:?}");

    let config = fs::read_to_string(environment.config()).expect("the config");
    environment.write_config(&config.replacen("  gamma:\n", "  gamma:\n    timeout: never\n", 1));
    for (tool, arguments) in [
        ("list_agents", json!({})),
        ("dispatch", json!({"agent": "alpha", "task": "x"})),
        ("dispatch_jobs", json!({})),
        ("dispatch_parallel", json!({"dispatches": [{"agent": "alpha", "task": "x"}]})),
        ("configure_agent", json!({"action": "update", "name": "alpha", "model": "haiku"})),
        ("configure_agent", json!({"action": "add", "name": "alpha", "directory": environment.root()})),
    ] {
        let refused = ask(&mut client, &secrets, tool, &arguments);
        assert!(
            text(&refused).starts_with("the server's config cannot be used. Ask the user: `agent-dispatch "),
            "{tool}: {refused}"
        );
    }
}

#[test]
fn a_client_that_lists_jobs_leaves_the_lost_jobs_of_others_as_they_are() {
    let environment = two_agents();
    let [own, foreign] = ["alpha", "gamma"].map(|agent| {
        let id = environment.command(["submit", agent, "fake: answer x"]).run().expect_code(0).stdout;
        let id = id.trim().to_owned();
        scene::wait_for_status(&environment, &id, "done");
        // As the record of a supervisor that was killed is.
        let mut record = environment.record(&id);
        record["status"] = "running".into();
        record.as_object_mut().expect("an object").retain(|key, _| key != "result" && key != "completed_at");
        let path = environment.jobs_directory().join(format!("{id}.json"));
        fs::write(path, record.to_string()).expect("a record");
        id
    });
    let mut client = McpClient::spawn(&environment, ["--agents", "alpha", "--read-only"]);
    client.initialize("2025-11-25", "test", json!({}));
    let listed = client.call("dispatch_jobs", json!({})).expect_success();
    assert!(listed.text.contains(&own), "{listed:?}");
    assert_ne!(environment.record(&own)["status"], "running");
    assert_eq!(environment.record(&foreign)["status"], "running");
    let lock = environment.jobs_directory().join(format!(".run/{foreign}.lock"));
    assert!(!lock.exists(), "not even a lock was left");
}

#[test]
fn a_job_within_the_scope_does_not_tell_of_jobs_outside_it() {
    let environment = two_agents();
    // A dialogue's turns are given to each agent in the name of the other one.
    environment.command(["dialogue", "gamma", "alpha", "fake: answer [RESOLVED]"]).run();
    environment.command(["dialogue", "alpha", "gamma", "fake: answer x", "--max-rounds", "1"]).run();
    let failing = ["submit", "gamma", "fake: is-error 500 classified"];
    let failing = environment.command(failing).run().expect_code(0).stdout;
    let failing = failing.trim();
    let waiting = ["submit", "alpha", "fake: answer x", "--after", failing];
    let waiting = environment.command(waiting).run().expect_code(0).stdout;
    let waiting = waiting.trim();
    scene::wait_for_status(&environment, waiting, "failed");
    assert!(
        environment.record(waiting).to_string().contains("classified"),
        "{}",
        environment.record(waiting)
    );
    let secrets = Secrets::new(&environment, &[failing, "classified"]);
    let mut client = scoped(&environment, &secrets);
    let listed = ask(&mut client, &secrets, "dispatch_jobs", &json!({}));
    let jobs = listed["structuredContent"]["jobs"].as_array().expect("jobs");
    assert!(jobs.len() >= 2 && jobs.iter().all(|job| job["agent"] == "alpha"), "{listed}");
    let told = ask(&mut client, &secrets, "dispatch_result", &json!({"job_id": waiting}));
    assert!(text(&told).contains("a job that it waited for has no answer"), "{told}");
    let id = client.request("tasks/get", json!({"taskId": waiting}));
    secrets.assert_kept(&Value::Null, &client.reply(id));
}

#[test]
fn a_stop_takes_along_jobs_outside_the_scope_and_does_not_name_them() {
    let environment = two_agents();
    let nest = format!("shell {} submit gamma 'fake: hang'; sleep 600", quoted(programs::agent_dispatch()));
    environment.script("alpha", &nest);
    let secrets = Secrets::new(&environment, &[]);
    let mut client = scoped(&environment, &secrets);
    let own =
        ask(&mut client, &secrets, "dispatch", &json!({"agent": "alpha", "task": "go", "background": true}));
    let own = own["structuredContent"]["job_id"].as_str().expect("an id").to_owned();
    scene::wait_for_agent(&environment, "gamma", "running");
    let foreign = environment.job_ids().into_iter().find(|id| *id != own).expect("two jobs");
    let secrets = Secrets::new(&environment, &[&foreign]);
    let stopped = ask(&mut client, &secrets, "dispatch_cancel", &json!({"job_id": own}));
    assert_eq!(stopped["structuredContent"]["status"], "cancelled", "{stopped}");
    scene::wait_for_agent(&environment, "gamma", "cancelled");
    ask(&mut client, &secrets, "dispatch_result", &json!({"job_id": own}));
}

#[test]
fn without_a_scope_all_of_it_is_told() {
    let environment = two_agents();
    let session = run(&environment, &["run", "gamma", "fake: answer x", "--json"])["session_id"].clone();
    let mut client = McpClient::connect(&environment);
    let refused =
        client.call("dispatch", json!({"agent": "alpha", "task": "x", "session_id": session})).expect_error();
    assert!(refused.text.contains("gamma"), "{refused:?}");
    let refused = client.call("list_agents", json!({"name": "gamm"})).expect_error();
    assert!(refused.text.contains("Did you mean gamma?"), "{refused:?}");
}
