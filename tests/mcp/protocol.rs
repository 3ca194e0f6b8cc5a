//! The protocol: both eras, and whatever a client may send that it should not.

use serde_json::{Value, json};

use crate::scene::{self, task, with_agent};
use test_support::mcp::{Era, McpClient, SESSION};
use test_support::{PATIENCE, TestEnvironment, wait_until};

const ERAS: [Era; 3] = [Era::Session("2025-06-18"), SESSION, Era::Stateless];

#[test]
fn clients_of_every_era_list_tools_and_get_an_answer() {
    let environment = with_agent();
    for era in ERAS {
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        let tools = client.ask("tools/list", json!({}));
        assert_eq!(tools["tools"][0]["name"], "dispatch", "{era:?}");
        assert_eq!(tools.get("nextCursor"), None);
        let called = client.call("dispatch", task("fake: answer hello")).expect_success();
        assert_eq!(called.field("result"), "hello", "{era:?}");
    }
}

#[test]
fn a_session_begins_on_the_revision_that_was_asked_for_or_on_the_newest_with_sessions() {
    let environment = with_agent();
    for (asked, agreed) in
        [("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")]
    {
        let mut client = McpClient::spawn(&environment, [""; 0]);
        let about = client.initialize(asked, "test", json!({}));
        assert_eq!(about["protocolVersion"], agreed);
        check_about(&about);
    }
}

#[test]
fn a_stateless_client_discovers_the_server() {
    let environment = with_agent();
    let mut client = McpClient::connect_as(&environment, [""; 0], Era::Stateless, "test");
    let about = client.ask("server/discover", json!({}));
    let revisions = about["supportedVersions"].as_array().expect("revisions");
    assert!(revisions.contains(&json!("2026-07-28")), "{about}");
    check_about(&json!({
        "serverInfo": about["_meta"]["io.modelcontextprotocol/serverInfo"],
        "instructions": about["instructions"],
        "capabilities": about["capabilities"],
    }));
    assert_eq!(about["resultType"], "complete");
    let tools = client.ask("tools/list", json!({}));
    assert_eq!(tools["resultType"], "complete");
    assert!(tools["ttlMs"].is_number() && tools["cacheScope"].is_string(), "{tools}");
}

#[track_caller]
fn check_about(about: &Value) {
    assert_eq!(about["serverInfo"]["name"], "agent-dispatch", "{about}");
    assert_eq!(about["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(about["capabilities"]["tools"].is_object(), "{about}");
    let instructions = about["instructions"].as_str().expect("instructions");
    assert!(instructions.contains(scene::AGENT), "{instructions}");
    assert!(instructions.chars().count() <= 1_500, "{instructions}");
}

#[test]
fn the_instructions_stay_short_and_name_agents_however_many_there_are() {
    let environment = TestEnvironment::new();
    let directory = environment.project("first");
    let mut config = String::from("agents:\n");
    for number in 0..300 {
        config += &format!("  agent-{number}:\n    directory: {}\n", directory.display());
    }
    config += "groups:\n";
    for number in 0..100 {
        config += &format!("  group-{number}:\n    members:\n      - agent: agent-0\n        use_for: all\n");
    }
    environment.write_config(&config);
    let mut client = McpClient::spawn(&environment, [""; 0]);
    let about = client.initialize("2025-11-25", "test", json!({}));
    let instructions = about["instructions"].as_str().expect("instructions");
    assert!(instructions.chars().count() <= 1_500, "{}: {instructions}", instructions.chars().count());
    assert!(instructions.contains("Agents: agent-0, agent-1"), "{instructions}");
    for (tool, arguments) in
        [("dispatch", json!({"agent": "agnet-7", "task": "x"})), ("list_agents", json!({"name": "agnet-7"}))]
    {
        let text = client.call(tool, arguments).expect_error().text;
        assert!(text.contains(". Did you mean agent-7? The agents are agent-0, agent-1, "), "{tool}: {text}");
        assert!(text.contains(", …; list_agents") && text.len() < 700, "{tool}: {text}");
    }
}

#[test]
fn a_server_without_a_config_and_with_a_broken_one_says_what_to_do() {
    let environment = TestEnvironment::new();
    let mut client = McpClient::connect(&environment);
    let called = client.call("list_agents", json!({})).expect_success();
    assert_eq!(called.structured["agents"], json!([]));
    assert!(called.field("next").contains("agent-dispatch agents add"), "{called:?}");
    let refused = client.call("dispatch", scene::task("x")).expect_error();
    assert!(
        refused.text.contains("there are no agents. add one with `agent-dispatch agents add"),
        "{refused:?}"
    );
    environment.write_config("agents: [");
    let called = client.call("list_agents", json!({})).expect_error();
    assert!(called.text.contains("agents.yaml"), "{called:?}");
    // A change of the config holds for the next call.
    environment.write_config("agents:\n");
    environment.project("late");
    let called = client.call("list_agents", json!({})).expect_success();
    assert_eq!(called.structured["agents"][0]["name"], "late");
}

#[test]
fn pings_are_answered_before_and_in_a_session() {
    let environment = with_agent();
    let mut client = McpClient::spawn(&environment, [""; 0]);
    assert_eq!(client.ask("ping", json!({})), json!({}));
    client.initialize("2025-11-25", "test", json!({}));
    assert_eq!(client.ask("ping", json!({})), json!({}));
}

#[test]
fn unknown_methods_and_wrong_parameters_get_the_right_codes() {
    let environment = with_agent();
    for era in ERAS {
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        client.ask("tools/list", json!({}));
        for (method, params, expected) in [
            ("tools/explode", json!({}), -32601),
            ("tools/call", json!({}), -32602),
            ("tools/call", json!({"name": 5}), -32602),
            ("tools/call", json!({"name": "dispatch", "arguments": "agent"}), -32602),
            ("tools/call", json!({"name": "dispatch", "arguments": ["agent"]}), -32602),
            ("tools/call", json!({"name": "no_such_tool", "arguments": {}}), -32602),
        ] {
            let (code, message) = client.ask_in_vain(method, params.clone());
            assert_eq!(code, expected, "{era:?}: {method} {params}: {message}");
        }
        let (_, message) = client.ask_in_vain("tools/call", json!({"name": "no_such_tool"}));
        assert!(message.contains("'no_such_tool'") && message.contains("dispatch_result"), "{message}");
    }
}

#[test]
fn what_the_server_does_not_offer_is_a_method_that_does_not_exist() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for method in [
        "resources/read",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "resources/subscribe",
        "tasks/update",
    ] {
        for params in [json!({}), json!({"name": 5, "uri": 5, "level": "loud", "taskId": []})] {
            let (code, message) = client.ask_in_vain(method, params);
            assert_eq!(code, -32601, "{method}: {message}");
        }
    }
}

#[test]
fn every_id_is_answered_whatever_is_wrong_with_the_request() {
    let environment = with_agent();
    for era in ERAS {
        let mut client = McpClient::connect_as(&environment, [""; 0], era, "test");
        for (line, id, code) in [
            (r#"{"id":"no-version","method":"ping"}"#, json!("no-version"), -32600),
            (r#"{"jsonrpc":"1.0","id":901,"method":"ping"}"#, json!(901), -32600),
            (r#"{"jsonrpc":"2.0","id":902,"method":5}"#, json!(902), -32600),
            (r#"{"jsonrpc":"2.0","id":903}"#, json!(903), -32600),
            // MCP's parameters are an object.
            (r#"{"jsonrpc":"2.0","id":904,"method":"nothing","params":[1]}"#, json!(904), -32602),
            (r#"{"jsonrpc":"2.0","id":905,"method":"tools/call","params":"x"}"#, json!(905), -32602),
            (r#"{"jsonrpc":"2.0","id":906,"method":5,"params":{}}"#, json!(906), -32600),
        ] {
            client.write_line(line);
            let reply = client.reply(id);
            assert_eq!(reply["error"]["code"], code, "{era:?}: {line}: {reply}");
        }
        assert_still_works(&mut client);
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_the_session_goes_on() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let lines: [(&[u8], i64); 9] = [
        (b"{\"jsonrpc\":", -32700),
        (b"hello", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\xfe\",\"method\":\"ping\"}", -32700),
        (b"\0\0\0\0", -32700),
        (b"[]", -32600),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1001,\"method\":\"ping\"}]", -32600),
        (b"42", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600),
    ];
    for (number, (line, code)) in lines.into_iter().enumerate() {
        client.write_line(line);
        let refusal = client.refusal(number);
        assert_eq!(refusal["error"]["code"], code, "{}: {refusal}", String::from_utf8_lossy(line));
    }
    assert_still_works(&mut client);
    assert_eq!(client.reply_so_far(1001), None, "what a batch contains is not carried out");
}

#[test]
fn what_needs_no_answer_gets_none() {
    let environment = with_agent();
    let mut client = McpClient::spawn(&environment, [""; 0]);
    // A notification and an answer to nothing before the session, as clients that restart send them.
    client.notify("notifications/initialized", json!({}));
    client.notify("notifications/cancelled", json!({"requestId": 1}));
    client.write_line(r#"{"jsonrpc":"2.0","id":77,"result":{}}"#);
    client.initialize("2025-11-25", "test", json!({}));
    for line in [
        "",
        "\r",
        "   ",
        r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":5}"#,
        r#"{"jsonrpc":"2.0","id":77,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":78,"error":{"code":1,"message":"x"}}"#,
        r#"{"method":"x"}"#,
    ] {
        client.write_line(line);
    }
    assert_still_works(&mut client);
    assert_eq!(client.refusals(), [Value::Null; 0]);
    assert!(client.notifications().is_empty());
}

#[test]
fn line_ends_of_every_kind_and_a_byte_order_mark_are_read() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    client.write_line("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":\"bom\",\"method\":\"ping\"}");
    client.write_line("{\"jsonrpc\":\"2.0\",\"id\":\"crlf\",\"method\":\"ping\"}\r");
    client.write_line("\n\n{\"jsonrpc\":\"2.0\",\"id\":\"blank\",\"method\":\"ping\"}\n\r\n");
    for id in ["bom", "crlf", "blank"] {
        assert_eq!(client.reply(id)["result"], json!({}), "{id}");
    }
}

#[test]
fn an_id_of_any_kind_comes_back_as_it_was() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    for id in [json!("a\"b\u{e9}"), json!(""), json!(0), json!(-7), json!(9_007_199_254_740_993_i64)] {
        client.write_line(json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string());
        assert_eq!(client.reply(id.clone())["result"], json!({}), "{id}");
    }
}

#[test]
fn a_task_too_long_is_refused_and_so_is_a_line_too_long() {
    let environment = with_agent();
    let mut client = McpClient::connect(&environment);
    let called = client.call("dispatch", task(&"x".repeat(20_000_000))).expect_error();
    assert!(called.text.contains("task") && called.text.len() < 500, "{called:?}");
    client.write_line("x".repeat(70_000_000));
    let refusal = client.refusal(0);
    assert_eq!(refusal["error"]["code"], -32600, "{refusal}");
    assert!(refusal["error"]["message"].as_str().expect("a text").contains("64 MiB"), "{refusal}");
    assert_eq!(environment.job_ids(), [""; 0]);
    assert_still_works(&mut client);
}

#[test]
fn a_stateless_request_that_does_not_say_who_asks_is_told_what_is_missing() {
    let environment = with_agent();
    let mut client = McpClient::spawn(&environment, [""; 0]);
    let (code, message) = client.ask_in_vain("tools/list", json!({}));
    assert_eq!(code, -32602);
    assert!(message.contains("io.modelcontextprotocol/protocolVersion"), "{message}");
    client.be_stateless("test", json!({}));
    let (_, message) = client.ask_in_vain(
        "tools/list",
        json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}}),
    );
    assert!(message.contains("2099-01-01") || message.to_lowercase().contains("version"), "{message}");
    assert_still_works(&mut client);
}

/// A whole call, through the store and back.
#[track_caller]
fn assert_still_works(client: &mut McpClient) {
    let called = client.call("dispatch", task("fake: answer still here")).expect_success();
    assert_eq!(called.field("result"), "still here");
}

#[test]
fn streams_that_do_not_block_are_served_like_others() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;

    let environment = with_agent();
    // A socket, which cannot be opened anew in another mode as a pipe can.
    let (near, far) = UnixStream::pair().expect("a socket");
    far.set_nonblocking(true).expect("a socket");
    let mut command = environment.command(["serve-mcp"]).into_command();
    let handle = || std::os::fd::OwnedFd::from(far.try_clone().expect("a descriptor"));
    let mut server = command.stdin(handle()).stdout(handle()).spawn().expect("a process");
    drop((command, far));
    near.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut answers = BufReader::new(near.try_clone().expect("a descriptor"));
    let mut ask = |message: Value| {
        writeln!(&near, "{message}").expect("the server reads");
        let mut line = String::new();
        answers.read_line(&mut line).expect("the server answers");
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: '{line}'"))
    };
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let about = ask(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}));
    assert_eq!(about["result"]["serverInfo"]["name"], "agent-dispatch", "{about}");
    // Sooner or later the server reads before there is something to read.
    for id in 10..40 {
        assert_eq!(ask(json!({"jsonrpc": "2.0", "id": id, "method": "ping"}))["id"], id);
    }
    // The answer is longer than a socket holds.
    let call = json!({"name": "dispatch", "arguments": task("fake: answer-bytes 1000000")});
    let answer = ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}));
    assert_eq!(answer["id"], 2, "{answer}");
    near.shutdown(std::net::Shutdown::Both).expect("a socket");
    wait_until(PATIENCE, "the server goes when its client has gone", || {
        server.try_wait().expect("a child").is_some()
    });
}

#[test]
fn nothing_that_comes_before_a_session_ends_the_server() {
    let environment = with_agent();
    let too_new = json!({"io.modelcontextprotocol/protocolVersion": "2099-01-01",
                         "io.modelcontextprotocol/clientCapabilities": {}});
    let unreadable = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": 5}});
    let lame = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t"}});
    for (method, params, reason) in [
        ("initialize", lame, "missing field `version`"),
        ("initialize", json!({}), "missing field `protocolVersion`"),
        (
            "initialize",
            json!({"protocolVersion": 5, "capabilities": {}, "clientInfo": {}}),
            "the parameters of initialize",
        ),
        ("tools/list", json!({}), "send initialize first"),
        ("tools/list", unreadable, "send initialize first"),
        ("tools/list", json!({"_meta": too_new}), "version"),
        ("tools/call", json!({"name": 5}), "send initialize first"),
        ("tasks/cancel", json!({"taskId": "x"}), "send initialize first"),
        ("server/discover", json!({}), "_meta"),
        ("nothing/at/all", json!({}), "send initialize first"),
    ] {
        let mut client = McpClient::spawn(&environment, [""; 0]);
        let (_, message) = client.ask_in_vain(method, params.clone());
        assert!(message.to_lowercase().contains(&reason.to_lowercase()), "{method} {params}: {message}");
        // What clients send next, whatever they were told, and what else could come.
        for line in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}"#,
            r#"{"method":"x"}"#,
        ] {
            client.write_line(line);
        }
        client.write_line(r#"{"jsonrpc":"2.0","id":1.5,"method":"initialize","params":{}}"#);
        assert_eq!(client.refusal(0)["error"]["code"], -32600, "{method} {params}");
        client.initialize("2025-11-25", "test", json!({}));
        // A second session on the same streams, as clients that restart open it.
        client.initialize("2025-11-25", "test", json!({}));
        assert_eq!(client.ask("ping", json!({})), json!({}), "{method} {params}");
        assert_still_works(&mut client);
    }
}

#[test]
fn a_stateless_client_may_send_notifications_before_its_first_request() {
    let environment = with_agent();
    let mut client = McpClient::spawn(&environment, [""; 0]);
    client.notify("notifications/initialized", json!({}));
    client.be_stateless("test", json!({}));
    client.ask("server/discover", json!({}));
    client.notify("notifications/initialized", json!({}));
    assert_still_works(&mut client);
}

#[test]
fn a_server_that_cannot_read_says_so() {
    let environment = with_agent();
    let mut command = environment.command(["serve-mcp"]).into_command();
    command.stdin(std::fs::File::open(environment.root()).expect("a directory"));
    let output = command.output().expect("the server runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("failed to read standard input: "), "{stderr}");
}
