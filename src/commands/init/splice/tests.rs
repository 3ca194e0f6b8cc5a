use super::*;
use serde_json::json;

#[test]
fn an_element_is_laid_out_like_those_before_it() {
    let value = json!({"a": [1]});
    for (document, expected) in [
        ("{}", "{\n  \"k\": {\n    \"a\": [\n      1\n    ]\n  }\n}"),
        ("{ \n }", "{\n  \"k\": {\n    \"a\": [\n      1\n    ]\n  }\n}"),
        ("{\"x\":1}", "{\"x\":1, \"k\": {\"a\":[1]}}"),
        ("{ \"x\":1 }", "{ \"x\":1, \"k\": {\"a\":[1]} }"),
        ("{\n\t\"x\":1\n}", "{\n\t\"x\":1,\n\t\"k\": {\n\t\t\"a\": [\n\t\t\t1\n\t\t]\n\t}\n}"),
        ("{\r\n \"x\" : 1\r\n}", "{\r\n \"x\" : 1,\r\n \"k\": {\r\n  \"a\": [\r\n   1\r\n  ]\r\n }\r\n}"),
    ] {
        let new = append(document, 0, &Style::of(document), Some("k"), &value);
        assert_eq!(new, expected);
        assert_eq!(serde_json::from_str::<Value>(&new).unwrap()["k"], value);
    }
    let style = Style::of("{\n  \"x\": [\n    1\n  ]\n}");
    assert_eq!(append("[\n    1\n  ]", 1, &style, None, &json!(2)), "[\n    1,\n    2\n  ]");
    assert_eq!(append("[]", 1, &style, None, &json!(2)), "[\n    2\n  ]");
}

#[test]
fn a_part_is_replaced_where_it_is_and_nowhere_else() {
    let text = "{ \"a\": \"x\", \"b\" :\"x\" }";
    let parts: indexmap::IndexMap<String, &RawValue> = serde_json::from_str(text).unwrap();
    assert_eq!(replace(text, parts["b"], "[]"), "{ \"a\": \"x\", \"b\" :[] }");
}
