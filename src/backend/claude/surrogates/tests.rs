use super::*;

#[test]
fn lone_halves_become_the_replacement_character() {
    for (json, expected) in [
        (r#""a\ud83d""#, r#""a\ufffd""#),
        (r#""\ude00b""#, r#""\ufffdb""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (r#""\uD83Dx\n\uDE00 ä""#, r#""\ufffdx\n\ufffd ä""#),
    ] {
        assert_eq!(mended(json).as_deref(), Some(expected));
    }
}

#[test]
fn everything_else_stays() {
    for json in ["", "\\", "\"\\", r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""ä\u00e4\"""#, r#""\u12"#, "\\ä€"]
    {
        assert_eq!(mended(json), None, "{json}");
    }
}
