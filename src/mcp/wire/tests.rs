use super::*;

fn code_and_id(line: &str) -> Option<(i32, Option<Value>)> {
    match understand(line.as_bytes()) {
        Understood::Refused(error, id) => Some((error.code.0, id.map(RequestId::into_json_value))),
        Understood::Message(_) | Understood::Nothing => None,
    }
}

#[test]
fn whatever_has_an_id_is_answered_with_it() {
    let invalid = -32600;
    for (line, id) in [
        (r#"{"id":7,"method":"ping"}"#, Some(7.into())),
        (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, Some("a".into())),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, Some(1.into())),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, None),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, None),
        ("[]", None),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None),
        ("5", None),
    ] {
        assert_eq!(code_and_id(line), Some((invalid, id)), "{line}");
    }
    let listed = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["run"]}"#;
    assert_eq!(code_and_id(listed), Some((-32602, Some(1.into()))));
}

#[test]
fn what_is_no_json_is_a_parse_error_and_what_needs_no_answer_gets_none() {
    assert_eq!(code_and_id("{\"jsonrpc\":"), Some((-32700, None)));
    for silent in
        ["", " \r", r#"{"method":"x"}"#, r#"{"id":1,"result":5}"#, r#"{"jsonrpc":"2.0","method":5}"#]
    {
        assert!(matches!(understand(silent.as_bytes()), Understood::Nothing), "{silent}");
    }
    for message in [
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
        r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#,
    ] {
        assert!(matches!(understand(message.as_bytes()), Understood::Message(_)), "{message}");
    }
}
