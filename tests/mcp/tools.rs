//! What a client sees of the tools, and what they take.

use serde_json::{Value, json};

use crate::scene::{ENDLESS, task_with, with_agent};
use test_support::mcp::McpClient;
use test_support::snapshots;

/// The lists that are kept, by what the server was told.
const LISTS: [(&str, &[&str]); 4] = [
    ("default", &[]),
    ("read-only", &["--read-only"]),
    ("allow-configure", &["--allow-configure"]),
    ("agents", &["--agents", "infra"]),
];

fn tools(arguments: &[&str]) -> Vec<Value> {
    let environment = with_agent();
    let mut client = McpClient::connect_with(&environment, arguments);
    client.ask("tools/list", json!({}))["tools"].as_array().expect("tools").clone()
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect()
}

#[test]
fn the_tools_are_those_of_the_snapshots() {
    let lists = LISTS.map(|(name, arguments)| {
        let text = serde_json::to_string_pretty(&tools(arguments)).expect("JSON") + "\n";
        (format!("tools-{name}.json"), text)
    });
    snapshots::assert_kept("tests/mcp/snapshots", &lists.into());
}

#[test]
fn what_a_model_sees_of_the_tools_is_short() {
    let tools = tools(&[]);
    let seen = |tool: &Value| {
        let text = |name: &str| tool[name].as_str().expect("a text").len();
        text("name") + text("description") + tool["inputSchema"].to_string().len()
    };
    let visible: usize = tools.iter().map(seen).sum();
    assert!(visible <= 5_000, "{visible} bytes");
    let total = Value::from(tools).to_string().len();
    assert!(total <= 8_000, "{total} bytes");
}

#[test]
fn the_schemas_have_nothing_that_clients_stumble_over() {
    for (name, arguments) in LISTS {
        for tool in tools(arguments) {
            for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
                assert_eq!(schema["type"], "object", "{tool}");
                check_schema(schema, name);
            }
            assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
            assert!(tool["title"].is_string(), "{tool}");
            jsonschema::meta::validate(&tool["inputSchema"]).expect("a JSON Schema");
            jsonschema::meta::validate(&tool["outputSchema"]).expect("a JSON Schema");
        }
    }
}

#[track_caller]
fn check_schema(schema: &Value, place: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                let bad = ["format", "$ref", "$defs", "$schema", "definitions", "anyOf", "nullable"];
                assert!(!bad.contains(&name.as_str()), "{place}: {name}");
                check_schema(value, place);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_schema(item, place)),
        _ => {}
    }
}

#[test]
fn a_client_is_offered_what_it_was_given() {
    let everything = [
        "dispatch",
        "dispatch_parallel",
        "dispatch_dialogue",
        "dispatch_result",
        "dispatch_jobs",
        "dispatch_cancel",
        "dispatch_gc",
        "list_agents",
    ];
    assert_eq!(names(&tools(&[])), everything);
    assert_eq!(names(&tools(&["--read-only"])), ["dispatch_result", "dispatch_jobs", "list_agents"]);
    assert_eq!(names(&tools(&["--allow-configure"])).last(), Some(&"configure_agent"));
    assert!(!names(&tools(&["--agents", "infra"])).contains(&"dispatch_gc"));
}

#[test]
fn the_annotations_say_what_a_tool_does() {
    for tool in tools(&["--allow-configure"]) {
        let (name, hints) = (tool["name"].as_str().expect("a name"), &tool["annotations"]);
        let looks = ["dispatch_result", "dispatch_jobs", "list_agents"].contains(&name);
        assert_eq!(hints["readOnlyHint"], looks, "{tool}");
        let is = |hint: &str| hints[hint] == true;
        assert_eq!(is("destructiveHint"), !looks, "{tool}");
        assert_eq!(is("idempotentHint"), ["dispatch_cancel", "dispatch_gc"].contains(&name), "{tool}");
        let reaches_out = ["dispatch", "dispatch_parallel", "dispatch_dialogue"].contains(&name);
        assert_eq!(is("openWorldHint"), reaches_out, "{tool}");
    }
}

#[test]
fn an_argument_nobody_knows_is_refused_with_the_one_that_was_meant() {
    let environment = with_agent();
    let mut client = McpClient::connect_with(&environment, ["--allow-configure"]);
    for (tool, arguments, unknown, meant) in [
        ("dispatch", task_with("x", json!({"timeout": 5})), "timeout", "timeout_seconds"),
        ("dispatch", task_with("x", json!({"sessionId": "x"})), "sessionId", "session_id"),
        (
            "dispatch_result",
            json!({"job_id": "0".repeat(32), "wait_second": 5}),
            "wait_second",
            "wait_seconds",
        ),
        ("dispatch_jobs", json!({"state": "done"}), "state", "status"),
        ("dispatch_cancel", json!({"job_id": "0".repeat(32), "jobid": "x"}), "jobid", "job_id"),
        ("dispatch_gc", json!({"max_age": 5}), "max_age", "max_age_days"),
        ("list_agents", json!({"names": "x"}), "names", "name"),
        ("configure_agent", json!({"action": "add", "name": "x", "directry": "/"}), "directry", "directory"),
    ] {
        let text = client.call(tool, arguments).expect_error().text;
        let expected = format!("{tool}: there is no argument {unknown}; did you mean {meant}?");
        assert!(text.starts_with(&expected), "{text}");
    }
    let text = client.call("list_agents", json!({"qqq": 1})).expect_error().text;
    assert!(text.contains("qqq") && !text.contains("did you mean"), "{text}");
    assert!(text.contains("The arguments are name, group"), "{text}");
    assert_eq!(environment.job_ids(), [""; 0]);
}

#[test]
fn a_refusal_reads_as_sentences() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for (tool, arguments) in [
        ("list_agents", json!({"qqq": 1})),
        ("list_agents", json!({"names": 1})),
        ("dispatch", json!({"agent": "infr", "task": "x"})),
        ("dispatch", json!({"agent": "qqq", "task": "x"})),
        ("dispatch_parallel", json!({"dispatches": [{"agent": "qqq", "task": "x"}]})),
        ("dispatch_result", json!({"job_id": "latest"})),
        ("dispatch_result", json!({"job_id": "0".repeat(32)})),
    ] {
        let text = client.call(tool, arguments).expect_error().text;
        for flaw in ["..", "?.", "? .", "  ", ". .", " ."] {
            assert!(!text.contains(flaw), "{flaw:?} in {text:?}");
        }
        // A capital letter begins a sentence, and then something ended the last one.
        let joint = text.match_indices(" The arguments are").all(|(at, _)| text[..at].ends_with(['.', '?']));
        assert!(joint, "{text:?}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_it_must_be() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let id = "0".repeat(32);
    for (tool, arguments, expected) in [
        ("dispatch", json!({"task": "x"}), "agent is missing"),
        ("dispatch", json!({"agent": "infra"}), "task is missing"),
        ("dispatch", json!({"agent": ["infra"], "task": "x"}), "agent must be a string, not [\"infra\"]"),
        ("dispatch", task_with("x", json!({"background": "yes"})), "background must be true or false"),
        ("dispatch", task_with("x", json!({"wait_seconds": "5"})), "wait_seconds must be a number"),
        ("dispatch", task_with("x", json!({"wait_seconds": -1})), "wait_seconds must be a number from 0"),
        ("dispatch", task_with("x", json!({"timeout_seconds": 0})), "must be above zero"),
        ("dispatch", task_with("x", json!({"summary_chars": -1})), "summary_chars must be a whole number"),
        ("dispatch", task_with("x", json!({"summary_chars": 1.5})), "summary_chars must be a whole number"),
        ("dispatch", task_with("x", json!({"response_schema": "x"})), "must be an object"),
        ("dispatch", task_with("x", json!({"response_schema": {"type": 5}})), "schema"),
        ("dispatch_parallel", json!({}), "dispatches is missing"),
        ("dispatch_parallel", json!({"dispatches": {}}), "dispatches must be an array"),
        ("dispatch_parallel", json!({"dispatches": []}), "dispatches is empty"),
        ("dispatch_parallel", json!({"dispatches": ["x"]}), "dispatches[0] must be an object"),
        ("dispatch_result", json!({}), "job_id is missing"),
        ("dispatch_result", json!({"job_id": 5}), "job_id must be a string"),
        ("dispatch_result", json!({"job_id": id, "part": "all"}), "part must be answer, log or stderr"),
        ("dispatch_result", json!({"job_id": id, "offset": "x"}), "offset must be a whole number"),
        (
            "dispatch_jobs",
            json!({"status": "lost"}),
            "status must be pending, running, done, failed or cancelled",
        ),
        ("dispatch_jobs", json!({"limit": "x"}), "limit must be a whole number"),
        ("dispatch_jobs", json!({"limit": 1000}), "limit must be a whole number from 1 to 100, not 1000"),
        ("dispatch_jobs", json!({"limit": 0}), "limit must be a whole number from 1 to 100, not 0"),
        ("dispatch_gc", json!({"max_age_days": -1}), "from 0"),
        ("dispatch_gc", json!({"max_age_days": 36_501}), "to 36500"),
        ("dispatch_gc", json!({}), "say which jobs to delete: max_age_days"),
        ("dispatch_gc", json!({"dry_run": 1}), "dry_run must be true or false"),
        ("list_agents", json!({"name": {}}), "name must be a string"),
        ("list_agents", json!({"group": "x"}), "there is no group 'x'"),
    ] {
        let text = client.call(tool, arguments.clone()).expect_error().text;
        assert!(text.contains(expected), "{tool} {arguments}: {text}");
    }
    assert_eq!(environment.job_ids(), [""; 0]);
}

/// What a tool reads is what its schema has: it names what it reads when it refuses an argument.
#[test]
fn each_tool_reads_the_arguments_that_its_schema_has() {
    let environment = with_agent();
    let mut client = McpClient::connect_with(&environment, &["--allow-configure"]);
    for tool in tools(&["--allow-configure"]) {
        let name = tool["name"].as_str().expect("a name");
        let properties = tool["inputSchema"]["properties"].as_object().expect("properties");
        let required = tool["inputSchema"]["required"].as_array().cloned().unwrap_or_default();
        let value = |key: &str| match (key, properties[key]["type"].as_str()) {
            ("job_id", _) => json!("0".repeat(32)),
            ("dispatches", _) => json!([{"agent": "infra", "task": "x"}]),
            (_, Some("string")) => json!("infra"),
            _ => properties[key]["enum"][0].clone(),
        };
        let mut arguments: serde_json::Map<String, Value> =
            required.iter().filter_map(Value::as_str).map(|key| (key.to_owned(), value(key))).collect();
        arguments.insert("xyzzy".to_owned(), json!(1));
        let text = client.call(name, arguments.into()).expect_error().text;
        let read = text.split_once("The arguments are ").map(|(_, read)| read.split(", ").collect());
        let read: std::collections::BTreeSet<&str> = read.unwrap_or_else(|| panic!("{name}: {text}"));
        let known: std::collections::BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(read, known, "{name}");
    }
}

#[test]
fn null_arguments_are_as_good_as_none() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let arguments =
        json!({"agent": "infra", "task": ENDLESS, "wait_seconds": 0, "session_id": null, "goal": null});
    let id = client.call("dispatch", arguments).expect_success().job();
    client.call("dispatch_jobs", json!({"status": null, "limit": null})).expect_success();
    client.call("dispatch_cancel", json!({"job_id": id})).expect_success();
    // No arguments at all are an empty object.
    let listed = client.ask("tools/call", json!({"name": "list_agents"}));
    assert_eq!(listed["structuredContent"]["agents"][0]["name"], "infra");
}

#[test]
fn the_schemas_say_what_the_calls_say() {
    let tools = tools(&[]);
    let described = |name: &str| tools.iter().find(|tool| tool["name"] == name).expect("a tool");
    let days = &described("dispatch_gc")["inputSchema"]["properties"]["max_age_days"];
    assert_eq!((&days["minimum"], &days["maximum"]), (&json!(0), &json!(36_500)));
    let told = days["description"].as_str().expect("a text");
    assert!(told.contains("all that have finished") && told.contains("job_retention_days"), "{told}");
    // A job id, and no array of them.
    let result = described("dispatch_result");
    assert_eq!(result["inputSchema"]["properties"]["job_id"]["type"], "string");
    assert!(result["description"].as_str().expect("a text").contains("One job a call"), "{result}");
}
