//! Half characters in JSON.
//!
//! JavaScript cuts texts between the two halves of a character such as an emoji, and `JSON.stringify` then writes
//! the lone half as an escape. That is valid JSON, but no Unicode text, so `serde_json` refuses the whole
//! document: a paid answer would be lost for half an emoji in it.

/// The document with every lone half replaced by U+FFFD; `None` when there is none in it.
pub(super) fn mended(json: &str) -> Option<String> {
    let mut mended: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json.get(at..)?.find('\\') {
        let escape = at + found;
        let unit = code_unit(json, escape);
        at = escape + if unit.is_some() { 6 } else { 2 };
        match unit {
            Some(0xd800..=0xdbff) if matches!(code_unit(json, at), Some(0xdc00..=0xdfff)) => at += 6,
            Some(0xd800..=0xdfff) => {
                let text = mended.get_or_insert_default();
                text.push_str(&json[copied..escape]);
                text.push_str("\\ufffd");
                copied = at;
            }
            _ => {}
        }
        // An escaped character of several bytes is not JSON; it must not be cut all the same.
        while at < json.len() && !json.is_char_boundary(at) {
            at += 1;
        }
    }
    let mut text = mended?;
    text.push_str(&json[copied..]);
    Some(text)
}

/// The value of a `\uXXXX` escape that begins here.
fn code_unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
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
        for json in
            ["", "\\", "\"\\", r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""ä\u00e4\"""#, r#""\u12"#, "\\ä€"]
        {
            assert_eq!(mended(json), None, "{json}");
        }
    }
}
