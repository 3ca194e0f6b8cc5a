use super::*;

#[test]
fn what_is_not_shown_is_escaped_and_the_document_is_the_same() {
    let value = serde_json::json!({
        "C1\u{9b}": "\u{1b}]0;x\u{7} \u{7f} \u{202e}abc\u{202c} \u{e0041} 👩\u{200d}💻 a\u{200d}", "e\u{301}": ["ü", 1.5]
    });
    let mut written = Vec::new();
    serde_json::to_writer_pretty(Escaping::new(&mut written), &value).expect("JSON");
    let text = String::from_utf8(written).expect("UTF-8");
    assert!(text.contains(r"\u009b") && text.contains(r"\u007f \u202eabc\u202c \udb40\udc41"), "{text}");
    assert!(text.contains("👩\u{200d}💻 a\\u200d") && text.contains("ü"), "{text}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
}
