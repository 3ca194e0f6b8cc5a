//! JSON for a terminal.

use std::io::{self, Write};

use crate::text::{Characters, Decoder};

/// Writes JSON with each character that a terminal would obey or not show as an escape: the same document, and
/// nothing in it is out of sight.
pub(super) struct Escaping<W> {
    out: W,
    decoder: Decoder,
    characters: Characters,
}

impl<W: Write> Escaping<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, decoder: Decoder::default(), characters: Characters::default() }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut text, mut escaped) = (String::new(), String::new());
        self.decoder.push(bytes, &mut text);
        // Outside of its strings JSON is ASCII that is all shown.
        for character in text.chars() {
            self.characters.take(character, &mut |character, is_shown| match is_shown {
                true => escaped.push(character),
                false => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        escaped.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            });
        }
        self.out.write_all(escaped.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
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
}
