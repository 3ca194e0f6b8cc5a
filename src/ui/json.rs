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
mod tests;
