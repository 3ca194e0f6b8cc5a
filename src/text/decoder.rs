//! Bytes in pieces as text.

/// Turns bytes that come in pieces into text. A character that is cut between two pieces is one; what is no UTF-8
/// becomes U+FFFD, so that a terminal with an 8-bit character set sees no control character in it.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// The beginning of a character.
    begun: Vec<u8>,
}

impl Decoder {
    /// Takes the next bytes; adds the text they complete to `text`.
    pub fn push(&mut self, bytes: &[u8], text: &mut String) {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_beginning(invalid) {
                self.begun = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// The end: a character that only began is none.
    pub fn finish(&mut self, text: &mut String) {
        if !std::mem::take(&mut self.begun).is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Whether more bytes could make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_cut_anywhere_are_whole_and_other_bytes_are_replaced() {
        let bytes = b"a\xc3\xa4\x9b31m\xf0\x9f\xa6\x80\xff\xc3";
        let whole = "aä\u{fffd}31m🦀\u{fffd}\u{fffd}";
        for first in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let mut text = String::new();
            for piece in [&bytes[..first], &bytes[first..]] {
                decoder.push(piece, &mut text);
            }
            decoder.finish(&mut text);
            assert_eq!(text, whole, "cut at {first}");
        }
        let mut decoder = Decoder::default();
        let mut text = String::new();
        bytes.iter().for_each(|byte| decoder.push(&[*byte], &mut text));
        decoder.finish(&mut text);
        assert_eq!(text, whole);
    }
}
